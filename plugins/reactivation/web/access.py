"""Who may see a list: its signers, the offer approvers and compliance, as the configuration of today has them; and of a
message in an owner's words, which a second person signs, whoever approved it so."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from reactivation.ledger import edits, lists
from reactivation.playbooks.owners import Owners, Role

#: Roles that may look at every list.
OVERSEERS: tuple[Role, ...] = ("offer_approver", "compliance")


def seen_as(conn: Connection, owners: Owners, list_id: str, user_id: str) -> str | None:
    """As what a user may see a list (``role_of``)."""
    signers = [signer.user_id for signer in lists.signers_of(conn, list_id)]
    return role_of(owners, signers, user_id, approver=edits.approver_of(conn, list_id))


def role_of(owners: Owners, signers: Iterable[str], user_id: str, *, approver: str | None) -> str | None:
    """As what a user may see a list: ``signer``, ``offer_approver``, ``compliance`` or ``first_approver``; ``None`` for
    everybody else.

    A frozen signer, or an approver, whose user is no longer in the configuration sees nothing any more.
    """
    owner_id = owners.owner_of_user(user_id)
    if owner_id is None:
        return None
    if user_id in signers:
        return "signer"
    oversees = next((role for role in OVERSEERS if role in owners.by_id[owner_id].roles), None)
    return oversees or ("first_approver" if user_id == approver else None)
