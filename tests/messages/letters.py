"""One small company, its shipped messages and a customer to write to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from reactivation import paths
from reactivation.messages.claims import ClaimText, read_text
from reactivation.messages.drafts import Drafter, DueTouch
from reactivation.messages.fields import Offer
from reactivation.messages.proof import ClaimShown, OfferShown, Proof
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
SMS_SENDER = TENANT.sms.sender if TENANT.sms else ""
WAY_OUT = "Reply STOP to opt out"
#: The claim of each pattern that makes one.
CLAIMS = {
    4: ("clm-review-boilers", "review"),
    5: ("clm-stock-spring-diary", "stock"),
    7: ("clm-benefit-history", "benefit"),
}
OFFERS = {3: "offer-credit-15", 5: "offer-early-spring", 6: "offer-percent-20"}
HEADERS = (
    ("List-Unsubscribe", f"<{LINK}>, <mailto:{TENANT.unsubscribe_mailto}?subject=unsubscribe%20{TOUCH_ID}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
)


def words_of(claim_id: str) -> ClaimText:
    """The shipped words of a claim."""
    words = read_text(paths.INCLUDE, f"texts/{claim_id}.txt")
    assert words is not None
    return words


def offer(**changes: Any) -> Offer:
    """Fifteen pounds of account credit for 72 hours, with codes."""
    made = Offer(
        "offer-credit-15", "Fifteen pounds of credit", "credit", Decimal("15.0000"), "GBP", Decimal("9.50"), 72,
        SEND - timedelta(days=30), SEND + timedelta(days=60), Decimal(3000), 500,
        "£15 off your next booking of £60 or more. One per household.",
    )  # fmt: skip
    return replace(made, **changes)


def early_access(**changes: Any) -> Offer:
    """The first sixty places of the spring diary, until it opens."""
    made = replace(
        offer(), offer_id="offer-early-spring", name="First pick of the spring diary", kind="early_access",
        value=Decimal(0), currency=None, unit_cost=Decimal("0.50"), redeem_within_hours=None,
        terms="Book a spring visit before the diary opens to everybody. Sixty places.",
    )  # fmt: skip
    return replace(made, **changes)


def percent(**changes: Any) -> Offer:
    """A fifth off one visit, for sixty hours."""
    made = replace(
        offer(), offer_id="offer-percent-20", name="20 % off one visit", kind="percent", value=Decimal(20),
        currency=None, redeem_within_hours=60,
        terms="20 % off one visit up to £300. Single use. Ends at the time shown.",
    )  # fmt: skip
    return replace(made, **changes)


def due(number: int = 1, **changes: Any) -> DueTouch:
    """Maeve's touch of that number, with all that belongs to it."""
    claim_id, claim_kind = CLAIMS.get(number, (None, None))
    made = DueTouch(
        touch_id=TOUCH_ID, enrolment_id="0a5f0d3c-1111-5222-8333-444455556666", customer_id="c-maeve",
        owner_id="own-ada", number=number, channel="email", address_key="ab" * 32, planned_send=SEND, not_before=SEND,
        not_after=SEND + timedelta(days=5), offer_id=OFFERS.get(number), basis_records=("r-maeve",),
        zone="Europe/London", recipient="maeve@mail.test", first_name="Maeve",
        code="K7QD-M2RX" if number in OFFERS else None, product_name="Annual boiler service",
        product_url="https://harbour-finch.example/services/boiler-service", affinity_source="purchases",
        claim_id=claim_id, claim_kind=claim_kind,
    )  # fmt: skip
    return replace(made, **changes)


def due_sms(number: int = 1, **changes: Any) -> DueTouch:
    """The same by text message."""
    return due(number, **({"channel": "sms", "recipient": "+447700900456"} | changes))


def drafter(**changes: Any) -> Drafter:
    """The shipped playbook, templates, owners, tenant and claims, with an offer of each kind."""
    loaded = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml")
    names = [touch.template for touch in loaded.playbook.touches if touch.template]
    made = Drafter(
        playbook=loaded.playbook, playbook_digest=loaded.digest, rules_version="2026.1+0123456789ab", tenant=TENANT,
        owners=load_owners(paths.OWNERS), templates={name: load_template(paths.TEMPLATES, name) for name in names},
        offers={one.offer_id: one for one in (offer(), early_access(), percent())},
        product_names=frozenset({"Annual boiler service", "Gutter clearing"}),
        claims={claim_id: words_of(claim_id) for claim_id, _ in CLAIMS.values()},
    )  # fmt: skip
    return replace(made, **changes)


def proof(words: str = "It has been a while.", *, with_offer: bool = False, **changes: Any) -> Proof:
    """A plain message without fault around these words: a curiosity, or a value reward when it has an offer."""
    shown = OfferShown(
        "credit", "£15 of account credit", "Once per household.", "Friday, 10:00", "K7QD-M2RX", better_planned=True,
        value=Decimal(15), valid_for=timedelta(hours=72),
    )  # fmt: skip
    claim = "£15 of account credit until Friday, 10:00, code K7QD-M2RX. Once per household.\n" if with_offer else ""
    text = f"Hello Maeve,\n\n{words}\n{claim}\nAda Marsh\n\nUnsubscribe: {LINK}\n{FOOTER}"
    page = f'<p>Hello Maeve,</p><p>{words}</p><p>{claim}</p><p>Ada Marsh</p><a href="{LINK}">Unsubscribe</a>'
    made = Proof(
        channel="email", touch_id=TOUCH_ID, pattern="value_reward" if with_offer else "curiosity",
        sender="Harbour & Finch <hello@harbour-finch.example>", salutation="Hello Maeve", owner_name="Ada Marsh",
        unsubscribe_url=LINK, subject="A small question", text=text,
        html=f"<html><body>{page}<p>{FOOTER.replace('&', '&amp;')}</p></body></html>", headers=HEADERS, tenant=TENANT,
        offer=shown if with_offer else None, product_names=frozenset({"Boiler service"}),
    )  # fmt: skip
    return replace(made, **changes)


def claimed(
    words: str = "", *, pattern: str = "trust", kind: str = "review", said: str = "They came on a Sunday."
) -> Proof:
    """A message without fault that makes a claim, with these words around it."""
    return replace(proof(f"{words} {said}"), pattern=pattern, claim=ClaimShown(kind, "They came on a Sunday."))


def text_message(words: str = "It has been a while.", **changes: Any) -> Proof:
    """A text message without fault around these words."""
    made = replace(
        proof(), channel="sms", sender=SMS_SENDER, subject="", html="", headers=(),
        text=f"Harbour & Finch: {words} {WAY_OUT}",
    )  # fmt: skip
    return replace(made, **changes)
