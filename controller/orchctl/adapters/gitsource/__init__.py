"""The control repository as a source of desired state: which manifests changed between two commits of one ref.

Called by the informer in app. Reads only; must never write to the ref it observes, nor to any file but the uid.
"""

from orchctl.adapters.gitsource.source import GitSource, Observation
from orchctl.adapters.gitsource.treediff import Change
from orchctl.adapters.gitsource.watcher import RefWatcher

__all__ = ["Change", "GitSource", "Observation", "RefWatcher"]
