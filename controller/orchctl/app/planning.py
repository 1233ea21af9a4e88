"""`orchctl plan`: the step a controller would take at a commit, taken by a machine of its own that changes nothing.

The facts are gathered as the controller gathers them: the manifests of the commit against the state in the ledger, and
the programs and secrets agents would need. The ledger is only read, so this goes on beside a controller.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchctl.adapters import manifests
from orchctl.adapters.gitsource import repository, source
from orchctl.adapters.ledger import store, verifying
from orchctl.adapters.ledger.errors import LedgerError
from orchctl.adapters.manifests import catalog
from orchctl.adapters.probes import programs, secret_files
from orchctl.app import admission, scouting
from orchctl.app.read import failures
from orchctl.app.read.locate import Place
from orchctl.core import accounts, events, planning, ports, runtime
from orchctl.core.ids import SOURCE, Oid
from orchctl.core.state import Program, State

LEDGER = "ledger.db"
LOOKS_MAX = 8  # at the manifests and the machine, until neither says anything new


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    commit: str
    ref: str
    in_force: str  # the commit the controller has taken up; empty when it has none
    changes: list[planning.Change]
    steps: list[planning.Next]
    shares: list[planning.Share]
    blocked: list[planning.Next]
    uses: list[planning.Use]


def plan(place: Place, revision: str | None, environ: Mapping[str, str], at: float) -> Planned:
    """`revision` is what a person calls a commit; without one, it is where the watched ref is."""
    before, ref, now = _known(place, at)
    try:
        control = repository.ControlRepo.open(place.root)
        branch = ref or control.head_branch()
        commit = _commit(control, branch, revision)
        full_ref = repository.full_ref(branch or "HEAD")
        after, recorded = _stepped(place, source.GitSource(place.root, full_ref, commit), before, now, environ)
    except ports.WorldError as error:
        raise failures.CommandError(str(error)) from error
    return Planned(
        commit=commit,
        ref=full_ref,
        in_force=before.revision.commit if before.revision is not None else "",
        changes=planning.changes(before, recorded),
        steps=planning.steps(after, recorded),
        shares=planning.shares(after),
        blocked=planning.blocked(after),
        uses=planning.uses(after),
    )


def _commit(control: repository.ControlRepo, branch: str | None, revision: str | None) -> Oid:
    found = control.commit_called(revision) if revision else control.resolve(branch or "HEAD")
    if found is None:
        said = f"no commit is called {revision}" if revision else f"{branch or 'HEAD'} has no commit yet"
        raise failures.CommandError(said, failures.NOT_FOUND)
    return found


def _known(place: Place, at: float) -> tuple[State, str, events.Now]:
    """The state, the watched ref and the time as the ledger has them; nothing where no controller has run."""
    path = Path(place.state_dir) / LEDGER if place.state_dir is not None else None
    if path is None or not path.exists():
        return State(), "", events.Now(at=at, t=0.0)
    try:
        with contextlib.closing(verifying.read_only(path)) as db, store.readable(path):
            store.check_schema(db)
            db.execute("BEGIN")
            last = db.execute("SELECT at, t FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (at, 0.0)
            now = events.Now(at=at, t=float(last[1]) + max(0.0, at - float(last[0])))
            return store.state_of(db), store.meta(db, "ref") or "", now
    except (LedgerError, OSError) as error:
        raise failures.CommandError(str(error)) from error


def _stepped(
    place: Place, git: source.GitSource, before: State, now: events.Now, environ: Mapping[str, str]
) -> tuple[State, list[events.Recorded]]:
    uid = repository.existing_uid(git.repo.common_dir) or "plan"
    admitted = admission.Admission(git, uid, _builtins())
    machine = runtime.Runtime(before)
    step = machine.step([events.ControllerStarted(SOURCE, release="plan"), *admitted.facts(before)], now)
    recorded = list(step.recorded)
    with _prober(place, environ) as prober:
        for _ in range(LOOKS_MAX):
            facts = [*prober.facts(machine.state), *admitted.facts(machine.state)]
            if not facts:
                break
            recorded += machine.step(facts, now).recorded
    return machine.state, recorded


def _builtins() -> tuple[manifests.Document, ...]:
    return tuple(catalog.documents())


class _Prober:
    """Looks at the machine as the loop does, all at once."""

    def __init__(self, found: programs.Programs, secrets: secret_files.SecretFiles) -> None:
        self._programs = found
        self._secrets = secrets
        self._looked: dict[object, None] = {}

    def facts(self, state: State) -> list[events.Event]:
        found: list[events.Event] = []
        for look in scouting.Scout().looks(state, 1.0):
            if (look.key, look.sought) in self._looked:
                continue
            self._looked[look.key, look.sought] = None
            if isinstance(look.sought, accounts.Files):
                found += scouting.account_news(look, look.sought, self._secrets.problem(look.sought.secrets))
            else:
                known = look.before if isinstance(look.before, Program) else None
                found += scouting.news(look, look.sought, self._programs.look(look.sought, known))
        return found


@contextlib.contextmanager
def _prober(place: Place, environ: Mapping[str, str]) -> Iterator[_Prober]:
    with tempfile.TemporaryDirectory(prefix="orchctl-plan-") as folder:
        found = programs.Programs(environ, sys.executable, Path(folder))
        yield _Prober(found, secret_files.SecretFiles(environ, Path(place.root)))
