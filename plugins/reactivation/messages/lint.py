"""What a draft must have and must not have before anybody is asked to sign it.

Each check is one small function from a proof to findings. Which checks apply follows from the channel, from the touch's
pattern and from whether it carries an offer. A finding's code becomes the reason a touch is held; its message is for
whoever edits. Here are the checks of every message and of e-mail; ``patterns`` and ``texting`` have the others.

Source: RULES.md, Content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape

from reactivation.messages import patterns, texting, words
from reactivation.messages.proof import Check, Finding, Proof

_SUBJECT_MAX = 120
_BIDI_OR_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_HEADER_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TAG_NAME = re.compile(r"<([a-z]+)")
_LIST_UNSUBSCRIBE = re.compile(r"^<(https://[^\s<>]+)>, <mailto:[^\s<>]+>$")


def subject_is_honest(proof: Proof) -> Iterator[Finding]:
    """No reply or forward mark, no pretended thread, order or account event, no shouting, not empty, not endless."""
    subject = proof.subject
    if not subject:
        yield Finding("subject_empty", "the subject is empty")
    if len(subject) > _SUBJECT_MAX:
        yield Finding("subject_long", f"the subject has more than {_SUBJECT_MAX} characters")
    if words.THREAD_MARK.search(subject):
        yield Finding("subject_fakes_thread", "the subject begins like a reply or a forwarded message")
    if words.FAKED_EVENT.search(subject):
        yield Finding("subject_fakes_event", "the subject pretends a conversation, an order or an account event")
    letters = [c for c in subject if c.isalpha()]
    if "!!" in subject or (len(letters) > 8 and subject.upper() == subject):
        yield Finding("subject_shouts", "the subject shouts")


def headers_are_safe(proof: Proof) -> Iterator[Finding]:
    """Nothing that goes into a header can begin another one."""
    for name, value in (("From", proof.sender), ("Subject", proof.subject), *proof.headers):
        if _HEADER_UNSAFE.search(value):
            yield Finding("header_unsafe", f"header {name} has a line break or control character")


def sender_is_the_brand(proof: Proof) -> Iterator[Finding]:
    """One From: the tenant's declared address."""
    if proof.sender.count("@") != 1 or f"<{proof.tenant.sender.address}>" not in proof.sender:
        yield Finding("sender_foreign", "the sender is not the declared one")


def company_is_named(proof: Proof) -> Iterator[Finding]:
    """Legal name and postal address stand in both parts."""
    for code, value in (("legal_name", proof.tenant.legal_name), ("postal_address", proof.tenant.postal_address)):
        if value not in proof.plain or value not in proof.visible:
            yield Finding(f"{code}_missing", f"the {code.replace('_', ' ')} is not in both parts of the message")


def way_out_is_visible(proof: Proof) -> Iterator[Finding]:
    """A link to unsubscribe that says so, in both parts."""
    in_html = f'href="{proof.unsubscribe_url.replace("&", "&amp;")}"' in proof.html
    if proof.unsubscribe_url not in proof.text or not in_html or "unsubscribe" not in proof.visible.lower():
        yield Finding("unsubscribe_missing", "the unsubscribe link is not visible in both parts of the message")


def one_click_works(proof: Proof) -> Iterator[Finding]:
    """``List-Unsubscribe`` with https and mailto, and the one-click header beside it."""
    headers = dict(proof.headers)
    match = _LIST_UNSUBSCRIBE.match(headers.get("List-Unsubscribe", ""))
    if match is None or match[1] != proof.unsubscribe_url:
        yield Finding("list_unsubscribe", "List-Unsubscribe is not <the recipient's https link>, <mailto:…>")
    if headers.get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
        yield Finding("list_unsubscribe_post", "List-Unsubscribe-Post is not List-Unsubscribe=One-Click")


def both_parts_are_there(proof: Proof) -> Iterator[Finding]:
    """A text part and an HTML part, both with words."""
    if not proof.plain:
        yield Finding("text_part_empty", "the plain-text part is empty")
    if not proof.visible:
        yield Finding("html_part_empty", "the HTML part has no words")


