"""What every task begins with: the workspace of its connections, and errors said so that Airflow knows what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def open_rooms() -> Workspace:
    """The workspace as connections and environment say."""
    from reactivation.orchestration.connections import settings_from_environment
    from reactivation.steps.workspace import open_workspace

    return open_workspace(settings_from_environment())


@contextmanager
def explained() -> Iterator[None]:
    """What a second try cannot mend fails at once, with our message alone; anything else is tried again. That data is
    not ready is told by ``JudgingOperator``.

    An unreachable ledger, source or provider may come back, so ``LedgerError``, ``SourceAwayError`` and ``NotTold`` are
    left to Airflow's retries.
    """
    from reactivation.delivery import NotTold
    from reactivation.ledger.engine import LedgerError
    from reactivation.sources import SourceAwayError
    from reactivation.steps.errors import EXPECTED_ERRORS

    try:
        yield
    except (LedgerError, SourceAwayError, NotTold):
        raise
    except EXPECTED_ERRORS as error:
        raise AirflowFailException(str(error)) from error
