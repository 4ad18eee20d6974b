"""What owners of accounts are asked, and what they decide."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Id, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPEND_ONLY = ("account_questions", "account_decisions")


def upgrade() -> None:
    op.create_table(
        "account_questions",
        sa.Column("question_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False, comment="whose decisions.parquet has the account"),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("account_id", Code, nullable=False),
        sa.Column("owner_id", Code, nullable=False),
        sa.Column(
            "contacts", sa.JSON(), nullable=False, comment="customer ids of its contacts, in the order they are shown"
        ),
        sa.Column("noes", sa.Integer(), nullable=False, comment="how many contacts beside the recipient had said no"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.question_id"], name=op.f("fk_account_questions_question_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_account_questions_run_id")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_account_questions")),
    )
    op.create_index(
        op.f("ix_account_questions_playbook_account_id"), "account_questions", ["playbook", "account_id"], unique=False
    )
    op.create_table(
        "account_decisions",
        sa.Column("answer_id", Id, nullable=False, comment="the signature"),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("account_id", Code, nullable=False),
        sa.Column("decision", Code, nullable=False),
        sa.Column("reason", Code, nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True, comment="until when it is held"),
        sa.Column(
            "recipient", Code, nullable=True, comment="the contact to be written to, where the owner chose another"
        ),
        sa.Column("noes", sa.Integer(), nullable=False, comment="how many contacts had said no, as he knew"),
        sa.Column("decided_by", Code, nullable=False, comment="the Airflow user id"),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('approve', 'resolve_issue', 'hold_until', 'close', 'monitor', 'no_outreach')",
            name=op.f("ck_account_decisions_decision_known"),
        ),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name=op.f("fk_account_decisions_answer_id")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_account_decisions")),
    )
    op.create_index(
        op.f("ix_account_decisions_playbook_account_id_decided_at"), "account_decisions",
        ["playbook", "account_id", "decided_at"], unique=False,
    )  # fmt: skip
    for table in APPEND_ONLY:
        for statement in triggers.append_only(op.get_bind().dialect.name, table):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
