"""Pilots: which sample of a playbook is tried first, what was known before it, and until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Digest, Id, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FROZEN = {
    "pilots": (
        "pilot_id", "playbook", "playbook_digest", "segment", "subjects", "owner_id", "threshold", "baseline",
        "began_by", "began_at", "ends_at",
    ),
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "pilots",
        sa.Column("pilot_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("playbook_digest", Digest, nullable=False, comment="whose terms they are"),
        sa.Column("segment", Code, nullable=True, comment="the one business segment it is of; null for the subjects"),
        sa.Column(
            "subjects", sa.JSON(), nullable=False,
            comment="ids of the customers or accounts it is of; empty for a segment",
        ),
        sa.Column("owner_id", Code, nullable=False),
        sa.Column("threshold", sa.JSON(), nullable=False, comment="the share to be proven"),
        sa.Column(
            "baseline", sa.JSON(), nullable=False,
            comment="the metric before the first enrolment: measure, count, of, run",
        ),
        sa.Column("began_by", Code, nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("ended_by", Code, nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("pilot_id", name=op.f("pk_pilots")),
    )  # fmt: skip
    standing = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_pilots_one_standing", "pilots", ["playbook"], unique=True, sqlite_where=standing, postgresql_where=standing
    )
    dialect = op.get_bind().dialect.name
    for table, columns in FROZEN.items():
        op.execute(triggers.frozen(dialect, table, columns))
        op.execute(triggers.ended(dialect, table))
        for statement in triggers.no_delete(dialect, table):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("pilots")
