"""Manifests: bytes to validated documents with positions, references between them, and the built-in catalogue."""

from orchctl.adapters.manifests.loader import parse
from orchctl.adapters.manifests.problems import Document, Loaded, Problem
from orchctl.adapters.manifests.relating import Relations, restored
from orchctl.adapters.manifests.validate import check_references

__all__ = ["parse", "check_references", "restored", "Document", "Loaded", "Problem", "Relations"]
