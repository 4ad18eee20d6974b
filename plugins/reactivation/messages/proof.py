"""A rendered message with everything needed to judge it, and the findings that judging gives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from html import unescape

from markupsafe import escape

from reactivation.playbooks.tenant import Tenant

_TAG = re.compile(r"<[^>]*>")
#: What stands inside a word without parting it, and what a reader is shown or read that is no text of the page.
_WITHIN_A_WORD = re.compile(r"</?(?:b|big|code|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)\b[^>]*>", re.I)
_SAID_BESIDE = re.compile(
    r"""\b(?:title|alt|aria-label)\s*=\s*(?:"([^"]*)"|'([^']*)')|<title[^>]*>([^<]*)""", re.IGNORECASE
)
#: Hyphens that may be and signs without width: between the letters of a word they hide it from a search, not a reader.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a draft: a code for the ledger, a message without personal data."""

    code: str
    message: str


@dataclass(frozen=True)
class OfferShown:
    """The offer as it must stand in the message. ``better_planned``: a later touch carries a stronger incentive;
    ``valid_for``: how long it lasts from the planned send."""

    kind: str
    reward: str
    terms: str
    deadline: str
    code: str | None
    better_planned: bool
    value: Decimal
    valid_for: timedelta


@dataclass(frozen=True)
class ClaimShown:
    """The claim as it must stand in the message: its words, and what kind of evidence stands behind them."""

    kind: str
    text: str


@dataclass(frozen=True)
class Proof:
    """A rendered message with everything needed to judge it. A text message has no subject, no html and no headers.

    ``salutation`` and ``owner_name`` are known, since a customer called Gift or an owner called Price is no incentive.
    ``account_facts``: what is known of the account a message goes to; ``None`` for a message to a customer.
    ``product``: the one that is recommended; ``token``: what the link out has of the touch, where it is not its id.
    """

    channel: str
    touch_id: str
    pattern: str
    sender: str
    salutation: str
    owner_name: str
    unsubscribe_url: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    tenant: Tenant
    offer: OfferShown | None
    product_names: frozenset[str] = frozenset()
    product: str | None = None
    claim: ClaimShown | None = None
    keep_url: str | None = None
    close_url: str | None = None
    token: str | None = None
    account_facts: tuple[str, ...] | None = None

    @cached_property
    def visible(self) -> str:
        """The words of the HTML part on one line, as a reader sees them; a text message's only words."""
        if self.channel == "sms":
            return self.plain
        body = self.html[max(self.html.find("<body"), 0) :]
        return " ".join(unescape(_TAG.sub(" ", _WITHIN_A_WORD.sub("", body))).split())

    @cached_property
    def beside(self) -> str:
        """What the HTML part says beside its words: its title, and attributes that are shown or read out."""
        return " ".join(unescape(" ".join(part for said in _SAID_BESIDE.findall(self.html) for part in said)).split())

    @cached_property
    def plain(self) -> str:
        """The text part on one line."""
        return " ".join(self.text.split())

    @cached_property
    def copy(self) -> str:
        """The words somebody wrote as copy, as read: without names, the link out and what the law demands."""
        whole = f"{self.subject}\n{self.plain}\n{self.visible}\n{self.beside}"
        tenant = self.tenant
        printed = (tenant.postal_address, tenant.legal_name, tenant.display_name)
        for part in (self.unsubscribe_url, self.salutation, self.owner_name, *printed):
            whole = whole.replace(part, " ")
        return as_read(whole)

    @cached_property
    def own_words(self) -> str:
        """The copy without the words that were reviewed elsewhere: the claim's, and the terms of the offer."""
        reviewed = [self.claim.text] if self.claim else []
        reviewed += [self.offer.terms, self.offer.reward] if self.offer else []
        whole = self.copy
        for words in reviewed:
            whole = whole.replace(as_read(words), " ")
        return whole

    def for_nobody(self) -> Proof:
        """The same message with stand-ins for what belongs to one recipient: equal for all drafts of a template."""
        of_touch = {self.touch_id: "touch"} | ({self.token: "token"} if self.token else {})
        stand_ins = {**of_touch, self.salutation: "Hello"}
        offer = self.offer
        if offer is not None:
            stand_ins[offer.deadline] = "Thursday"
            offer = replace(offer, deadline="Thursday", code="CODE" if offer.code else None)
            if self.offer and self.offer.code:
                stand_ins[self.offer.code] = "CODE"
        return replace(
            self, touch_id="touch", salutation="Hello", offer=offer,
            keep_url=self.keep_url and self.keep_url.replace(self.touch_id, "touch"),
            close_url=self.close_url and self.close_url.replace(self.touch_id, "touch"),
            token=self.token and "token", unsubscribe_url=_with(self.unsubscribe_url, of_touch),
            subject=_with(self.subject, stand_ins), text=_with(self.text, stand_ins),
            html=_with(self.html, {escape(value): mark for value, mark in stand_ins.items()}),
            headers=tuple((name, _with(value, of_touch)) for name, value in self.headers),
        )  # fmt: skip


#: One check: what it finds in a message.
Check = Callable[[Proof], Iterator[Finding]]


def as_read(words: str) -> str:
    """The words in lower case, each letter in its usual shape and none apart: what searches of the copy look at."""
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", words)).lower()


def _with(part: str, stand_ins: Mapping[str, str]) -> str:
    for value, stand_in in stand_ins.items():
        part = part.replace(value, stand_in)
    return part
