"""Drafts in the words of an account's owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Digest, Id, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPEND_ONLY = ("draft_edits",)


def upgrade() -> None:
    op.create_table(
        "draft_edits",
        sa.Column("edit_id", Id, nullable=False, comment="the run whose drafts.parquet has it"),
        sa.Column("list_id", Id, nullable=False, comment="the list whose message it changes"),
        sa.Column("touch_id", Id, nullable=False),
        sa.Column("draft_digest", Digest, nullable=False),
        sa.Column("signing_code", Code, nullable=False, comment="to approve the message as changed"),
        sa.Column("parts", sa.JSON(), nullable=False, comment="what is changed, by name"),
        sa.Column("proposed_by", Code, nullable=False, comment="the Airflow user id, as he was named"),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["edit_id"], ["runs.run_id"], name=op.f("fk_draft_edits_edit_id")),
        sa.ForeignKeyConstraint(["list_id"], ["lists.list_id"], name=op.f("fk_draft_edits_list_id")),
        sa.ForeignKeyConstraint(["touch_id"], ["touches.touch_id"], name=op.f("fk_draft_edits_touch_id")),
        sa.PrimaryKeyConstraint("edit_id", name=op.f("pk_draft_edits")),
    )
    for column in ("list_id", "touch_id"):
        op.create_index(op.f(f"ix_draft_edits_{column}"), "draft_edits", [column], unique=False)
    for table in APPEND_ONLY:
        for statement in triggers.append_only(op.get_bind().dialect.name, table):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
