"""Variants: which one an enrolment is of and a list has the messages of, how people were split, and what was paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.migrations.versions import m0001_foundation as foundation
from reactivation.ledger.types import Code, Id, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APPEND_ONLY = ("variant_batches", "pauses")
FROZEN = {
    "enrolments": (*foundation.FROZEN["enrolments"], "variant", "batch_id"),
    "lists": (*foundation.FROZEN["lists"], "variant"),
}

_SCOPES = "everything, channel:<name>, playbook:<name> or variant:<of it>"
_SCOPES_BEFORE = "everything, playbook:<name> or channel:<name>"


def upgrade() -> None:
    op.add_column("enrolments", sa.Column(
        "variant", Code, comment="which variant of the playbook, for the whole course; null where it has none"
    ))  # fmt: skip
    op.add_column("enrolments", sa.Column(
        "batch_id", Id, comment="the split of variants that chance made it under"
    ))  # fmt: skip
    op.add_column("lists", sa.Column(
        "variant", Code, comment="whose messages these are; null where the playbook has none, and for offers"
    ))  # fmt: skip
    op.create_table(
        "variant_batches",
        sa.Column("batch_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("run_id", Id, nullable=False, comment="the first run that enrolled in it"),
        sa.Column(
            "split", sa.JSON(), nullable=False,
            comment="share and digest of each variant; what is paused; resumptions",
        ),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_variant_batches_run_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_variant_batches")),
    )  # fmt: skip
    op.create_index(op.f("ix_variant_batches_playbook_began_at"), "variant_batches", ["playbook", "began_at"])
    op.create_table(
        "pauses",
        sa.Column("stop_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("variant", Code, nullable=True, comment="null for the whole playbook"),
        sa.Column("segment", Code, nullable=True, comment="null for all segments"),
        sa.Column("because", Code, nullable=False),
        sa.Column(
            "evidence", sa.JSON(), nullable=False,
            comment="counts, e-value, limit or threshold, batches with their shares",
        ),
        sa.Column("as_of", UtcDateTime(), nullable=False, comment="what was recorded later is not in the evidence"),
        sa.Column("rules_version", Code, nullable=False),
        sa.CheckConstraint(
            "because IN ('worse', 'complaints', 'unsubscribes', 'bounces')", name=op.f("ck_pauses_because_known")
        ),
        sa.ForeignKeyConstraint(["stop_id"], ["stops.stop_id"], name=op.f("fk_pauses_stop_id")),
        sa.PrimaryKeyConstraint("stop_id", name=op.f("pk_pauses")),
    )  # fmt: skip
    op.create_index(op.f("ix_pauses_playbook"), "pauses", ["playbook"])
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in triggers.append_only(dialect, table):
            op.execute(statement)
    _freeze(dialect, FROZEN)
    _comment(_SCOPES)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    _comment(_SCOPES_BEFORE)
    _freeze(dialect, {table: foundation.FROZEN[table] for table in FROZEN})
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
    op.drop_column("lists", "variant")
    for column in ("batch_id", "variant"):
        op.drop_column("enrolments", column)


def _freeze(dialect: str, tables: dict[str, tuple[str, ...]]) -> None:
    """Freeze these columns of tables that are frozen already."""
    for table, columns in tables.items():
        op.execute(triggers.thaw(dialect, table))
        op.execute(triggers.frozen(dialect, table, columns))


def _comment(scopes: str) -> None:
    """What can be stopped; SQLite keeps no comments."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("stops", "scope", comment=scopes)
