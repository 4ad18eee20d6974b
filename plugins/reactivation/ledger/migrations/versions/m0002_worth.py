"""What a purchase was worth, which event an event is about, and one standing tag of a kind per customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.types import Code, Money

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STANDING = sa.text("removed_at IS NULL")
#: Two recorders at once could set a tag twice; the earlier one stays.
_ONE_STANDING = """UPDATE tags SET removed_at = set_at WHERE removed_at IS NULL AND EXISTS (
    SELECT 1 FROM tags AS earlier WHERE earlier.customer_id = tags.customer_id AND earlier.tag = tags.tag
        AND earlier.removed_at IS NULL AND earlier.set_at < tags.set_at)"""


def upgrade() -> None:
    op.add_column("events", sa.Column("amount", Money, comment="what a purchase came to, after discount"))
    op.add_column("events", sa.Column("currency", Code))
    op.add_column("events", sa.Column("discount", Money, comment="what the source says was taken off"))
    op.add_column("events", sa.Column("about", Code, comment="the purchase a cancellation or a redeemed code is of"))
    op.create_index("ix_events_customer_id", "events", ["customer_id"])
    op.execute(_ONE_STANDING)
    op.create_index(
        "uq_tags_one_standing", "tags", ["customer_id", "tag"], unique=True, sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )  # fmt: skip
    _comment("decision, approval, send, exit, suppression, tag")


def downgrade() -> None:
    _comment("decision, approval, send, exit")
    op.drop_index("uq_tags_one_standing", "tags")
    op.drop_index("ix_events_customer_id", "events")
    for column in ("about", "discount", "currency", "amount"):
        op.drop_column("events", column)


def _comment(kinds: str) -> None:
    """What kinds of measurement events there are; SQLite keeps no comments."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("measurement_events", "kind", comment=kinds)
