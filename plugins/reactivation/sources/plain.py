# ruff: noqa: S608 - SQL is made of contract names only
"""Facts by the million: plain rows stay in their file, and only the others are read one by one.

A row is *plain* if reading leaves each of its texts as it is, it breaks no rule, and no other row has its key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reactivation.contract.tables import Column
from reactivation.sources.files import RawFile, reading
from reactivation.sources.rules import NOT_AN_ID, rules_of
from reactivation.sources.values import as_is_query, is_text

#: Printable ASCII without blanks, quotes, brackets and @: what ``read_text`` leaves alone and ``is_id`` takes, told by
#: one look at the text.
_PLAIN_ID = r"[!#-?A-Z\\^-z|~]{1,64}"
_AT_ONCE = 1_000_000


def has_plain_rows(raw: RawFile) -> bool:
    """Whether rows of a file can stay where they are: facts, in a file that knows which row is which."""
    return raw.table.raw_facts and raw.numbers_rows and raw.table.key in raw.types


def set_apart(engine: duckdb.DuckDBPyConnection, raw: RawFile) -> tuple[int, RawFile]:
    """Makes the view ``plain_<table>``: the contract's columns of the plain rows. Returns how many those are, and the
    file with all others. Raises ``SourceError`` for a broken file.

    Holds eight bytes a row: sorted numbers show what is there twice in a fraction of the time that grouping keys takes.
    """
    name, key = raw.table.name, raw.table.key
    rows = as_is_query(raw)
    with reading(raw.path):
        judged = engine.sql(
            f"SELECT hash(CASE WHEN plain THEN {key} ELSE read_text({key}) END) AS hash, "
            f"CASE WHEN NOT plain THEN row END AS odd "
            f"FROM (SELECT row, {key}, {_is_plain(raw)} AS plain FROM ({rows}))"
        ).to_arrow_reader(_AT_ONCE)
        hashes, odd = _collected(judged)
        engine.register("doubled_hashes", pa.table({"hash": _doubled(hashes)}))
        engine.register("odd_rows", pa.table({"row": odd}))
        engine.execute(
            f"""CREATE TABLE apart_{name} AS
                FROM odd_rows
                UNION SELECT row FROM ({rows}) WHERE hash({key}) IN (FROM doubled_hashes)"""
        )
        # They are looked at several times; the file is not, for their sake.
        others = f"CREATE TABLE others_{name} AS FROM {raw.relation} WHERE {raw.number} IN (FROM apart_{name})"
        engine.execute(others)
    engine.unregister("doubled_hashes")
    engine.unregister("odd_rows")
    engine.execute(f"CREATE VIEW plain_{name} AS FROM ({rows}) ANTI JOIN apart_{name} USING (row)")
    ((apart,),) = engine.sql(f"SELECT count(*) FROM apart_{name}").fetchall()
    return len(hashes) - int(apart), replace(raw, relation=f"others_{name}")


def _is_plain(raw: RawFile) -> str:
    """SQL over ``as_is_query``, true or false; no row is taken for plain that is not."""
    texts = [column for column in raw.table.columns if is_text(raw, column)]
    broken = [
        rule.broken for rule in rules_of(raw)
        if not (rule.reason == NOT_AN_ID and is_text(raw, raw.table.column(rule.column)))
    ]  # fmt: skip
    tests = [_is_plain_text(column) for column in texts if not column.values]
    return f"coalesce({' AND '.join([*tests, *(f'NOT ({rule})' for rule in broken)])}, false)"


def _is_plain_text(column: Column) -> str:
    """A code needs no test: only the contract's own spelling is one of its values."""
    name = column.name
    if name.endswith("_id"):
        # What a URL leaves as it is are letters, digits and -._~: most ids, told in half the time of a pattern.
        short, plain = f"strlen({name}) BETWEEN 1 AND 64", f"regexp_full_match({name}, '{_PLAIN_ID}')"
        return f"CASE WHEN {name} IS NULL THEN true WHEN url_encode({name}) = {name} THEN {short} ELSE {plain} END"
    return f"read_text({name}) IS NOT DISTINCT FROM {name}"


def _collected(judged: Iterable[pa.RecordBatch]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    hashes, odd = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for batch in judged:
        hashes.append(batch["hash"].to_numpy())
        odd.append(batch["odd"].drop_null().to_numpy())
    return np.concatenate(hashes), np.concatenate(odd)


def _doubled(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Every value that is there more than once. Sorts in place."""
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
