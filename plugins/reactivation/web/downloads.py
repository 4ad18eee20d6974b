"""A readiness report as files to keep: everything it says as JSON, every row it concerns as CSV.

Nothing is left out of either. Ids come from sources, so no cell may be taken for a formula by a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reactivation.ledger import waivers
from reactivation.ledger.waivers import Waiver
from reactivation.steps.readiness import DATA_DOCS, REPORT, ROWS
from reactivation.steps.spreadsheet import as_text
from reactivation.steps.workspace import Workspace
from reactivation.web import happened
from reactivation.web.concerned import QUARANTINE
from reactivation.web.happened import Happened
from reactivation.web.subjects import Kind, NoSuchReport, find

_COLUMNS = ("list", "condition", "severity", "subject", "key", "row", "column", "reason")
_ROWS_AT_ONCE = 10_000


def as_json(workspace: Workspace, kind: Kind, subject_id: str) -> dict[str, Any]:
    """The report as it is in evidence, with who was told and what was waived. Raises ``NoSuchReport``."""
    with workspace.ledger.begin() as conn:
        about = find(workspace, conn, kind, subject_id)
        if not about.judged:
            raise NoSuchReport
        signed = waivers.waivers_of(conn, subject_id) if about.run else []
        told = happened.told(conn, subject_id)
    return {
        **about.folder.read_json(REPORT),
        "told": [_told(one) for one in told],
        "waivers": [_waiver(one) for one in signed],
    }


def as_csv(workspace: Workspace, kind: Kind, subject_id: str) -> Iterator[str]:
    """Every row concerned and every row set aside, part by part. Raises ``NoSuchReport``, also where they were not
    kept; the files are read and checked before the first part, so that none ends in the middle."""
    with workspace.ledger.begin() as conn:
        about = find(workspace, conn, kind, subject_id)
    if not about.names_rows:
        raise NoSuchReport
    concerned = about.folder.read_bytes(f"{ROWS}.parquet")
    quarantine = about.snapshot_folder.read_bytes(f"{QUARANTINE}.parquet")
    return _parts(concerned, quarantine)


def data_docs(workspace: Workspace, kind: Kind, subject_id: str) -> bytes:
    """Great Expectations' own pages, packed. Raises ``NoSuchReport``."""
    with workspace.ledger.begin() as conn:
        about = find(workspace, conn, kind, subject_id)
    if not about.folder.has(DATA_DOCS):
        raise NoSuchReport
    return about.folder.read_bytes(DATA_DOCS)


def _parts(concerned: bytes, quarantine: bytes) -> Iterator[str]:
    yield _lines([_COLUMNS])
    for rows in _batches(concerned):
        yield _lines([("concerned", r["condition"], r["severity"], r["subject"], r["key"], "", "", "") for r in rows])
    for rows in _batches(quarantine):
        yield _lines([("set aside", "", "", r["table"], r["key"], r["row"], r["column"], r["reason"]) for r in rows])


def _batches(file: bytes) -> Iterator[list[dict[str, Any]]]:
    for batch in pq.ParquetFile(pa.BufferReader(file)).iter_batches(batch_size=_ROWS_AT_ONCE):
        yield batch.to_pylist()


def _lines(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue()


def _cell(value: object) -> str:
    return "" if value is None else as_text(str(value))


def _told(one: Happened) -> dict[str, Any]:
    return {"at": one.at.isoformat(), "action": one.action, "people": list(one.people), "about": one.about}


def _waiver(one: Waiver) -> dict[str, Any]:
    return {
        "condition": one.condition, "reason": one.reason, "signed_by": one.signed_by,
        "signed_at": one.signed_at.isoformat(), "expires_at": one.expires_at.isoformat(), "answer_id": one.answer_id,
    }  # fmt: skip
