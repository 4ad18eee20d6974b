"""What is signed: drafted touches grouped into lists, each with a digest and a signing code.

A content list is one owner's: one playbook, touch, segment, channel and variant, so SMS is always a signature of its
own, and nobody signs a subject that some of the people are not sent. An
offer list is one offer × touch × segment for the offer approvers, with the list of ids and what it can cost at most.
A list that nobody may sign is not made; it comes back as ``NotOpened`` with the reason.

Source: RULES.md, Approval; seed document 000 (human approval point, what not to automate).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from reactivation.contract.digests import digest
from reactivation.ledger.lists import ListItem
from reactivation.playbooks.owners import Owners, Role, Signer

Kind = Literal["content", "offer"]

LIST_SCHEMA = 2
SIGNING_CODE_LENGTH = 8
CONTENT_ROLES: tuple[Role, ...] = ("marketing_owner", "account_owner")
ACCOUNT_ROLES: tuple[Role, ...] = ("account_owner",)
#: Why a list is not opened whose signers are all away, and nobody is there to stand in for them.
OWNER_AWAY = "owner_away"
#: Why, where nobody is left beside whoever wrote it or started the run.
ONLY_AUTHORS = "only_authors_could_sign"


@dataclass(frozen=True)
class Offer:
    """The offer of a draft: its terms as they stand in the text, and what one redemption costs (null: unknown)."""

    offer_id: str
    terms: str
    unit_cost: Decimal | None
    currency: str | None


@dataclass(frozen=True)
class DraftedTouch:
    """What a list needs to know of one drafted touch. ``individual`` touches count as signed only when named;
    ``escalated``: nobody answered when it was asked about before."""

    touch_id: str
    customer_id: str
    playbook: str
    owner_id: str
    segment: str
    number: int
    channel: str
    draft_digest: str
    not_after: datetime
    individual: bool
    review_reasons: tuple[str, ...] = ()
    offer: Offer | None = None
    variant: str | None = None
    escalated: bool = False


@dataclass(frozen=True)
class ListToSign:
    """A list ready to be opened: everything but its id. ``authors`` are the user ids that may not sign it."""

    kind: Kind
    playbook: str
    owner_id: str
    segment: str
    touch_number: int
    channel: str
    offer_id: str | None
    offer_terms: str | None
    cost: Decimal | None
    currency: str | None
    authors: tuple[str, ...]
    signers: tuple[Signer, ...]
    expires_at: datetime
    items: tuple[ListItem, ...]
    variant: str | None = None

    def digest(self, list_id: str) -> str:
        """Hex SHA-256 over the list's id, its terms and its items: another list has another code."""
        return digest(
            {
                "schema": LIST_SCHEMA, "list_id": list_id, "kind": self.kind, "playbook": self.playbook,
                "owner_id": self.owner_id, "segment": self.segment, "variant": self.variant,
                "touch_number": self.touch_number, "channel": self.channel, "offer_id": self.offer_id,
                "offer_terms": self.offer_terms, "cost": self.cost, "currency": self.currency,
                "authors": list(self.authors),
                "items": [
                    [i.position, i.touch_id, i.customer_id, i.draft_digest, i.individual, list(i.review_reasons)]
                    for i in self.items
                ],
            }
        )  # fmt: skip


@dataclass(frozen=True)
class NotOpened:
    """A list that would have had nobody to sign it: which touches it held back, and the reason as a code."""

    kind: Kind
    owner_id: str
    segment: str
    touch_number: int
    channel: str
    items: int
    reason: str
    touch_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lists:
    """What can be opened, and what cannot."""

    opened: tuple[ListToSign, ...]
    not_opened: tuple[NotOpened, ...]


def amount(cost: Decimal | None, currency: str | None) -> str:
    """An amount of money for people to read; an unknown one says so."""
    return "unknown" if cost is None else f"{currency or ''} {cost:,.2f}".strip()


def signing_code(list_digest: str) -> str:
    """The code a signer types: the first eight hex digits of the list's digest."""
    return list_digest[:SIGNING_CODE_LENGTH]


def content_lists(
    touches: Sequence[DraftedTouch], *, owners: Owners, authors: Iterable[str], now: datetime, today: date,
    answer_within: timedelta, of_accounts: bool = False,
) -> Lists:  # fmt: skip
    """One list per owner × playbook × touch × segment × channel × variant, for the owner to sign or whoever stands in
    for him ``today``, a day on the tenant's calendar.

    ``of_accounts``: one per account, since nothing of theirs is ever approved in bulk (seed 001), for an account owner.
    """

    def key(touch: DraftedTouch) -> tuple[str, str, int, str, str, str, str]:
        alone = touch.customer_id if of_accounts else ""
        return touch.playbook, touch.owner_id, touch.number, touch.segment, touch.channel, touch.variant or "", alone

    def make(group: Sequence[DraftedTouch]) -> ListToSign | NotOpened:
        roles = ACCOUNT_ROLES if of_accounts else CONTENT_ROLES
        escalated = any(touch.escalated for touch in group)
        signers, reason = _content_signers(
            owners, group[0].owner_id, written_by, roles, today=today, escalated=escalated
        )  # fmt: skip
        if reason is not None:
            return _refused("content", group, group[0].owner_id, reason)
        return _list(
            "content", group, group[0].owner_id, signers=signers, authors=written_by, answer_by=now + answer_within
        )

    written_by = users_behind(authors, owners)
    return _grouped(touches, key, make)


