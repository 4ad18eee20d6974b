"""What can go wrong with a sample in a way that a person can mend."""

from __future__ import annotations


class SampleError(Exception):
    """The sample cannot be written as asked; the message names the argument or the file with the place, and the fix."""
