"""Fixtures of the contract tests; what they are made of is in the `*_place` modules."""

from tests.contract.workspace_place import repo, workspace

__all__ = ["repo", "workspace"]
