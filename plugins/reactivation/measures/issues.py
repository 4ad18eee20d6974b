"""Of whom an issue is open, whatever was decided because of it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def open_now(decisions: pa.Table) -> pa.ChunkedArray:
    """Beside a run's decisions (``DECISIONS``), whether a case of the person or the account was open."""
    cases = pc.struct_field(decisions["evidence"], "open_case_ids")
    return pc.greater(pc.fill_null(pc.list_value_length(cases), 0), 0)
