"""Who may see a list: its signers, the offer approvers and compliance, as the configuration of today has them."""

from __future__ import annotations

from collections.abc import Iterable

from reactivation.playbooks.owners import Owners, Role

#: Roles that may look at every list.
OVERSEERS: tuple[Role, ...] = ("offer_approver", "compliance")


def role_of(owners: Owners, signers: Iterable[str], user_id: str) -> str | None:
    """As what a user may see a list: ``signer``, ``offer_approver`` or ``compliance``; ``None`` for everybody else.

    A frozen signer whose user is no longer in the configuration sees nothing any more.
    """
    owner_id = owners.owner_of_user(user_id)
    if owner_id is None:
        return None
    if user_id in signers:
        return "signer"
    return next((role for role in OVERSEERS if role in owners.by_id[owner_id].roles), None)
