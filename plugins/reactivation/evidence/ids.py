"""Stable ids for whole columns, made by DuckDB: twice to four times as many a second as by Python's own functions.

To make the engine takes longer than to make a few ids, so these are made without it.
"""

from __future__ import annotations

import hashlib
from uuid import NAMESPACE_URL

import pyarrow as pa

from reactivation.evidence.engine import open_engine

_FEW = 200
_NAMED = """
SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-5' || substr(h, 14, 3) || '-'
    || substr('89ab89ab89ab89ab', 1 + instr('0123456789abcdef', substr(h, 17, 1)) - 1, 1) || substr(h, 18, 3) || '-'
    || substr(h, 21, 12) AS id
FROM (SELECT sha1(unhex($namespace) || encode(name)) AS h FROM names)
"""


def name_ids(names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """``str(uuid5(NAMESPACE_URL, name))`` of each name, in their order; null where the name is."""
    return _column(names, _NAMED, namespace=NAMESPACE_URL.bytes.hex())


def digests(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Hex SHA-256 of each text, in their order; null where the text is."""
    if len(texts) <= _FEW:
        made = (None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in texts.to_pylist())
        return pa.array(made, pa.string())
    return _column(texts, "SELECT sha256(name) AS id FROM names")


def _column(names: pa.Array | pa.ChunkedArray, sql: str, **parameters: str) -> pa.Array:
    with open_engine() as engine:
        engine.register("names", pa.table({"name": names.cast(pa.string())}))
        return engine.sql(sql, params=parameters or None).to_arrow_table()["id"].combine_chunks()
