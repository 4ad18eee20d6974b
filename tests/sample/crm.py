"""Reading a generated sample the way a careful stranger would: text first, types where they fit."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

AS_OF = datetime(2026, 11, 24, 11, tzinfo=UTC)


def rows(folder: Path, table: str) -> pd.DataFrame:
    """A table as text; empty cells are empty text."""
    return pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")


def instants(column: pd.Series) -> pd.Series:
    """The instants of a column; what is spoilt or empty is NaT."""
    return pd.to_datetime(column.where(column.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")), utc=True)


def people(folder: Path) -> pd.DataFrame:
    """The readable contacts by customer id."""
    contacts = rows(folder, "contacts")
    return contacts[contacts["customer_id"] != ""].drop_duplicates("customer_id").set_index("customer_id")


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
