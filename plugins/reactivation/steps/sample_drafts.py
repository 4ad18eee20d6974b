"""Drafts for customers who do not exist, to see whether a template holds: every way a touch may be filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reactivation.messages.drafts import Drafter, DueTouch
from reactivation.messages.fields import MessageError, Offer
from reactivation.messages.templates import MessageTemplate
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.playbooks.model import Touch
from reactivation.playbooks.owners import Owners
from reactivation.playbooks.tenant import Tenant

#: The kinds of offer each monetary incentive may be.
KINDS = {"points_or_credit": ("credit", "points"), "percent": ("percent",)}

_NOON = datetime(2026, 6, 2, 12, 0, tzinfo=UTC)
_ID = "00000000-0000-5000-8000-000000000000"
_CODE = "K7QD-M2RX"


def sample_problems(
    loaded: LoadedPlaybook, touch: Touch, template: MessageTemplate, owners: Owners, tenant: Tenant,
    *, offer: Offer | None,
) -> Iterator[str]:  # fmt: skip
    """What is wrong with the messages this touch would make: with and without a name, with and without a code.

    ``offer`` is the touch's own, where the source has it; else one of each kind the touch may carry is made up.
    """
    owner_id = next((one for one in loaded.playbook.owners.values() if owners.knows(one)), None)
    if owner_id is None:
        return
    offers = _made_up(touch) if offer is None else {offer.offer_id: offer}
    drafter = Drafter(
        playbook=loaded.playbook, playbook_digest=loaded.digest, rules_version="check", tenant=tenant, owners=owners,
        templates={template.name: template}, offers=offers, product_names=frozenset(),
    )  # fmt: skip
    at = _NOON if offer is None else offer.starts_at
    nameless = DueTouch(
        touch_id=_ID, enrolment_id=_ID, customer_id="sample", owner_id=owner_id, number=touch.number, channel="email",
        address_key="", planned_send=at, not_before=at, not_after=at + timedelta(days=1), offer_id=None,
        basis_records=(), zone="Europe/London", recipient="sample@example.com", first_name=None,
    )  # fmt: skip
    greeted = [nameless, replace(nameless, first_name="Sample")]
    offering = [replace(one, offer_id=name, code=code) for one in greeted for name in offers for code in (_CODE, None)]
    for sample in offering or greeted:
        try:
            drafter.draft(sample)
        except MessageError as error:
            yield f"{error} ({error.code})"


def _made_up(touch: Touch) -> Mapping[str, Offer]:
    if touch.offer is None:
        return {}
    return {
        kind: Offer(kind, kind, Decimal(25), "GBP" if kind == "credit" else None, Decimal(1), 72, _NOON,
                    _NOON + timedelta(days=9), Decimal(1), 1, "Once per customer.")
        for kind in KINDS[touch.incentive]
    }  # fmt: skip
