"""Whatever people do, in whatever order: nothing lands without an approval that counts for exactly what lands (I6).

What counts is told here from the facts alone, in other words than the code's.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import hypothesis
from hypothesis import strategies

from orchctl.core import actions, events, evolve, runtime, views
from orchctl.core.ids import SOURCE, Key, kind_of
from orchctl.core.judgements import Principal
from orchctl.core.state import Object, State
from orchctl.kit import timestamps
from orchctl.testing import worlds
from tests.unit.core import builders

TASK = Key("Task/default/fix")
ALICE, BOB, ANN = "alice@example.com", "bob@example.com", "ann@example.com"
WHO = (ALICE, BOB, ANN, "agent@orchctl.invalid", "")
MAX_AGE_S = 3_600
STAGES = [
    {"name": "implement", "role": "coder", "gates": [{"checks": {}}], "onFailure": {"goto": "implement", "limit": 9}},
    {"name": "merge", "merge": {}, "gates": [{"approval": {"policy": "leads"}}]},
]
DOINGS = (
    "approve", "approve", "approve", "deny", "revoke", "delete", "policy", "signed", "unsigned", "edit", "title",
    "wait", "expire", "clean", "dirty", "moved", "restart",
)  # fmt: skip


@dataclasses.dataclass
class Life:
    bench: worlds.Bench
    policy: int = 0
    landed: int = 0
    before: State = dataclasses.field(default_factory=State)

    def give(self, *facts: events.Event) -> None:
        pending = list(facts)
        for _ in range(300):
            step = self.bench.machine.step(pending, self.bench.now)
            for one in step.recorded:
                self.before = evolve.evolve(self.before, one)
            assert self.before == self.state, "what is recorded folds to the state"
            assert not [obj.stalled for obj in self.state.objects.values() if obj.stalled]
            for action in step.actions:
                if isinstance(action.do, actions.LandWork):
                    self.check_approved()
            for key in step.touched:
                if key in self.state.objects:
                    views.row(self.state, self.state.objects[key])
            pending = [fact for action in step.actions for fact in self.bench.world.execute(action)]
            if not pending:
                return
        raise AssertionError("no rest")

    @property
    def state(self) -> State:
        return self.bench.machine.state

    def check_approved(self) -> None:
        self.landed += 1
        made = [obj for obj in self.state.objects.values() if kind_of(obj.key) == "Approval" and obj.desired]
        assert [obj for obj in made if self.is_good(obj)], "an approval of exactly this, by one who may give it"
        denied = [obj for obj in made if self.is_of_this_work(obj) and self.word(obj) == "Denied" and self.may(obj)]
        assert not [one for one in denied if not self.was_changed_since(one, made)], "nobody is against it"

    def is_good(self, obj: Object) -> bool:
        assert obj.desired is not None
        spec = json.loads(obj.desired.spec)
        exact = {**spec["subject"], "kind": "Task"} == {**self.subject(), "name": "fix"}
        ends = timestamps.epoch_s(spec["expiresAt"]) if spec.get("expiresAt") else float("inf")
        assert obj.said is not None
        fresh = self.bench.now.at < min(ends, obj.said.at + MAX_AGE_S)
        made = [one for one in self.state.objects.values() if kind_of(one.key) == "Approval" and one.desired]
        taken_back = self.was_changed_since(obj, made)
        return exact and fresh and self.may(obj) and self.word(obj) == "Approved" and not taken_back

    def was_changed_since(self, obj: Object, made: list[Object]) -> bool:
        """The same person has said something else of this work, later."""
        assert obj.said is not None
        return any(
            one.principal == obj.principal
            and self.word(one) != self.word(obj)
            and self.is_of_this_work(one)
            and one.said is not None
            and one.said.t > obj.said.t
            for one in made
        )

    def word(self, obj: Object) -> str:
        assert obj.desired is not None
        return str(json.loads(obj.desired.spec)["decision"])

    def may(self, obj: Object) -> bool:
        leads = self.state.objects[Key("Policy/default/leads")].desired
        assert leads is not None
        unsigned = json.loads(leads.spec)["approvals"]["signature"] == "None"
        return obj.principal is not None and obj.principal.name in (ALICE, BOB) and unsigned

    def is_of_this_work(self, obj: Object) -> bool:
        assert obj.desired is not None
        said, now = json.loads(obj.desired.spec)["subject"], self.subject()
        return all(said[part] == now[part] for part in ("uid", "stage", "gate", "attempt", "commit"))

    def subject(self) -> dict[str, Any]:
        """From the task itself, not from what its gate has recorded."""
        obj = self.state.objects[TASK]
        assert obj.task is not None
        assert obj.desired is not None
        recorded = self.recorded()
        leads = self.state.objects[Key("Policy/default/leads")].desired
        assert leads is not None
        return {
            **recorded,
            "uid": obj.desired.uid,
            "attempt": obj.task.cycle + 1,
            "commit": obj.task.head,
            "workDigest": obj.task.plan.work_digest,
            "policyDigest": leads.spec_digest,
        }

    def recorded(self) -> dict[str, Any]:
        found = json.loads(views.row(self.state, self.state.objects[TASK]).body)["status"]["gates"]
        return next((one["subject"] for one in found if one["type"] == "approval"), {})

    # --- what people and the world do -----------------------------------------------------------------------------

    def do(self, doing: str, which: int) -> None:
        match doing:
            case "approve" | "deny" | "revoke" if self.recorded():
                self.give(self.said(doing, which))
            case "delete":
                self.give(events.ObjectWithdrawn(Key(f"Approval/default/a{which % 4}")))
            case "policy":
                self.policy += 1
                self.give(leads(self.policy))
            case "signed" | "unsigned":
                self.give(leads(self.policy, signature="Ssh" if doing == "signed" else "None"))
            case "edit":
                self.give(asked(priority=which))
            case "title":
                self.give(asked(title=f"another {which}"))
            case "wait" | "expire":
                self.bench.now = events.Now(
                    at=self.bench.now.at + (MAX_AGE_S if doing == "expire" else 60 * which),
                    t=self.bench.now.t + (MAX_AGE_S if doing == "expire" else 60 * which),
                )
                self.give()
            case "clean":
                self.bench.world.dirty = ()
                self.give(events.TargetCleaned(TASK))
            case "dirty":
                self.bench.world.dirty = ("src/a.py",)
            case "moved":
                self.bench.world.target = worlds.oid("target", self.bench.world.target)
            case "restart":
                self.bench.machine = runtime.Runtime(self.before)
                self.give(events.ControllerStarted(SOURCE, release="test"))

    def said(self, doing: str, which: int) -> events.ObjectAdmitted:
        word = {"approve": "Approved", "deny": "Denied", "revoke": "Revoked"}[doing]
        subject = {**self.recorded(), "name": "fix"}
        if which == 7:
            subject["commit"] = "0" * 40
        if which == 8:
            subject["attempt"] += 1
        expires = {"expiresAt": timestamps.rfc3339(self.bench.now.at + 600)} if which % 2 else {}
        spec = {"subject": subject, "decision": word, "comment": "", **expires}
        return builders.admitted(
            "Approval", f"a{which % 4}", spec, by=WHO[which % 2 if which < 6 else which % len(WHO)]
        )


def leads(number: int, signature: str = "None") -> events.ObjectAdmitted:
    approvers = {"users": [ALICE, BOB, "agent@orchctl.invalid", ANN, f"nobody{number}@example.com"]}
    rule = {"approvers": approvers, "preventSelf": True, "maxAge": "1h", "signature": signature}
    return builders.admitted("Policy", "leads", {"approvals": rule, "bot": []})


def asked(**spec: Any) -> events.ObjectAdmitted:
    return dataclasses.replace(builders.task(pipeline="own", **spec), principal=Principal(ANN))


def begun(dirty: bool) -> Life:
    life = Life(worlds.Bench(world=worlds.World(dirty=("src/a.py",) if dirty else ())))
    pipeline = builders.admitted("Pipeline", "own", {"stages": STAGES})
    life.give(*builders.catalogue(), pipeline, builders.project(), leads(0))
    life.give(asked())
    return life


DOING = strategies.tuples(strategies.sampled_from(DOINGS), strategies.integers(0, 9))


@hypothesis.settings(deadline=None, max_examples=80, database=None)
@hypothesis.given(
    dirty=strategies.booleans(),
    doings=strategies.lists(DOING, max_size=20),
)
def test_app_5_nothing_lands_without_an_approval_of_exactly_it(dirty: bool, doings: list[tuple[str, int]]) -> None:
    life = begun(dirty)
    for doing, which in doings:
        life.do(doing, which)
    task = life.state.objects[TASK].task
    assert task is not None
    assert task.landed is None or life.landed > 0


def test_a_plain_approval_lands() -> None:
    life = begun(dirty=False)
    life.do("approve", 0)
    assert life.landed == 1
