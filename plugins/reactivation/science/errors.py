"""The one root of what can go wrong with the figures given to this room."""

from __future__ import annotations


class ScienceError(ValueError):
    """Figures that cannot be (a negative count, more conversions than people); the message names which and where."""
