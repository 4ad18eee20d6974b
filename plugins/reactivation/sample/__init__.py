"""The sample CRM: a believable local company with planted stories, or a real purchase history dressed as one.

A door of the package like the command line: it writes the tables of the contract as files, the same bytes for the same
arguments. ``generate`` makes customers up, ``dress`` takes the purchases of a file and makes up the rest.
"""

from __future__ import annotations

from reactivation.sample.dress import dress
from reactivation.sample.errors import SampleError
from reactivation.sample.generate import generate
from reactivation.sample.story import SampleSummary

__all__ = ["SampleError", "SampleSummary", "dress", "generate"]
