"""Which errors Airflow may try again, and which fail a task at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException
from sqlalchemy import create_engine

from reactivation.ledger.engine import LedgerError, open_ledger
from reactivation.orchestration.rooms import explained
from reactivation.sources import DatabaseSource, SourceAwayError, open_source

_NOWHERE = "postgresql+psycopg://ada@127.0.0.1:1/none"


def test_a_source_that_does_not_answer_is_asked_again() -> None:
    """It may be restarting; the error reaches Airflow as it is."""
    engine = create_engine(_NOWHERE, connect_args={"connect_timeout": 2})
    with pytest.raises(SourceAwayError, match="crm_db: the database cannot be reached"), explained():
        DatabaseSource(engine, "crm_db").speaks_as_of()


def test_a_ledger_that_does_not_answer_is_asked_again() -> None:
    """The same of the ledger."""
    with pytest.raises(LedgerError), explained(), open_ledger("postgresql://ada@127.0.0.1:1/none").begin():
        pass


def test_a_source_that_is_not_there_fails_at_once(tmp_path: Path) -> None:
    """No second try makes a folder."""
    with pytest.raises(AirflowFailException, match="there is no source at"), explained():
        open_source(tmp_path / "missing")
