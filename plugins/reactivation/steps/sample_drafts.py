"""Drafts for customers who do not exist, to see whether a template holds: every way a touch may be filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reactivation.contract.links import LinkKeys
from reactivation.messages.claims import KINDS as CLAIM_KINDS
from reactivation.messages.claims import ClaimText
from reactivation.messages.drafts import Drafter, DueTouch
from reactivation.messages.fields import BECAUSE, MessageError, Offer
from reactivation.messages.templates import MessageTemplate
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.playbooks.owners import Owners
from reactivation.playbooks.tenant import Tenant
from reactivation.playbooks.touches import Touch

#: The kinds of offer each incentive may be.
KINDS = {"points_or_credit": ("credit", "points"), "access": ("early_access",), "percent": ("percent",)}

#: A Wednesday in September, and the zone whose city has the longest name: what takes most room in a text message.
_NOON = datetime(2026, 9, 23, 12, 0, tzinfo=UTC)
_ZONE = "America/Port-au-Prince"
_ID = "00000000-0000-5000-8000-000000000000"
_CODE = "K7QD-M2RX"
#: A link of the usual length that leads nowhere.
_LINKS = LinkKeys((b"the key of links nobody is sent",))
_CLAIM = ClaimText("A sentence of about the usual length, word for word as somebody reviewed it.", "0" * 64)


def sample_problems(
    loaded: LoadedPlaybook, touch: Touch, template: MessageTemplate, owners: Owners, tenant: Tenant,
    *, offer: Offer | None, claims: Mapping[str, ClaimText],
) -> Iterator[str]:  # fmt: skip
    """What is wrong with the messages this touch would make: on each channel, with and without a name, a code, a
    product's page; with each claim.

    ``offer`` and ``claims`` are the touch's own, where the source has them; else some are made up.
    """
    owner_id = next((one for one in loaded.playbook.owners.values() if owners.knows(one)), None)
    if owner_id is None:
        return
    offers = _made_up(touch) if offer is None else {offer.offer_id: offer}
    said = claims or dict.fromkeys(CLAIM_KINDS.get(touch.pattern, ()), _CLAIM)
    drafter = Drafter(
        playbook=loaded.playbook, playbook_digest=loaded.digest, rules_version="check", tenant=tenant, owners=owners,
        templates={template.name: template}, offers=offers, product_names=frozenset(), claims=said,
        links=_LINKS,
    )  # fmt: skip
    at = _NOON if offer is None else offer.starts_at
    plain = DueTouch(
        touch_id=_ID, enrolment_id=_ID, customer_id="sample", owner_id=owner_id, number=touch.number, channel="email",
        address_key="", planned_send=at, not_before=at, not_after=at + timedelta(days=1), offer_id=None,
        basis_records=(), zone=_ZONE, recipient="sample@example.com", first_name=None,
        product_name="Annual boiler service", affinity_source="abandoned_cart",
        account_name="Harbourside Veterinary Surgery", account_service="ventilation", account_bought_at=at,
        issue_kind="billing", issue_opened_at=at, renewal_at=at,
    )  # fmt: skip
    for sample in _filled_in(plain, touch, tenant, offers, said):
        try:
            drafter.draft(sample)
        except MessageError as error:
            yield f"{sample.channel}: {error} ({error.code})"


def _filled_in(
    plain: DueTouch, touch: Touch, tenant: Tenant, offers: Mapping[str, Offer], said: Mapping[str, ClaimText]
) -> Iterator[DueTouch]:
    """Every way the touch may be filled in."""
    recipients = {"email": "sample@example.com", "sms": "+447700900000"}
    kinds = CLAIM_KINDS.get(touch.pattern, ())
    for channel in touch.channels:
        one = replace(plain, channel=channel, recipient=recipients[channel])
        ways = [one, replace(one, first_name="Sample")]
        if touch.pattern == "relevance":
            page = replace(one, product_url=tenant.account_url)
            ways += [replace(page, affinity_source=source) for source in BECAUSE]
        if said:
            ways = [replace(way, claim_id=name, claim_kind=kinds[0]) for way in ways for name in said] + (
                [one] if touch.pattern == "urgency" and offers else []
            )
        if offers:
            ways = [replace(way, offer_id=name, code=code) for way in ways for name in offers for code in (_CODE, None)]
        yield from ways


def _made_up(touch: Touch) -> Mapping[str, Offer]:
    if touch.offer is None:
        return {}
    return {
        kind: Offer(kind, "First pick of the diary", kind, Decimal(25), "GBP" if kind == "credit" else None, Decimal(1),
                    72, _NOON, _NOON + timedelta(days=9), Decimal(1), 1, "Once per customer.")
        for kind in KINDS[touch.incentive]
    }  # fmt: skip
