"""Whether an Account can pay: the files with its secrets are there. And which they are, for who launches an agent.

Only names and paths are known here. What is in a file is read at the launch, told to the agent and to the shim that
masks it, and kept nowhere (SES-10).
"""

from __future__ import annotations

import dataclasses
import functools

from orchctl.api import kinds
from orchctl.api.v1alpha1 import account as account_kind
from orchctl.core.because import Because
from orchctl.core.ids import Key, key_of, name_of
from orchctl.core.state import Desired, Keyring, Object
from orchctl.core.view import View

SPECS_CACHED_MAX = 256
BY_ITSELF = "nothing: it goes on by itself"


@dataclasses.dataclass(frozen=True, slots=True)
class Files:
    """What an Account names: variables, each with the file of its value."""

    spec_digest: str
    secrets: tuple[tuple[str, str], ...]


@functools.lru_cache(maxsize=SPECS_CACHED_MAX)
def _spec_of(text: str) -> account_kind.AccountSpec:
    return account_kind.AccountSpec.model_validate_json(text)


def key_of_account(name: str) -> Key:
    return key_of("Account", kinds.CLUSTER_NAMESPACE, name)


def files(desired: Desired) -> Files | None:
    """None when it names none."""
    secrets = tuple((one.env, one.from_file) for one in _spec_of(desired.spec).secrets)
    return Files(desired.spec_digest, secrets) if secrets else None


def secrets_now(view: View, name: str) -> tuple[tuple[str, str], ...]:
    """Of the Account as it is now: who pays may be changed while a task runs."""
    obj = view.get(key_of_account(name)) if name else None
    named = files(obj.desired) if obj is not None and obj.desired is not None else None
    return named.secrets if named is not None else ()


def found(obj: Object) -> Keyring | None:
    """What is known of its files as the Account is now."""
    if obj.desired is None or obj.keyring is None or obj.keyring.spec_digest != obj.desired.spec_digest:
        return None
    return obj.keyring


def readiness(obj: Object) -> Because | None:
    """Why no agent can be launched on it now, or None."""
    if obj.desired is None or files(obj.desired) is None:
        return None
    keyring = found(obj)
    name = name_of(obj.key)
    if keyring is None:
        text = f"account {name}: its secrets are being looked for"
        return Because("SES-14", text, unblock=BY_ITSELF, waiting="AgentNotReady")
    if not keyring.problem:
        return None
    unblock = "put the secret there, readable by you alone, or name another file in the Account"
    return Because("SES-14", f"account {name}: {keyring.problem}", unblock=unblock, waiting="AgentNotReady")
