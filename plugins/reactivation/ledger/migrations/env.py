"""What Alembic runs: every migration in one transaction, one migrating process at a time."""

from __future__ import annotations

from alembic import context

from reactivation.ledger.engine import VERSION_TABLE, Ledger
from reactivation.ledger.locks import MIGRATION, exclusive
from reactivation.ledger.tables import metadata


def run() -> None:
    """Migrate the ledger that ``migrations`` put into the configuration."""
    ledger: Ledger = context.config.attributes["ledger"]
    with ledger.unchecked() as connection:
        exclusive(connection, MIGRATION)
        context.configure(
            connection=connection, target_metadata=metadata, version_table=VERSION_TABLE, transactional_ddl=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
