"""The sample CRM: a believable local company with planted stories, the same bytes for the same arguments.

A door of the package like the command line: it writes the tables of the contract as files, and reads nothing.
"""

from __future__ import annotations

from reactivation.sample.errors import SampleError
from reactivation.sample.generate import generate
from reactivation.sample.story import SampleSummary

__all__ = ["SampleError", "SampleSummary", "generate"]
