"""What goes wrong, as a swarm: each seed has some of the faults, each with a rate of its own, so that rare meetings of
two of them are common in some seeds. In the second phase of a simulation nothing goes wrong any more.
"""

from __future__ import annotations

from orchctl.core.ports import PermanentError, TransientError
from orchctl.testing.sim.chance import Chance

# fault -> the lowest and highest rate per occasion
FAULTS: dict[str, tuple[float, float]] = {
    "kill-before-call": (0.002, 0.03),  # the controller dies as it makes a call to a port
    "kill-after-call": (0.002, 0.03),  # the call was carried out, and nobody hears of it
    "kill-before-append": (0.002, 0.02),
    "kill-in-append": (0.002, 0.02),  # the turn is in the ledger or not at all, and nobody was told which
    "kill-after-append": (0.002, 0.02),
    "stop": (0.002, 0.01),  # asked to end: what is under way ends first
    "busy-git": (0.01, 0.1),  # a lock, a disk: it may work later
    "broken-git": (0.002, 0.01),  # trying again changes nothing
    "busy-machine": (0.01, 0.1),  # no process can be started now
    "half-started": (0.01, 0.1),  # the process was started, and the call says it was not
    "unseen": (0.02, 0.4),  # cannot tell now whether it runs
    "busy-control": (0.01, 0.1),  # the control repo cannot be read now
    "offline": (0.1, 0.5),  # per stretch of time: the projects' repositories cannot be reached
    "no-notice": (0.05, 0.9),  # nobody is told of the end of an attempt
    "no-hint": (0.1, 0.9),  # nobody is told that the control repo moved
    "doubled": (0.02, 0.3),  # facts are told twice
    "late": (0.02, 0.3),  # facts are told minutes later
    "slow": (0.02, 0.3),  # an effect takes a minute
    "disk-full": (0.002, 0.03),
    "disk-error": (0.002, 0.01),
    "clock-jump": (0.1, 0.5),  # per stretch of time
    "reboot": (0.01, 0.1),  # per stretch of time
    "lost": (0.01, 0.15),  # per process: its shim is killed, and it with it
    "rival": (0.05, 0.5),  # per stretch of time: somebody starts a second controller
}
ENABLED = 0.35  # how likely a seed has a given fault
STRETCH_S = 60.0
KILLS = tuple(name for name in FAULTS if name.startswith("kill-"))


class Killed(BaseException):
    """The controller ended here, without a chance to do anything about it."""


class Swarm:
    """Which faults there are, and whether one strikes now. `without` leaves some out, for shrinking."""

    def __init__(self, chance: Chance, without: frozenset[str] = frozenset(), *, calm: bool = False) -> None:
        self._chance = chance
        self._times: dict[tuple[str, str], int] = {}
        self.raging = not calm
        self.struck: dict[str, int] = {}
        self.rates = {
            name: chance.between(low, high, "rate", name)
            for name, (low, high) in FAULTS.items()
            if name not in without and chance.happens(ENABLED, "enabled", name)
        }

    def strikes(self, fault: str, subject: str) -> bool:
        """Whether it happens at this occasion, the next one of the subject."""
        rate = self.rates.get(fault)
        if rate is None or not self.raging:
            return False
        time = self._times[fault, subject] = self._times.get((fault, subject), 0) + 1
        if not self._chance.happens(rate, fault, subject, time):
            return False
        self.struck[fault] = self.struck.get(fault, 0) + 1
        return True

    def enter(self, what: str, subject: str) -> None:
        """A port is called."""
        if self.strikes("kill-before-call", f"{what} {subject}"):
            raise Killed(f"before {what} {subject}")

    def leave(self, what: str, subject: str) -> None:
        """A port was called: what it was asked for is done."""
        if self.strikes("kill-after-call", f"{what} {subject}"):
            raise Killed(f"after {what} {subject}")

    def trouble(self, busy: str, broken: str, what: str, subject: str) -> None:
        """The port answers with an error, having done nothing."""
        if busy and self.strikes(busy, f"{what} {subject}"):
            raise TransientError(f"{what}: {subject} is busy")
        if broken and self.strikes(broken, f"{what} {subject}"):
            raise PermanentError(f"{what}: {subject} is broken")
