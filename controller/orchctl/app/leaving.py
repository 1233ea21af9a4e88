"""What may leave because git no longer names it: never because a file could not be read, never too much at once.

Called by admission with what it found gone (GIT-5). Three things keep an object that vanished: a person has to confirm
so large a removal; or a file that broke in the same look may hold it now, as when one is renamed and damaged in one
commit. Both are looked at again with each commit, until the file is repaired or the removal is confirmed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orchctl.app import pruning
from orchctl.core import events
from orchctl.core.folds.pruning import digest_of
from orchctl.core.ids import SOURCE, Key, Oid
from orchctl.core.state import Object, State

BUILTIN = "builtin:"


class Leaving:
    def __init__(self) -> None:
        self.blocked: dict[Key, None] = {}
        self._held: dict[Key, dict[str, None]] = {}  # by the unreadable files each may stand in

    def again(self) -> dict[Key, None]:
        """Those that vanished earlier and are still there."""
        return {**self.blocked, **dict.fromkeys(self._held)}

    def facts(
        self, state: State, gone: Sequence[Key], look: pruning.Look, unreadable: Collection[str], broke: Sequence[str]
    ) -> list[events.Event]:
        """`unreadable` are the files that hide what they hold, `broke` those of them that are so since this look."""
        present = {key: obj for key, obj in state.objects.items() if from_git(obj) and not obj.withdrawn}
        held: dict[Key, dict[str, None]] = {}
        for key in gone:
            if key in present and present[key].desired is not None:
                files = {path: None for path in self._held.get(key, ()) if path in unreadable}
                if key in self._held or key not in self.blocked:
                    files.update(dict.fromkeys(broke))
                if files:
                    held[key] = files
        self._held = held
        facts = [fact for key, files in held.items() for fact in _kept(present[key], files)]
        return facts + self._withdrawn(
            state, present, [key for key in gone if key in present and key not in held], look
        )

    def _withdrawn(
        self, state: State, present: dict[Key, Object], going: list[Key], look: pruning.Look
    ) -> list[events.Event]:
        """What a person confirms is what was found gone at a commit, for as long as just that is still gone."""
        valid = [key for key in going if present[key].desired is not None]
        total = sum(1 for obj in present.values() if obj.desired is not None)
        hold = pruning.hold(valid, total, [present[key] for key in valid], look)
        blocked = state.blocked
        known = (blocked.digest, blocked.reason) if blocked is not None else None
        is_known = hold is not None and known == (digest_of(valid), hold.reason)
        if hold is None or (is_known and blocked is not None and blocked.confirmed):
            self.blocked = {}
            lifted = [events.PruneLifted(SOURCE)] if blocked is not None else []
            return [*lifted, *(events.ObjectWithdrawn(key) for key in going)]
        self.blocked = dict.fromkeys(going)
        if is_known:
            return []
        said, found = hold.said(look.commit), Oid(look.commit)
        return [events.PruneBlocked(SOURCE, keys=tuple(valid), message=said, revision=found, reason=hold.reason)]


def from_git(obj: Object) -> bool:
    if obj.desired is not None:
        return not obj.desired.path.startswith(BUILTIN)
    return bool(obj.problems)


def _kept(obj: Object, files: dict[str, None]) -> list[events.Event]:
    """Says why it stays, once, and after a restart by the same file."""
    path = obj.problems_path if obj.problems_path in files else sorted(files)[0]
    said = f"{path}:1:1: error: cannot be read to its end, and {obj.key} may stand in it now"
    said += ": it stays in force, though nothing else names it, until this file is repaired or removed [unreadable]"
    return [] if obj.problems == (said,) else [events.ObjectRejected(obj.key, path=path, problems=(said,))]
