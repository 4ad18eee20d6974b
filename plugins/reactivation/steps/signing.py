"""Who of the signers a list was frozen with may still sign it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.ledger import lists
from reactivation.ledger.lists import ListRow, ListSigner

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def may_sign(workspace: Workspace, conn: Connection, row: ListRow) -> list[ListSigner]:
    """The frozen signers who still are, today, who they were when the list was opened."""
    owners = workspace.owners.by_id
    return [
        signer
        for signer in lists.signers_of(conn, row.list_id)
        if (owner := owners.get(signer.owner_id)) and owner.user == signer.user_id and signer.role in owner.roles
    ]
