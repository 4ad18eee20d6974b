"""What people were when a run decided about them: the ledger knows it of those enrolled, the evidence of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.evidence import EvidenceError
from reactivation.measures import OF_PEOPLE

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def with_part(workspace: Workspace, decided: pa.Table, by: str) -> pa.Table:
    """People (``FIRST_DECIDED`` or ``ASSIGNED``) with the column ``part``: what ``decisions.parquet`` of that run says
    of each, if it is there.

    Of a run whose evidence is gone or broken nothing is known; its people are still counted. What is no property of
    people has no parts.
    """
    if by not in OF_PEOPLE:
        return decided.append_column("part", pa.nulls(decided.num_rows, pa.string()))
    column = OF_PEOPLE[by][1]
    found = [decided.slice(0, 0).append_column("part", pa.array([], pa.string()))]
    for run_id in sorted(decided["run_id"].unique().to_pylist()):
        people = decided.filter(pc.equal(decided["run_id"], run_id))
        try:
            told = workspace.run_folder(run_id).read("decisions", ("customer_id", column))
        except EvidenceError:
            parts: pa.ChunkedArray | pa.Array = pa.nulls(people.num_rows, pa.string())
        else:
            place = pc.index_in(people["customer_id"], told["customer_id"].combine_chunks())
            parts = told[column].take(place).cast(pa.string())
        found.append(people.append_column("part", parts))
    return pa.concat_tables(found).sort_by("customer_id")
