"""orchctl, a declarative controller for coding agents.

This file holds the version and imports nothing, so that every start stays fast.
"""

__version__ = "0.1.0"
