"""Replies that wait for a label, how far providers were asked, and what came back found by address and reference."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Digest, Id, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FROZEN = {
    "replies": (
        "reply_id", "address_key", "customer_id", "enrolment_id", "provider", "channel", "occurred_at", "recorded_at",
    )
}  # fmt: skip

_OPEN = sa.text("label IS NULL")


def upgrade() -> None:
    op.create_table(
        "replies",
        sa.Column("reply_id", Id, nullable=False),
        sa.Column("address_key", Digest, nullable=True, comment="who said it; null when that could not be read"),
        sa.Column("customer_id", Code, nullable=True),
        sa.Column("enrolment_id", Id, nullable=True, comment="all of its addresses are written to no more"),
        sa.Column("provider", Code, nullable=False),
        sa.Column("channel", Code, nullable=False),
        sa.Column("words", sa.Text(), nullable=True, comment="personal; null once they are gone"),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("label", Code, nullable=True, comment="what a person says it is; null while it holds"),
        sa.Column("labelled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("reply_id", name=op.f("pk_replies")),
    )
    op.create_index("ix_replies_open", "replies", ["address_key"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "provider_feeds",
        sa.Column("provider", Code, nullable=False),
        sa.Column("told_until", UtcDateTime(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_feeds")),
    )
    op.create_index(op.f("ix_enrolment_keys_address_key"), "enrolment_keys", ["address_key"])
    op.create_index(op.f("ix_sends_provider_ref"), "sends", ["provider_ref"])
    dialect = op.get_bind().dialect.name
    for table, columns in FROZEN.items():
        op.execute(triggers.frozen(dialect, table, columns))
        for statement in triggers.no_delete(dialect, table):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_sends_provider_ref"), "sends")
    op.drop_index(op.f("ix_enrolment_keys_address_key"), "enrolment_keys")
    op.drop_table("provider_feeds")
    op.drop_table("replies")
