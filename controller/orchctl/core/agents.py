"""Whether an Agent can be run on this machine: which program it needs, and what was last found of it (SES-14).

That a program is there is a fact of the ledger, so choosing an agent is as exact on replay as all else. Asked by the
choice of an agent, by the conditions of Agents, and by who looks for the programs.
"""

from __future__ import annotations

import dataclasses
import functools

from orchctl.api import kinds
from orchctl.api.v1alpha1 import agent as agent_kind
from orchctl.api.v1alpha1.agent import Backend
from orchctl.core import accounts
from orchctl.core.because import Because
from orchctl.core.ids import Key, key_of, name_of
from orchctl.core.state import Desired, Object, Program

# The command lines with a backend of their own, by the name of Agent and backend, and what their program is called.
# In this order one is taken when nobody names any.
PROGRAMS = {
    Backend.CLAUDE: "claude",
    Backend.CODEX: "codex",
    Backend.OPENCODE: "opencode",
    Backend.GEMINI: "gemini",
    Backend.CRUSH: "crush",
    Backend.AIDER: "aider",
    Backend.MINI: "mini",
}
SPECS_CACHED_MAX = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Sought:
    """The program of an Agent, and the environment that says where it is looked for."""

    program: str
    spec_digest: str
    env: tuple[tuple[str, str], ...]


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def spec_of(text: str) -> agent_kind.AgentSpec:
    return agent_kind.AgentSpec.model_validate_json(text)


def key_of_agent(name: str) -> Key:
    return key_of("Agent", kinds.CLUSTER_NAMESPACE, name)


def account_of(obj: Object) -> str:
    return (spec_of(obj.desired.spec).account or "") if obj.desired is not None else ""


def sought(desired: Desired) -> Sought | None:
    """What has to be there before it is started; None when that cannot be said without a checkout, or is ours."""
    spec = spec_of(desired.spec)
    if spec.backend is Backend.SCRIPT:
        return None
    program = spec.command[0] if spec.command else PROGRAMS.get(spec.backend, "")
    if not program or ("/" in program and not program.startswith("/")):
        return None
    return Sought(program, desired.spec_digest, tuple(sorted(spec.env.items())))


def found(obj: Object) -> Program | None:
    """What is known of its program as the Agent is now."""
    if obj.desired is None or obj.program is None or obj.program.spec_digest != obj.desired.spec_digest:
        return None
    return obj.program


def readiness(obj: Object) -> Because | None:
    """Why it cannot be started here now, or None. An Agent nobody has looked for yet is not ready either."""
    if obj.desired is None or sought(obj.desired) is None:
        return None
    program = found(obj)
    name = name_of(obj.key)
    if program is None:
        text = f"agent {name}: its program is being looked for"
        return Because("SES-14", text, unblock=accounts.BY_ITSELF, waiting="AgentNotReady")
    if not program.problem:
        return None
    unblock = f"install `{program.name}` where the PATH of the controller leads to, or name another agent"
    return Because("SES-14", f"agent {name}: {program.problem}", unblock=unblock, waiting="AgentNotReady")
