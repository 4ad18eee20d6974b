"""Remove all local state of a laptop installation, unless its ledger is evidence of something real."""

from __future__ import annotations

import shutil

from reactivation.ledger import sends
from reactivation.ledger.engine import LedgerError, open_ledger
from reactivation.steps.settings import ConfigurationError, Settings


def clean(settings: Settings) -> None:
    """Remove ``settings.home``. Raises ``ConfigurationError`` if its ledger ever sent through anything but the outbox,
    or if that cannot be found out."""
    if settings.embedded_ledger.exists() or not settings.ledger_is_embedded:
        ledger = open_ledger(settings.ledger_url)
        try:
            with ledger.begin() as conn:
                used = sends.providers_used(conn)
        except LedgerError as error:
            raise ConfigurationError(
                f"{settings.home} is kept: whether its ledger ever sent is unknown ({error})"
            ) from error
        finally:
            ledger.close()
        real = sorted(used - {"outbox"})
        if real:
            raise ConfigurationError(
                f"{settings.home} is kept: its ledger sent through {', '.join(real)} and is the evidence of it. "
                "Archive the folder, then remove it by hand"
            )
    shutil.rmtree(settings.home)
