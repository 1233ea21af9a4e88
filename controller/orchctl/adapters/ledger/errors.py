"""What is wrong with a ledger, in a sentence a person can act on."""


class LedgerError(Exception):
    """The ledger cannot be used; the message says why and what to do."""


class UnreadableEvent(LedgerError):
    """A row of the ledger that this release cannot read."""
