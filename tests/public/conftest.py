"""A ledger with two customers who were written to, and its public application."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.public.visits import Ask, House, asking


@pytest.fixture
def on_both(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    """The house on SQLite and on PostgreSQL."""
    made = House(tmp_path, ledger_url)
    made.fill()
    yield made
    made.workspace.ledger.close()


@pytest.fixture
def house(sqlite_template: Path, tmp_path: Path) -> Iterator[House]:
    """The house on SQLite, where the database makes no difference."""
    file = tmp_path / "ledger.db"
    shutil.copyfile(sqlite_template, file)
    made = House(tmp_path, f"sqlite:///{file}")
    made.fill()
    yield made
    made.workspace.ledger.close()


@pytest.fixture
def ask(house: House) -> Ask:
    """Asks the application of the house."""
    return asking(house.app())
