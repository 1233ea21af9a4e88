"""Which commit is taken up: the head of the watched ref, unless it must be signed and is not well signed.

Called by admission at the begin of each look. What is refused leaves the last commit that was taken up in force, and
is said once. What asks for signatures is the Settings in force, never those of the commit that is judged, except that
a commit which begins to ask must be signed itself: else the next ones would all be refused.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from orchctl.adapters.gitsource import fetching, signatures, source
from orchctl.core import events, sources, upstream
from orchctl.core.ids import SOURCE, Oid
from orchctl.core.state import SourceState, State

AGAIN_S = 10.0  # how long a refusal holds before it is judged again: signers may have been added meanwhile


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """What a look is about. No commit: nothing is known of git, so nothing of it is changed."""

    commit: Oid | None
    signer: str = ""
    facts: tuple[events.Event, ...] = ()
    refused: bool = False  # the ref is at another commit, which is not taken up


class Revisions:
    def __init__(
        self,
        git: source.GitSource,
        signed: signatures.Signatures | None = None,
        fetcher: fetching.Fetcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._git = git
        self._signed = signed
        self._fetcher = fetcher
        self._clock = clock
        self._judged: tuple[Oid, signatures.Verdict, float] | None = None  # the last one, and when

    def head(self, state: State, settings: sources.SourceSettings) -> Head:
        news = self._of_remote(state, settings)
        commit = self._git.head()
        told = told_of(state)
        if commit is None:
            return Head(None, facts=news)
        in_force = state.revision.commit if state.revision is not None else None
        if commit == in_force:
            return Head(commit, told.signer if told.verified == commit else "", news)
        if not settings.verify and commit != told.refused:
            return Head(commit, facts=news)
        verdict = self._verdict(commit)
        if verdict.good:
            return Head(commit, verdict.signer, news)
        if settings.verify and self._reads_the_same(state, commit):
            return dataclasses.replace(self._stay(state, news), refused=False)
        return self._stay(state, (*news, *self._refusal(state, commit, verdict)))

    def asked_to_be_signed(self, state: State, head: Head) -> Head:
        """The same when the commit, whose Settings begin to ask for signatures, is well signed itself."""
        assert head.commit is not None
        if head.signer:
            return head
        verdict = self._verdict(head.commit)
        if verdict.good:
            return dataclasses.replace(head, signer=verdict.signer)
        return self._stay(state, (*head.facts, *self._refusal(state, head.commit, verdict)))

    def _reads_the_same(self, state: State, commit: Oid) -> bool:
        """Whether nothing would be taken up: work that lands in the control repo is not signed, and says nothing."""
        last, repo = state.revision, self._git.repo
        if last is None or repo.tree_of(last.commit) is None:
            return False
        return all(repo.tree_of(commit, root) == repo.tree_of(last.commit, root) for root in last.roots)

    def _stay(self, state: State, facts: tuple[events.Event, ...]) -> Head:
        """At the last commit that was taken up; when even that is gone from the repo, at what is in the ledger."""
        last = state.revision
        if last is None or self._git.repo.tree_of(last.commit) is None:
            return Head(None, facts=facts, refused=True)
        told = told_of(state)
        return Head(last.commit, told.signer if told.verified == last.commit else "", facts, refused=True)

    def _verdict(self, commit: Oid) -> signatures.Verdict:
        if self._signed is None:
            return signatures.Verdict(False, reason="this controller has nothing to verify signatures with")
        now = self._clock()
        if self._judged is not None and self._judged[0] == commit and now < self._judged[2] + AGAIN_S:
            return self._judged[1]
        verdict = self._signed.judge(commit)
        self._judged = (commit, verdict, now)
        return verdict

    def _refusal(self, state: State, commit: Oid, verdict: signatures.Verdict) -> list[events.Event]:
        told = told_of(state)
        if (told.refused, told.refusal) == (commit, verdict.reason):
            return []
        return [upstream.RevisionRefused(SOURCE, ref=self._git.ref, commit=commit, message=verdict.reason)]

    def _of_remote(self, state: State, settings: sources.SourceSettings) -> tuple[events.Event, ...]:
        """What the last fetch came to, when that is not what was said last."""
        if self._fetcher is None:
            return ()
        self._fetcher.interval_s = settings.interval_s
        found, told = self._fetcher.report(), told_of(state)
        remote = self._fetcher.target.shown
        if found.tries == 0:
            return ()
        if not found.message:
            if told.remote == remote and not told.unreachable:
                return ()
            return (upstream.SourceSynced(SOURCE, remote=remote),)
        if (told.remote, told.unreachable, told.offline) == (remote, found.message, found.offline):
            return ()
        return (
            upstream.SourceUnreachable(
                SOURCE,
                remote=remote,
                offline=found.offline,
                message=found.message,
                synced_at=found.synced_at,
            ),
        )


def told_of(state: State) -> SourceState:
    obj = state.objects.get(SOURCE)
    return obj.source if obj is not None and obj.source is not None else SourceState()
