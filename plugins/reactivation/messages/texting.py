"""What a text message must have and must not have.

Source: RULES.md, Content (SMS).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from reactivation.messages import words
from reactivation.messages.proof import Check, Finding, Proof
from reactivation.messages.sms import not_in_alphabet, segments
from reactivation.playbooks.tenant import SHORTENERS

_SEGMENTS_AT_MOST = 2


def fits(proof: Proof) -> Iterator[Finding]:
    """Letters of the GSM alphabet only, in at most two segments."""
    needed = segments(proof.text)
    if needed is None:
        # A name is the recipient's own: what is told of it is how many letters.
        count = len(not_in_alphabet(proof.text))
        yield Finding("sms_alphabet", f"the text has {count} letters outside the GSM alphabet")
    elif needed > _SEGMENTS_AT_MOST:
        yield Finding("sms_long", f"the text needs {needed} segments, and {_SEGMENTS_AT_MOST} are allowed")


def sender_is_declared(proof: Proof) -> Iterator[Finding]:
    """One sender: the tenant's declared number."""
    if proof.tenant.sms is None or proof.sender != proof.tenant.sms.sender:
        yield Finding("sender_foreign", "the sender is not the declared one")


def brand_comes_first(proof: Proof) -> Iterator[Finding]:
    """Who writes is the first thing that is read."""
    if not proof.text.startswith(f"{proof.tenant.display_name}:"):
        yield Finding("sms_brand", "the text does not begin with the brand's name and a colon")


def way_out_is_said(proof: Proof) -> Iterator[Finding]:
    """How to leave, in the word that providers act upon."""
    if not words.SMS_WAY_OUT.search(proof.text):
        yield Finding("sms_opt_out", "the text does not say: Reply STOP to opt out")


def one_link_at_most(proof: Proof) -> Iterator[Finding]:
    """One link, and none that hides where it leads."""
    links = [word.strip("<>()[],.;\"'") for word in proof.text.split() if "://" in word or "www." in word.lower()]
    if len(links) > 1:
        yield Finding("sms_links", f"the text has {len(links)} links, and one is allowed")
    if any((urlsplit(link).hostname or "").lower() in SHORTENERS for link in links):
        yield Finding("sms_shortener", "a link goes through a public shortener")


def does_not_shout(proof: Proof) -> Iterator[Finding]:
    """No capitals but those to be typed, and no exclamation after exclamation."""
    known = " ".join((proof.tenant.display_name, proof.product or "", proof.claim.text if proof.claim else ""))
    offer = proof.offer
    said = {*(f"{offer.terms} {offer.reward} {offer.code}".split() if offer else ()), *known.split()}
    if "!!" in proof.text or set(words.SHOUTED.findall(proof.text)) - words.REPLIES - said:
        yield Finding("sms_shouts", "the text shouts")


def is_carried(proof: Proof) -> Iterator[Finding]:
    """Nothing that carriers refuse, in the text or as the tenant's trade."""
    category = proof.tenant.sms.category if proof.tenant.sms else ""
    for what, said in (("text", proof.copy), ("tenant's category", category.lower())):
        found = words.SMS_PROHIBITED.search(said)
        if found:
            yield Finding("sms_prohibited", f"the {what} says {found[0]!r}, which carriers refuse")


OF_RECIPIENT: tuple[Check, ...] = (fits,)
OF_TEXT: tuple[Check, ...] = (
    sender_is_declared, brand_comes_first, way_out_is_said, one_link_at_most, does_not_shout, is_carried,
)  # fmt: skip
