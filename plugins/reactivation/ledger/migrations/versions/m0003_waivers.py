"""Conditions of readiness that compliance lets pass for one run, and the audit trail found by what it is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Id, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("waivers",)


def upgrade() -> None:
    op.create_table(
        "waivers",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("condition", Code, nullable=False),
        sa.Column("reason", Code, nullable=False),
        sa.Column("answer_id", Id, nullable=False, comment="the signature"),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name=op.f("fk_waivers_answer_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_waivers_run_id")),
        sa.PrimaryKeyConstraint("run_id", "condition", name=op.f("pk_waivers")),
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"], unique=False)
    for table in APPEND_ONLY:
        for statement in triggers.append_only(op.get_bind().dialect.name, table):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_subject"), "audit")
    op.drop_table("waivers")
