"""The production effects over the ports of the world: what would touch this disk is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchctl.adapters.probes import programs
from orchctl.adapters.templates import rendering
from orchctl.app import effects, scouting
from orchctl.core import actions, agents, events, ports
from orchctl.core.ids import AttemptId
from orchctl.core.resolve import CONTROL_REPO
from orchctl.testing.sim.gitports import Workspace
from orchctl.testing.sim.oracles import CallLog
from orchctl.testing.sim.processes import Executor
from orchctl.testing.sim.world import World

ENVIRON = {"HOME": "/home/somebody", "PATH": "/bin"}


class Renderer(rendering.Renderer):
    """Not what jinja makes of it: enough to tell a rendered text from its template."""

    def render(self, texts: Mapping[str, str], roots: Mapping[str, Any], folder: Path) -> rendering.Rendered:
        made = {name: text.replace("${{", "<").replace("}}", ">") for name, text in texts.items()}
        return rendering.Rendered(made, rendering.digest_of(made))


class Effects(effects.Effects):
    def __init__(self, world: World, executor: Executor, workspace: Workspace, calls: CallLog) -> None:
        super().__init__(
            executor,
            workspace,
            control_repo=Path("/control"),
            sessions=Path("/sessions"),
            environ=ENVIRON,
            python="python3",
        )
        self._renderer = Renderer("python3")
        self._world = world
        self._calls = calls

    def execute(self, action: actions.Action) -> list[events.Event]:
        self._world.complain(self._calls.i14_waits_after_a_failure(action, self._world.agenda.now))
        facts = super().execute(action)
        failed = any(isinstance(fact, events.ActionFailed) for fact in facts)
        self._calls.note(action, self._world.agenda.now, failed=failed)
        return facts

    def look_for(self, look: scouting.Look) -> list[events.Event]:
        """Every program is there; that one is not is for the agent to find."""
        assert isinstance(look.sought, agents.Sought), "the manifests have no Accounts"
        found = programs.Found(path=f"/bin/{look.sought.program}", version="1", mark="1", problem="")
        return scouting.news(look, look.sought, found)

    def _address(self) -> str | None:
        return None

    def _repo(self, repo: str) -> str:
        return repo

    def _is_control(self, repo: str) -> bool:
        return repo == CONTROL_REPO

    def _branch(self, repo: str, branch: str) -> str:
        found = self._world.projects.get(repo)
        if found is None:
            raise ports.PermanentError(f"there is no repository at {repo}")
        return branch or found.branch

    def _text_file(self, attempt: AttemptId, what: str, text: str) -> str:
        return f"/sessions/{attempt}.{what}"

    def _tail(self, attempt: AttemptId) -> bytes:
        return self.executor.read(attempt, 0, effects.TAIL_BYTES)
