"""What is wrong with a ledger, in a sentence a person can act on."""


class LedgerError(Exception):
    """The ledger cannot be used; the message says why and what to do."""


class UnreadableEvent(LedgerError):
    """A row of the ledger that this release cannot read."""


class Damaged(LedgerError):
    """What the ledger holds is not what was written."""


class Behind(LedgerError):
    """The ledger lacks what its anchor says was recorded."""


class Fenced(LedgerError):
    """A controller that began later owns the ledger: this one may write nothing more."""


class DiskFull(LedgerError):
    """Nothing can be recorded any more, so nothing may be done any more. What was acknowledged is there."""
