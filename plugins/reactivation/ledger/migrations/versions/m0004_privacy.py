"""Legal holds, and who was erased: by id and address key alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Digest, Id, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("erased_addresses", "erased_customers")
FROZEN = {"holds": ("hold_id", "customer_id", "began_by", "began_at")}


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("hold_id", Id, nullable=False),
        sa.Column("customer_id", Code, nullable=True, comment="whom it is about; null for everybody"),
        sa.Column("began_by", Code, nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("ended_by", Code, nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_holds")),
    )
    for table, subject, type_ in (
        ("erased_customers", "customer_id", Code),
        ("erased_addresses", "address_key", Digest),
    ):
        op.create_table(
            table,
            sa.Column(subject, type_, nullable=False),
            sa.Column("reason", Code, nullable=False),
            sa.Column("erased_by", Code, nullable=False),
            sa.Column("erased_at", UtcDateTime(), nullable=False),
            sa.PrimaryKeyConstraint(subject, name=op.f(f"pk_{table}")),
        )
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in triggers.append_only(dialect, table):
            op.execute(statement)
    for table, columns in FROZEN.items():
        op.execute(triggers.frozen(dialect, table, columns))
        op.execute(triggers.ended(dialect, table))
        for statement in triggers.no_delete(dialect, table):
            op.execute(statement)


def downgrade() -> None:
    for table in ("erased_addresses", "erased_customers", "holds"):
        op.drop_table(table)
