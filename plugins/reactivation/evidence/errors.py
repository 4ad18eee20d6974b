"""The one root of what can go wrong with evidence."""

from __future__ import annotations


class EvidenceError(Exception):
    """A snapshot or run folder is missing, incomplete or not what its manifest says; the message names the fix."""
