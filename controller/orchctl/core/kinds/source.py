"""Where the manifests come from: it does nothing by itself and says why what is in git is not what is in force."""

from __future__ import annotations

from orchctl.core import status
from orchctl.core.because import Because
from orchctl.core.proposal import Proposal
from orchctl.core.state import Object, SourceState


def propose(obj: Object, source: SourceState) -> Proposal:
    if source.refused is not None:
        unblock = "a commit on top that an allowed signer has signed, or the branch set back to one"
        return Proposal(Because("GIT-1", status.refusal_text(source), unblock=unblock))
    if source.unreachable:
        waiting = "SourceOffline" if source.offline else ""
        text = f"what was fetched last stays in force: {status.unreachable_text(source)}"
        return Proposal(Because("GIT-1", text, unblock=_unblock(source), waiting=waiting))
    if source.signer:
        return Proposal(Because("GIT-1", f"the commit in force is signed by {source.signer}"))
    return Proposal(Because("GIT-1", "what is in git is in force"))


def _unblock(source: SourceState) -> str:
    return "" if source.offline else "a remote that lets us read the branch: it is asked again by itself"
