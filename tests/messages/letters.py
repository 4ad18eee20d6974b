"""One small company, its two shipped messages and a customer to write to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from reactivation import paths
from reactivation.messages.drafts import Drafter, DueTouch
from reactivation.messages.fields import Offer
from reactivation.messages.proof import OfferShown, Proof
from reactivation.messages.templates import load_template
from reactivation.playbooks.loader import load_playbook
from reactivation.playbooks.owners import load_owners
from reactivation.playbooks.tenant import load_tenant

TENANT = load_tenant(paths.TENANT)
TOUCH_ID = "6f0f4c1e-3d0e-5d0a-9c39-2b8a4c5d6e7f"
#: A Thursday, 10:00 in London.
SEND = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
LINK = f"{TENANT.unsubscribe_url}?t={TOUCH_ID}"
FOOTER = f"{TENANT.legal_name}\n{TENANT.postal_address}\n"
HEADERS = (
    ("List-Unsubscribe", f"<{LINK}>, <mailto:{TENANT.unsubscribe_mailto}?subject=unsubscribe%20{TOUCH_ID}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
)


def offer(**changes: Any) -> Offer:
    """Fifteen pounds of account credit for 72 hours, with codes."""
    made = Offer(
        "offer-credit-15", "credit", Decimal("15.0000"), "GBP", Decimal("9.50"), 72, SEND - timedelta(days=30),
        SEND + timedelta(days=60), Decimal(3000), 500, "£15 off your next booking of £60 or more. One per household.",
    )  # fmt: skip
    return replace(made, **changes)


def due(number: int = 1, **changes: Any) -> DueTouch:
    """Maeve's first or third touch."""
    with_offer = number == 3
    made = DueTouch(
        touch_id=TOUCH_ID, enrolment_id="0a5f0d3c-1111-5222-8333-444455556666", customer_id="c-maeve",
        owner_id="own-ada", number=number, channel="email", address_key="ab" * 32, planned_send=SEND, not_before=SEND,
        not_after=SEND + timedelta(days=5), offer_id="offer-credit-15" if with_offer else None,
        basis_records=("r-maeve",), zone="Europe/London", recipient="maeve@mail.test", first_name="Maeve",
        code="K7QD-M2RX" if with_offer else None,
    )  # fmt: skip
    return replace(made, **changes)


def drafter(**changes: Any) -> Drafter:
    """The shipped playbook, templates, owners and tenant, with one offer."""
    loaded = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml")
    made = Drafter(
        playbook=loaded.playbook, playbook_digest=loaded.digest, rules_version="2026.1+0123456789ab", tenant=TENANT,
        owners=load_owners(paths.OWNERS),
        templates={name: load_template(paths.TEMPLATES, name) for name in ("curiosity", "value_reward")},
        offers={"offer-credit-15": offer()}, product_names=frozenset({"Boiler service", "Gutter clearing"}),
    )  # fmt: skip
    return replace(made, **changes)


def proof(words: str = "It has been a while.", *, with_offer: bool = False, **changes: Any) -> Proof:
    """A plain message without fault around these words: a curiosity, or a value reward when it has an offer."""
    shown = OfferShown("credit", "£15 of account credit", "Once per household.", "Friday, 10:00", "K7QD-M2RX", True)
    claim = "£15 of account credit until Friday, 10:00, code K7QD-M2RX. Once per household.\n" if with_offer else ""
    text = f"Hello Maeve,\n\n{words}\n{claim}\nAda Marsh\n\nUnsubscribe: {LINK}\n{FOOTER}"
    page = f'<p>Hello Maeve,</p><p>{words}</p><p>{claim}</p><p>Ada Marsh</p><a href="{LINK}">Unsubscribe</a>'
    made = Proof(
        touch_id=TOUCH_ID, pattern="value_reward" if with_offer else "curiosity",
        sender="Harbour & Finch <hello@harbour-finch.example>", salutation="Hello Maeve", owner_name="Ada Marsh",
        unsubscribe_url=LINK, subject="A small question", text=text,
        html=f"<html><body>{page}<p>{FOOTER.replace('&', '&amp;')}</p></body></html>", headers=HEADERS, tenant=TENANT,
        offer=shown if with_offer else None, product_names=frozenset({"Boiler service"}),
    )  # fmt: skip
    return replace(made, **changes)
