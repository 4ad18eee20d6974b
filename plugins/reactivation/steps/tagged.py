"""Who bears the tag of a playbook now, so that a segment can be made of them elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactivation.ledger import tags

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

COLUMNS = ("customer_id", "tag", "set_at")


def tagged(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    """Rows of ``COLUMNS``, by customer: everybody who bears the *no response* tag of the playbook."""
    tag = workspace.playbook(name).playbook.no_response_tag
    with workspace.ledger.begin() as conn:
        return [dict(row._mapping) for row in tags.bearers(conn, tag)]
