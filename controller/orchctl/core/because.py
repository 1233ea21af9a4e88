"""Why an object is where it is: the one value behind `orchctl why`.

Every proposal and every refusal carries one, so there is never a state without an answer. `rule` is the id of the
rule of behaviour that decided (for example TASK-7), `unblock` what would change it, in words a person can act on.
"""

import dataclasses

HOLDING = "Suspending"  # the one reason to wait that keeps the slot: what the task has made is about to use it


@dataclasses.dataclass(frozen=True, slots=True)
class Because:
    rule: str
    text: str
    evidence: tuple[str, ...] = ()
    unblock: str = ""
    waiting: str = ""  # the reason of the Waiting condition when this is a wait, else ""
