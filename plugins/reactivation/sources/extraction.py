# ruff: noqa: S608 - SQL is made of contract names only
"""A full read of a source at one as-of into a snapshot folder, or the same read of a few customers by id.

Facts that permit count up to the as-of; facts that forbid count whenever they are in the source. Raw purchases and
engagements are condensed where they are and never held.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
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
)  # fmt: skip
from reactivation.sources.chosen import Chosen, choose
from reactivation.sources.files import RawFile, open_file, reading
from reactivation.sources.folder import Source
from reactivation.sources.summaries import SUMMARISED, add_facts, condensed
from reactivation.sources.values import install_macros, typed_query

_MEMORY = "4GB"


def extract(
    source: Source,
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
            with source.staged(work) as files:
                raws = {name: open_file(engine, TABLES[name], path, work) for name, path in files.items()}
                chosen = None if customer_ids is None else choose(engine, raws.get("contacts"), customer_ids)
                reports = _load(engine, raws, keys, rules, chosen)
            _write(engine, place, as_of, reports)
        shutil.rmtree(work)
        manifest = {
            "schema": SCHEMA,
            "kind": SnapshotFolder.kind,
            "id": snapshot_id,
            "as_of": as_of,
            "sources": [_said(source, reports)],
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
    """Every table typed, contacts first: their addresses tell whom a suppression may mean."""
    reports = {}

    def load(name: str) -> None:
        raw = raws.get(name)
        wanted = chosen.wanted(raw) if chosen and raw else None
        reports[name] = rows.load(engine, TABLES[name], raw, wanted)

    load("contacts")
    add_contact_addresses(engine, keys, rules)
    countries = chosen.countries if chosen else countries_of_contacts(engine)
    add_suppressed_addresses(engine, _suppressed_texts(engine, raws.get("suppressions")), countries, keys, rules)
    for name in TABLES:
        if name not in reports:
            load(name)
    return reports


def _suppressed_texts(engine: duckdb.DuckDBPyConnection, raw: RawFile | None) -> pa.Array:
    if raw is None or "address" not in raw.types:
        return pa.array([], pa.string())
    query = f"SELECT DISTINCT address FROM ({typed_query(raw, only={'address'})}) WHERE address IS NOT NULL"
    with reading(raw.path):
        return engine.sql(query).to_arrow_table()["address"].combine_chunks()


def _write(engine: duckdb.DuckDBPyConnection, place: Path, as_of: datetime, reports: dict[str, rows.Report]) -> None:
    add_facts(engine)
    for summary in SUMMARISED:
        file = place / f"{summary}.parquet"
        write_parquet(file, condensed(engine, summary, as_of), SNAPSHOT[summary])
        engine.execute(f"CREATE VIEW {summary} AS FROM read_parquet({quoted(str(file))})")
    for name in SNAPSHOT:
        if name in TABLES:
            _write_query(engine, place, name, paths.sql(f"snapshot_{name}"), as_of)
    for name in ("broken_nos", "people", "quarantine"):
        _write_query(engine, place, name, paths.sql(name), as_of)
    for name, count in engine.sql(paths.sql("unreadable_nos")).fetchall():
        reports[name].broken_unreadable_nos = count
    for name, count in engine.sql('SELECT "table", count(*) FROM broken GROUP BY "table"').fetchall():
        reports[name].broken_nos = count
    write_parquet(place / "profile.parquet", _profile(engine, reports), PROFILE)


def _write_query(engine: duckdb.DuckDBPyConnection, place: Path, name: str, sql: str, as_of: datetime) -> None:
    parameters = {"as_of": as_of} if "$as_of" in sql else {}
    reader = engine.sql(sql, params=parameters).to_arrow_reader()
    write_parquet(place / f"{name}.parquet", reader, SNAPSHOT[name])


def _profile(engine: duckdb.DuckDBPyConnection, reports: Mapping[str, rows.Report]) -> pa.Table:
    found = {(name, rule): counts for name, report in reports.items() for rule, counts in report.rules.items()}
    for name, asked, bad in engine.sql(paths.sql("joins_contacts")).fetchall():
        found[name, "joins_contacts"] = (asked, bad)
    for name, rule, bad in engine.sql(paths.sql("broken_rules")).fetchall():
        found[name, rule] = (reports[name].rows, bad)
    listed = [{"table": name, "rule": rule, "rows": asked, "bad_rows": bad}
              for (name, rule), (asked, bad) in sorted(found.items())]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=PROFILE)


def _said(source: Source, reports: Mapping[str, rows.Report]) -> dict[str, object]:
    """What the manifest says of a source: when it speaks, and each table's counts."""
    tables = {name: {key: value for key, value in asdict(reports[name]).items() if key != "rules"} for name in TABLES}
    return {"name": source.name, "speaks_as_of": source.speaks_as_of(), "tables": tables}