def nothing_is_loaded(proof: Proof) -> Iterator[Finding]:
    """No pixel, picture, script, form or style from elsewhere: opening the mail tells nobody anything."""
    html = proof.html.lower()
    tags = words.LOADING_TAGS.intersection(_TAG_NAME.findall(html))
    for mark in (*sorted(tags), *(mark for mark in words.LOADING_MARKS if mark in html)):
        yield Finding("remote_content", f"the HTML part has {mark!r}, which loads or runs something")


def links_stay_home(proof: Proof) -> Iterator[Finding]:
    """Every link is https to the tenant's own domains, or mails the tenant."""
    quoted = proof.html.split('href="')[1:]
    if proof.html.lower().count("href") != len(quoted):
        yield Finding("link_unreadable", 'the HTML part has a link not written as href="…"')
    links = [unescape(rest.partition('"')[0]) for rest in quoted]
    links += [word.strip("<>()[],.;\"'") for word in proof.plain.split() if "://" in word or "www." in word.lower()]
    tenant = proof.tenant
    own = (
        tenant.unsubscribe_url,
        tenant.account_url,
        f"mailto:{tenant.unsubscribe_mailto}",
        f"mailto:{tenant.sender.address}",
    )
    for link in links:
        if link.partition("?")[0] not in own and not tenant.owns_link(link):
            yield Finding("link_foreign", "a link leads elsewhere than to the tenant's domains over https")


def values_are_plain(proof: Proof) -> Iterator[Finding]:
    """What belongs to one recipient is inert, but braces in a name would still read as a broken template."""
    offer = (proof.offer.deadline, proof.offer.code or "") if proof.offer else ()
    for value in (proof.touch_id, proof.salutation, *offer):
        if any(mark in value for mark in words.LEFT_OVER):
            yield Finding("template_leftover", "a value has marks of a template; correct the source")
        if _BIDI_OR_CONTROL.search(value) or _HEADER_UNSAFE.search(value):
            yield Finding("hidden_characters", "a value has control characters or direction marks; correct the source")


def nothing_is_left_over(proof: Proof) -> Iterator[Finding]:
    """No marks of a template and no filler where words should be."""
    for part in (proof.subject, proof.text, proof.visible):
        if any(mark in part for mark in words.LEFT_OVER):
            yield Finding("template_leftover", "marks of a template are left in the message")
            return


def nothing_is_hidden(proof: Proof) -> Iterator[Finding]:
    """No control characters and no marks that turn the reading direction."""
    if any(_BIDI_OR_CONTROL.search(part) for part in (proof.subject, proof.text, proof.html)):
        yield Finding("hidden_characters", "the message has control characters or direction marks")


OF_RECIPIENT: tuple[Check, ...] = (values_are_plain,)
OF_EMAIL: tuple[Check, ...] = (
    subject_is_honest, sender_is_the_brand, company_is_named, way_out_is_visible, one_click_works, both_parts_are_there,
    nothing_is_loaded,
)  # fmt: skip
GENERAL: tuple[Check, ...] = (links_stay_home, nothing_is_left_over, nothing_is_hidden)


def lint(proof: Proof) -> tuple[Finding, ...]:
    """Everything wrong with a draft; nothing for one that may be shown to a signer.

    The recipient's values are judged by themselves and the rest once for all drafts that are equal but for them.
    """
    of_channel = texting.OF_RECIPIENT if proof.channel == "sms" else (headers_are_safe,)
    own = (finding for check in (*OF_RECIPIENT, *of_channel) for finding in check(proof))
    return tuple(dict.fromkeys((*own, *_of_copy(proof.for_nobody()))))


@lru_cache(maxsize=512)
def _of_copy(proof: Proof) -> tuple[Finding, ...]:
    of_channel = texting.OF_TEXT if proof.channel == "sms" else OF_EMAIL
    checks = dict.fromkeys((*of_channel, *GENERAL, *patterns.checks_of(proof)))
    return tuple(finding for check in checks for finding in check(proof))
