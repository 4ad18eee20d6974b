# ruff: noqa: S608 - SQL is made of contract names only
"""A full read of a source at one as-of into a snapshot folder, or the same read of a few customers by id.

Facts that permit count up to the as-of; facts that forbid count whenever they are in the source. Raw purchases and
engagements are condensed where they are and never held.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from upath import UPath

from reactivation import paths
from reactivation.contract.addresses import AddressKeys
from reactivation.contract.digests import canonical_json, digest
from reactivation.contract.emails import AddressRules
from reactivation.contract.snapshot import PROFILE, SNAPSHOT
from reactivation.contract.tables import TABLES
from reactivation.evidence import SnapshotFolder, as_path, building, open_engine
from reactivation.evidence.building import MANIFEST
from reactivation.evidence.engine import quoted
from reactivation.evidence.folders import SCHEMA, file_digests
from reactivation.evidence.parquet import write_parquet
from reactivation.sources import rows
from reactivation.sources.addresses import (
    add_contact_addresses,
    add_suppressed_addresses,
    countries_of_contacts,
    read_address_rules,
    read_contact_addresses,
    texts_of_contacts,
)  # fmt: skip
from reactivation.sources.asked import ask_about, ask_for_all
from reactivation.sources.base import Condensed, Reader, Source
from reactivation.sources.chosen import Chosen
from reactivation.sources.files import RawFile
from reactivation.sources.files import reading as reading_file
from reactivation.sources.plain import has_plain_rows, set_apart
from reactivation.sources.several import Part, Sources, sources_of
from reactivation.sources.summaries import SUMMARISED, add_facts, add_told, condensed, count_elsewhere
from reactivation.sources.values import install_macros, typed_query

_MEMORY = "2GB"
#: The joins of ``include/sql`` are written smaller side last. What is in a file, how many a filter leaves of it and how
#: many customers it is about, DuckDB can only guess; a wrong guess holds ten million facts to look up one million
#: customers.
_AS_WRITTEN = "SET disabled_optimizers = 'join_order,build_side_probe_side'"


def extract(
    source: Source | Sources,
    *,
    into: UPath | Path | str,
    snapshot_id: str,
    as_of: datetime,
    keys: AddressKeys,
    customer_ids: Sequence[str] | None = None,
) -> SnapshotFolder:
    """Reads the source into a new snapshot folder at ``into``, whole or not at all.

    With ``customer_ids`` only what touches these customers: their rows, those of whoever shares an address with them,
    and every no whose subject cannot be read. Raises ``SourceError`` if a file is broken, ``EvidenceError`` if the
    folder is already there.
    """
    rules = read_address_rules()
    with building(as_path(into)) as place:
        work = place / "work"
        work.mkdir()
        with open_engine(spill=work, memory=_MEMORY) as engine:
            install_macros(engine)
            rows.prepare(engine)
            with sources_of(source).reading(work) as reading:
                chosen = None
                if customer_ids is None:
                    answers = ask_for_all(engine, reading, work, as_of)
                else:
                    chosen, answers = ask_about(engine, reading, work, customer_ids)
                reports = _load(engine, answers.raws, keys, rules, chosen)
                count_elsewhere(engine, answers.condensed, reports)
                # Plain facts are still in their file, which must not change before they are condensed.
                _write(engine, place, as_of, reports, answers.condensed)
            said = [_said(part, reader, reports) for part, reader in reading.readers]
        shutil.rmtree(work)
        manifest = {
            "schema": SCHEMA,
            "kind": SnapshotFolder.kind,
            "id": snapshot_id,
            "as_of": as_of,
            "sources": said,
            "files": file_digests(place),
            "inputs": {"addresses": rules.version, "address_keys": digest(keys.check_values())},
        }
        (place / MANIFEST).write_bytes(canonical_json(manifest))
    return SnapshotFolder(into)


def _load(
    engine: duckdb.DuckDBPyConnection,
    raws: Mapping[str, RawFile],
    keys: AddressKeys,
    rules: AddressRules,
    chosen: Chosen | None,
) -> dict[str, rows.Report]:
    """Every table read, contacts first: their addresses tell whom a suppression may mean. Leaves ``typed_*`` and
    ``purchases`` and ``engagements``."""
    reports: dict[str, rows.Report] = {}
    plain: set[str] = set()

    def load(name: str) -> None:
        raw, table = raws.get(name), TABLES[name]
        if raw is not None and chosen is None and has_plain_rows(raw):
            stayed, others = set_apart(engine, raw)
            reports[name] = rows.load(engine, table, others)
            reports[name].rows += stayed
            plain.add(name)
        else:
            reports[name] = rows.load(engine, table, raw, chosen.wanted(raw) if chosen and raw else None)

    load("contacts")
    emails, phones = texts_of_contacts(engine)
    with ThreadPoolExecutor(1) as beside:
        # Addresses are read on one processor; the tables that ask for none are read meanwhile.
        addresses = beside.submit(read_contact_addresses, emails, phones, keys, rules)
        for name in TABLES:
            if name not in ("contacts", "suppressions"):
                load(name)
    add_contact_addresses(engine, addresses.result())
    countries = chosen.countries if chosen else countries_of_contacts(engine)
    add_suppressed_addresses(engine, _suppressed_texts(engine, raws.get("suppressions")), countries, keys, rules)
    load("suppressions")
    add_facts(engine, plain)
    return reports


def _suppressed_texts(engine: duckdb.DuckDBPyConnection, raw: RawFile | None) -> pa.Array:
    if raw is None or "address" not in raw.types:
        return pa.array([], pa.string())
    query = f"SELECT DISTINCT address FROM ({typed_query(raw, only={'address'})}) WHERE address IS NOT NULL"
    with reading_file(raw.path):
        return engine.sql(query).to_arrow_table()["address"].combine_chunks()


def _write(
    engine: duckdb.DuckDBPyConnection, place: Path, as_of: datetime, reports: dict[str, rows.Report],
    elsewhere: Mapping[str, Condensed],
) -> None:  # fmt: skip
    add_told(engine, elsewhere)
    engine.execute(_AS_WRITTEN)
    tables = [name for name in SNAPSHOT if name in TABLES]
    with ThreadPoolExecutor(2) as two:
        # A file is written on one processor; the other one looks for the rows of the next. The summaries are the first
        # and the last, because each of them needs much memory.
        first, last = SUMMARISED
        names = [first, *tables, "people", "quarantine", last]
        cursors = [engine.cursor() for _ in names]
        list(two.map(lambda name, cursor: _write_one(cursor, place, name, as_of), names, cursors))
    _write_one(engine.cursor(), place, "broken_nos", as_of)
    for name, count in engine.sql(paths.sql("unreadable_nos")).fetchall():
        reports[name].broken_unreadable_nos = count
    for name, count in engine.sql('SELECT "table", count(*) FROM broken GROUP BY "table"').fetchall():
        reports[name].broken_nos = count
    write_parquet(place / "profile.parquet", _profile(engine, reports), PROFILE)


def _write_one(cursor: duckdb.DuckDBPyConnection, place: Path, name: str, as_of: datetime) -> None:
    file = place / f"{name}.parquet"
    with cursor:
        if name in SUMMARISED:
            write_parquet(file, condensed(cursor, name, as_of), SNAPSHOT[name])
            cursor.execute(f"CREATE VIEW {name} AS FROM read_parquet({quoted(str(file))})")
        else:
            sql = paths.sql(f"snapshot_{name}" if name in TABLES else name)
            rows = cursor.sql(sql, params={"as_of": as_of} if "$as_of" in sql else {}).to_arrow_reader()
            write_parquet(file, rows, SNAPSHOT[name])


def _profile(engine: duckdb.DuckDBPyConnection, reports: Mapping[str, rows.Report]) -> pa.Table:
    found = {(name, rule): counts for name, report in reports.items() for rule, counts in report.rules.items()}
    for name, asked, bad in engine.sql(paths.sql("joins_contacts")).fetchall():
        found[name, "joins_contacts"] = (asked, bad)
    for name, rule, bad in engine.sql(paths.sql("broken_rules")).fetchall():
        found[name, rule] = (reports[name].rows, bad)
    listed = [{"table": name, "rule": rule, "rows": asked, "bad_rows": bad}
              for (name, rule), (asked, bad) in sorted(found.items())]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=PROFILE)


def _said(part: Part, reader: Reader, reports: Mapping[str, rows.Report]) -> dict[str, object]:
    """What the manifest says of a source: when it speaks, and the counts of each table that comes from it."""
    tables = {name: asdict(reports[name]) for name in TABLES if name in part.tables}
    return {"name": part.name, "speaks_as_of": reader.speaks_as_of, "tables": tables}
