"""Touches that are due are found in the order they are looked at: among many, sorting them took longer than sending."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_touches_state_not_before_touch_id"), "touches", ["state", "not_before", "touch_id"])
    op.drop_index(op.f("ix_touches_state_not_before"), "touches")


def downgrade() -> None:
    op.create_index(op.f("ix_touches_state_not_before"), "touches", ["state", "not_before"])
    op.drop_index(op.f("ix_touches_state_not_before_touch_id"), "touches")
