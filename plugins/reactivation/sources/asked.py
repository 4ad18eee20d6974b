"""What the sources answered when they were asked for a whole read, or about a few customers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from reactivation.contract.tables import TABLES
from reactivation.sources.base import Condensed, Few
from reactivation.sources.chosen import Chosen, choose, near
from reactivation.sources.files import RawFile, open_told
from reactivation.sources.several import Reading


@dataclass(frozen=True)
class Answers:
    """Table to its rows, where it is there; and what a source condensed itself, by table."""

    raws: dict[str, RawFile] = field(default_factory=dict)
    condensed: dict[str, Condensed] = field(default_factory=dict)


def ask_for_all(engine: duckdb.DuckDBPyConnection, reading: Reading, work: Path, as_of: datetime) -> Answers:
    """Every table whole; facts as far as they could not be condensed where they are. Raises ``SourceError``."""
    answers = Answers()
    for name, table in TABLES.items():
        reader = reading.of(name)
        if reader is None:
            continue
        told, condensed = reader.condense(name, as_of) if table.raw_facts else (reader.fetch(name), None)
        answers.raws[name] = open_told(engine, table, told, work)
        if condensed is not None:
            answers.condensed[name] = condensed
    return answers


def ask_about(
    engine: duckdb.DuckDBPyConnection, reading: Reading, work: Path, customer_ids: Collection[str]
) -> tuple[Chosen, Answers]:
    """These customers and whoever shares an address or an account with them, and at least every row that may be about
    them."""
    answers = Answers()
    contacts = reading.of("contacts")
    if contacts is not None:
        few = Few(frozenset(customer_ids))
        raw = open_told(engine, TABLES["contacts"], contacts.fetch("contacts", few), work)
        if contacts.by_id:
            wanted = near(engine, raw, customer_ids)
            raw = open_told(engine, TABLES["contacts"], contacts.fetch("contacts", wanted), work)
        answers.raws["contacts"] = raw
    chosen = choose(engine, answers.raws.get("contacts"), customer_ids)
    for name, table in TABLES.items():
        reader = reading.of(name)
        if reader is not None and name != "contacts":
            answers.raws[name] = open_told(engine, table, reader.fetch(name, chosen.few), work)
    return chosen, answers