def nobody_signs(
    owner_ids: Iterable[str], *, owners: Owners, authors: Iterable[str], today: date, of_accounts: bool = False
) -> dict[str, str]:
    """Of these owners those for whom nobody would be asked ``today``, each with why ``content_lists`` opens no list."""
    written_by, roles = users_behind(authors, owners), ACCOUNT_ROLES if of_accounts else CONTENT_ROLES
    why = {
        one: _content_signers(owners, one, written_by, roles, today=today, escalated=False)[1] for one in owner_ids
    }  # fmt: skip
    return {one: reason for one, reason in why.items() if reason is not None}


def offer_lists(
    touches: Sequence[DraftedTouch], *, owners: Owners, authors: Iterable[str], now: datetime, answer_within: timedelta
) -> Lists:
    """One list per offer (and its terms) × playbook × touch × segment × channel, for an offer approver to sign."""

    def key(touch: DraftedTouch) -> tuple[str, str, str, int, str, str]:
        assert touch.offer is not None  # noqa: S101 - only touches with an offer come here
        return touch.playbook, touch.offer.offer_id, touch.offer.terms, touch.number, touch.segment, touch.channel

    def make(group: Sequence[DraftedTouch]) -> ListToSign | NotOpened:
        approvers = owners.by_role("offer_approver")
        signers = tuple(s for s in approvers if s.user_id not in written_by)
        if not signers:
            return _refused("offer", group, "", ONLY_AUTHORS if approvers else "no_offer_approver")
        if any(touch.offer is None or touch.offer.unit_cost is None for touch in group):
            return _refused("offer", group, signers[0].owner_id, "offer_cost_unknown")
        return _list(
            "offer", group, signers[0].owner_id, signers=signers, authors=written_by, answer_by=now + answer_within
        )

    written_by = users_behind(authors, owners)
    return _grouped([t for t in touches if t.offer is not None], key, make)


def _content_signers(
    owners: Owners, owner_id: str, authors: Sequence[str], may_sign: Sequence[Role], *, today: date, escalated: bool
) -> tuple[tuple[Signer, ...], str | None]:
    if not owners.knows(owner_id):
        return (), "unknown_owner"
    # A delegate stands in for a role the owner has himself, never for one of his own.
    roles = [role for role in may_sign if role in owners.by_id[owner_id].roles]
    if not any(owners.signers_for(owner_id, role) for role in roles):
        return (), "owner_may_not_sign"
    named = {
        s.user_id: s
        for role in reversed(roles)
        for s in owners.asked_for(owner_id, role, today, escalated=escalated)
    }  # fmt: skip
    if not named:
        return (), OWNER_AWAY
    signers = tuple(named[user] for user in sorted(named) if user not in authors)
    return (signers, None) if signers else ((), ONLY_AUTHORS)


def users_behind(authors: Iterable[str], owners: Owners) -> tuple[str, ...]:
    """The user ids behind authors, who may be named by user id or by owner id."""
    named = set(authors)
    return tuple(sorted(named | {owners.by_id[a].user for a in named if owners.knows(a)}))


def _list(
    kind: Kind, group: Sequence[DraftedTouch], owner_id: str, *, signers: tuple[Signer, ...], authors: tuple[str, ...],
    answer_by: datetime,
) -> ListToSign:  # fmt: skip
    first = group[0]
    offer = first.offer if kind == "offer" else None
    individual = {t.touch_id: t.individual and kind == "content" for t in group}
    ordered = sorted(group, key=lambda t: (not individual[t.touch_id], t.customer_id, t.touch_id))
    return ListToSign(
        kind=kind, playbook=first.playbook, owner_id=owner_id, segment=first.segment,
        variant=first.variant if kind == "content" else None, touch_number=first.number, channel=first.channel,
        offer_id=offer.offer_id if offer else None, offer_terms=offer.terms if offer else None,
        cost=sum((t.offer.unit_cost for t in group if t.offer and t.offer.unit_cost is not None), Decimal(0))
        if offer else None,
        currency=offer.currency if offer else None, authors=authors, signers=signers,
        # Nobody needs an answer about bytes that no longer may go out.
        expires_at=min(answer_by, max(t.not_after for t in group)),
        items=tuple(
            ListItem(n, t.touch_id, t.customer_id, t.draft_digest, individual[t.touch_id], t.review_reasons)
            for n, t in enumerate(ordered, start=1)
        ),
    )  # fmt: skip


def _refused(kind: Kind, group: Sequence[DraftedTouch], owner_id: str, reason: str) -> NotOpened:
    first = group[0]
    touch_ids = tuple(touch.touch_id for touch in group)
    return NotOpened(kind, owner_id, first.segment, first.number, first.channel, len(group), reason, touch_ids)


def _grouped(
    touches: Iterable[DraftedTouch],
    key: Callable[[DraftedTouch], tuple[Any, ...]],
    make: Callable[[Sequence[DraftedTouch]], ListToSign | NotOpened],
) -> Lists:
    groups: dict[tuple[Any, ...], list[DraftedTouch]] = defaultdict(list)
    for touch in touches:
        groups[key(touch)].append(touch)
    made = [make(groups[k]) for k in sorted(groups)]
    return Lists(
        tuple(m for m in made if isinstance(m, ListToSign)), tuple(m for m in made if isinstance(m, NotOpened))
    )
