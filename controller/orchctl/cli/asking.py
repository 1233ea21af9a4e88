"""What the verbs that ask something of one object share: find it, leave the request, and say what came of it.

With a controller running the answer is waited for, a short while; without one the request waits in the inbox.
"""

from __future__ import annotations

import time

from orchctl.app.read import body, failures, locate, resources
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchctl.app.read.body import Body
    from orchctl.cli.context import Context

ANSWER_S = 10.0
LOOK_S = 0.05


def add_target(made: arguments.Parser) -> None:
    made.add_argument("task", metavar="TASK", help="the name of a task, or task/NAME")
    arguments.add_namespace(made)


class Asked:
    """One object, mostly a task, and the place of its controller."""

    __slots__ = ("context", "kind", "name", "namespace", "place", "spec")

    def __init__(self, written: str, namespace: str, place: locate.Place, context: Context, kind: str = "task") -> None:
        target = selection.named([written if "/" in written else f"{kind}/{written}"])[0]
        self.kind = resources.kind_called(kind)
        if target.kind.kind != self.kind.kind:
            raise failures.CommandError(f"it is asked of a {kind}, not of a {target.kind.singular}", failures.USAGE)
        self.context, self.place, self.namespace = context, place, namespace
        with selection.open_ledger(place, target) as reader:
            record = selection.one(target, namespace, reader)
        self.name = record.name
        self.spec = body.of(record).at("spec").fields

    def send(self, verb: str, said: str, **values: object) -> int:
        """Leave the request and wait for what the controller says to it; `said` is what has then happened."""
        from orchctl.app import asking

        token = asking.submit(self.place, verb, f"{self.kind.kind}/{self.namespace}/{self.name}", **values)
        if not locate.controller(self.place)[0]:
            self.context.say(f"{self.kind.singular}/{self.name}: asked (request {token})")
            self.context.warn(
                "No controller is running: the request waits in the inbox for the next `orchctl controller`."
            )
            return failures.OK
        answer = self._answer(token)
        if answer is None:
            raise failures.CommandError(
                f"the controller has not taken up request {token} in {ANSWER_S:.0f} s; it stays in the inbox",
                failures.TIMEOUT,
            )
        if answer.text("refused"):
            raise failures.CommandError(
                f"{self.kind.singular}/{self.name}: {answer.text('refused')}", failures.CONFLICT
            )
        self.context.say(f"{self.kind.singular}/{self.name} {said}")
        return failures.OK

    def _answer(self, token: str) -> Body | None:
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            answer = self._request()
            if answer.text("token") == token:
                return answer
            time.sleep(LOOK_S)
        return None

    def _request(self) -> Body:
        target = resources.Target(self.kind, self.name)
        with selection.open_ledger(self.place, target) as reader:
            record = reader.find(self.kind.kind, self.namespace, self.name)
        return body.of(record).at("status").at("request") if record is not None else body.Body({})
