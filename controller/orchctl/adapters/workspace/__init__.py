"""Hubs, worktrees, gate rooms, merges and landings, by git; the real implementation of core.ports.Workspace.

Called by the effect runner in app, from its worker threads. Must never run git or any code of an agent-writable tree.
"""

from orchctl.adapters.workspace.adapter import GitWorkspace

__all__ = ["GitWorkspace"]
