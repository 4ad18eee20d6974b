"""What the commands print: results to standard output (tables, ``--json``, ``--csv``), the rest to standard error."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from reactivation.steps.spreadsheet import as_text

_UNFOLDED = 200


def say(text: str) -> None:
    """Progress and errors."""
    print(text, file=sys.stderr)


def print_json(value: object) -> None:
    """One document, indented."""
    json.dump(value, sys.stdout, indent=2, default=str, ensure_ascii=False)
    print()


def print_rows(arguments: argparse.Namespace, title: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Rows as the arguments ask for them: JSON, CSV, or a table."""
    if arguments.json:
        print_json(rows)
    elif arguments.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows([_in_file(row[c]) for c in columns] for row in rows)
    else:
        print_table(title, columns, ([_cell(row[c]) for c in columns] for row in rows))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table for people."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in columns), title=title)
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    # What goes into a file or a pager has no width of its own, and would be folded as for the narrowest terminal.
    folded = sys.stdout.isatty() or "COLUMNS" in os.environ
    Console(width=None if folded else _UNFOLDED).print(table)


def _in_file(value: object) -> str:
    """A number stays one, below zero too."""
    return _cell(value) if isinstance(value, (int, float, Decimal)) else as_text(_cell(value))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, Mapping):
        return json.dumps(value, default=str)
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
