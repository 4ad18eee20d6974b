"""The ledger's tables through time: up, down, and where a ledger stands. Inside the package, so a wheel is enough."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from reactivation.ledger.engine import Ledger, open_ledger, revision

__all__ = ["current", "downgrade", "upgrade"]


def upgrade(url: str, to: str = "head") -> None:
    """Bring the ledger at ``url`` up to a revision; makes a SQLite file and its folder. Raises ``LedgerError``."""
    ledger = open_ledger(url)
    if ledger.dialect == "sqlite":
        Path(str(ledger.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    try:
        command.upgrade(_config(ledger), to)
    finally:
        ledger.close()


def downgrade(url: str, to: str = "base") -> None:
    """Take the ledger back to a revision; what its tables held is gone. Raises ``LedgerError``."""
    ledger = open_ledger(url)
    try:
        command.downgrade(_config(ledger), to)
    finally:
        ledger.close()


def current(url: str) -> str | None:
    """The revision the ledger is at; ``None`` for an empty database."""
    ledger = open_ledger(url)
    if ledger.dialect == "sqlite" and not Path(str(ledger.engine.url.database)).is_file():
        return None
    try:
        with ledger.unchecked() as connection:
            return revision(connection)
    finally:
        ledger.close()


def _config(ledger: Ledger) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["ledger"] = ledger
    return config
