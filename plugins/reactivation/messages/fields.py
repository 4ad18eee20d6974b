"""The personalisation fields a template may use, and how each becomes plain text.

The allow-list is closed: no complaint, health, payment or score data can be named in copy (RULES.md, Content). A value
is text that is already safe to stand in a header: a line break or control character refuses the message, marks that
turn the reading direction are taken out, and a field without a value is absent, so that a template that needs it fails.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from reactivation.playbooks.tenant import LINK_MARK, Tenant

#: Everything a template may name, with what it is.
FIELDS: Mapping[str, str] = {
    "salutation": "Hello, with the first name where it is known",
    "owner_name": "the marketing owner the message is signed with",
    "display_name": "the brand as customers know it",
    "legal_name": "the company in law",
    "postal_address": "where the company can be reached by post",
    "account_url": "the customer's account",
    "unsubscribe_url": "the recipient's own way out",
    "keep_url": "where the recipient says: keep my account",
    "close_url": "where the recipient says: close my account",
    "product_name": "the product recommended, as the catalogue has it",
    "product_url": "its page; absent for a product that has none",
    "product_because": "why this product, in one of three sentences",
    "claim_text": "the reviewed claim, word for word; absent where there is none",
    "offer_reward": "what the offer gives, such as £15 of account credit",
    "offer_terms": "the terms as approved",
    "offer_deadline": "until when, on the recipient's clock",
    "offer_code": "the single-use code; absent for an offer that needs none",
    "account_name": "the account's name",
    "account_service": "what the account bought most",
    "account_last_month": "the month of its last purchase or booking",
    "account_issue": "its oldest open issue, with its month",
    "account_renewal": "the day of its renewal",
    "opening_line": "a line in the words of the account's owner; absent until he writes one",
}

#: Why a product is recommended, by the source of the customer's affinity. Nothing more of a history is ever told.
BECAUSE: Mapping[str, str] = {
    "purchases": "It goes with what you chose from us before",
    "abandoned_cart": "You were close to choosing something like it",
    "browse": "You looked at something like it with us",
}

_NAME_MAX, _NAME_WORDS = 40, 4
#: What stands in names beside letters and marks: joiners of scripts, the Catalan dot, the Hebrew geresh.
_IN_NAMES = frozenset(" .'’-‐·׳\u200c\u200d")
_DOT_INSIDE = re.compile(r"\.\S")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u200b]")
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$"}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
#: How many letters of a weekday and of a month stand in a text message.
_SHORT = 3


class MessageError(Exception):
    """A message cannot be made. ``code`` is the reason kept in the ledger; the text names a field, never its value."""

    def __init__(self, code: str, explanation: str) -> None:
        super().__init__(explanation)
        self.code = code


@dataclass(frozen=True)
class Offer:
    """One row of the contract's offers, as far as a message shows or checks it."""

    offer_id: str
    name: str
    kind: str
    value: Decimal
    currency: str | None
    unit_cost: Decimal
    redeem_within_hours: int | None
    starts_at: datetime
    ends_at: datetime
    budget: Decimal
    codes_available: int | None
    terms: str

    @property
    def codes(self) -> int | None:
        """How many codes may ever be given out, by number and by budget; ``None`` for an offer that needs none."""
        if self.codes_available is None or not self.unit_cost:
            return self.codes_available
        return min(self.codes_available, int(self.budget // self.unit_cost))

    def deadline(self, planned_send: datetime) -> datetime:
        """Planned send plus ``redeem_within_hours``, never after the end, on a full minute. Refuses other days."""
        if not self.starts_at <= planned_send < self.ends_at:
            raise MessageError("offer_not_running", f"offer {self.offer_id} does not run on the planned day")
        hours = self.redeem_within_hours
        until = self.ends_at if hours is None else min(planned_send + timedelta(hours=hours), self.ends_at)
        return until.astimezone(UTC).replace(second=0, microsecond=0)


def safe_text(field: str, value: str) -> str:
    """``value`` on one line, without direction marks; refuses control characters, which could forge a header."""
    text = _DIRECTION.sub("", value).strip()
    if _CONTROL.search(text):
        raise MessageError(
            "personalisation_unsafe", f"{field} has a line break or control character; correct the source"
        )
    return text


def salutation(first_name: str | None) -> str:
    """``Hello Ada``, or ``Hello`` where no name is known. Refuses what is no name: anybody may sign up under a name
    that offers or threatens something, and nobody looks at every message before he signs it."""
    name = safe_text("first_name", first_name or "")
    if not _is_name(name):
        raise MessageError("personalisation_unsafe", "first_name is no name of a person; correct the source")
    return f"Hello {name}" if name else "Hello"


def _is_name(text: str) -> bool:
    """Few and short words of letters; a dot only behind a word. Judged as it would look, so full-width signs too."""
    shown = unicodedata.normalize("NFKC", text)
    letters = all(one in _IN_NAMES or unicodedata.category(one)[0] in "LM" for one in shown)
    return letters and not _DOT_INSIDE.search(shown) and len(shown) <= _NAME_MAX and len(shown.split()) <= _NAME_WORDS


def reward(offer: Offer) -> str:
    """What the offer gives, in words: ``£15 of account credit``, ``500 loyalty points``, ``20% off``, or the name of
    the access it gives."""
    match offer.kind:
        case "credit":
            return f"{_money(offer.value, offer.currency)} of account credit"
        case "points":
            return f"{_number(offer.value)} loyalty points"
        case "percent":
            return f"{_number(offer.value)}% off"
        case "early_access":
            return safe_text("offer_name", offer.name)
        case kind:
            raise MessageError("offer_kind", f"offer {offer.offer_id} is of kind {kind}, which no text can state")


def on_the_clock(instant: datetime, zone: str, *, short: bool = False) -> str:
    """An instant for a reader, whatever the machine's locale: ``Friday 12 March 2027, 17:00 (London time)``.

    ``short`` is for a text message: ``Fri 12 Mar, 17:00 (London time)``.
    """
    local = instant.astimezone(ZoneInfo(zone))
    city = zone.rpartition("/")[2].replace("_", " ")
    weekday, month = _WEEKDAYS[local.weekday()], MONTHS[local.month - 1]
    if short:
        return f"{weekday[:_SHORT]} {local.day} {month[:_SHORT]}, {local:%H:%M} ({city} time)"
    return f"{weekday} {local.day} {month} {local.year}, {local:%H:%M} ({city} time)"


def tenant_fields(tenant: Tenant, touch_id: str, token: str | None = None) -> dict[str, str]:
    """The company, and the recipient's own links. ``token``: the touch's, where the link out leads to our own page."""
    links = {"keep_url": tenant.keep_url, "close_url": tenant.close_url}
    way_out = tenant.unsubscribe_url
    return {
        "display_name": tenant.display_name,
        "legal_name": tenant.legal_name,
        "postal_address": tenant.postal_address,
        "account_url": tenant.account_url,
        "unsubscribe_url": own_link(way_out, touch_id) if token is None else way_out.replace(LINK_MARK, token),
        **{name: own_link(url, touch_id) for name, url in links.items() if url is not None},
    }


def own_link(url: str, touch_id: str) -> str:
    """A recipient's own link: it carries the touch, which leads to the address key, and nothing personal."""
    return f"{url}{'&' if '?' in url else '?'}t={touch_id}"


def offer_fields(
    offer: Offer, deadline: datetime, zone: str, code: str | None, *, short: bool = False
) -> dict[str, str]:
    """The fields of an offer: the reward, its terms word for word, the deadline on the recipient's clock, the code."""
    terms = safe_text("offer_terms", " ".join(offer.terms.split()))
    until = on_the_clock(deadline, zone, short=short)
    shown = {"offer_reward": reward(offer), "offer_terms": terms, "offer_deadline": until}
    return shown if code is None else {**shown, "offer_code": code}


def product_fields(name: str, url: str | None, affinity_source: str | None) -> dict[str, str]:
    """The fields of a recommendation. Refuses a reason that no sentence states."""
    because = BECAUSE.get(affinity_source or "")
    if because is None:
        raise MessageError("affinity_unknown", "nothing says why the product is recommended")
    shown = {"product_name": safe_text("product_name", name), "product_because": because}
    return shown if url is None else {**shown, "product_url": safe_text("product_url", url)}


def _money(value: Decimal, currency: str | None) -> str:
    if currency is None:
        raise MessageError("offer_currency", "an offer of money names no currency")
    amount = _number(value) if value == value.to_integral_value() else f"{value:,.2f}"
    return f"{_SYMBOLS[currency]}{amount}" if currency in _SYMBOLS else f"{amount} {currency}"


def _number(value: Decimal) -> str:
    return f"{value.normalize():,f}"
