"""The words the checks look for, as data: what makes an incentive, a faked subject, a picture that reports back."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A subject that begins like an answer, in the languages mail programs use.
THREAD_MARK = re.compile(r"^\s*(?:re|fw|fwd|aw|wg|antw|sv|vs|tr|rif|odp|enc)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)

#: A subject that pretends something happened: a conversation, an order, an account event.
FAKED_EVENT = re.compile(
    r"\b(?:your (?:recent |last )?(?:order|invoice|receipt|payment|refund|parcel|delivery|booking|appointment|visit)"
    r"|order (?:confirm|number|#|status)|(?:booking|payment|delivery|order|appointment) confirm"
    r"|invoice|receipt|shipped|out for delivery|tracking number"
    r"|account (?:is |was |has been |will be )?(?:clos|suspend|lock|deactivat|expir|credited|updated|on hold)"
    r"|password|security alert|sign-?in|log-?in attempt|verify your|confirm your|action required|final notice"
    r"|as (?:discussed|promised|agreed)|following up on our|our (?:call|chat|conversation|meeting)"
    r"|missed (?:call|you))",
    re.IGNORECASE,
)

#: Lower-case words, amounts and marks of an incentive. ``feel free`` is none.
INCENTIVE = re.compile(
    r"\b(?:discount\w*|coupons?|vouchers?|promo\w*|cashback|rebates?|bonus\w*|rewards?|gifts?|freebies?|gratis"
    r"|(?<!feel )free|credits?|points|deals?|offers?|sales?|savings?|save|prices?|pricing|bargains?|cheap\w*"
    r"|percent\w*|per cent|money off|special terms|limited time)\b|[%‰]|[£$€¥]\s?\d"
    r"|\b\d+(?:[.,]\d\d)? ?(?:gbp|eur|usd|chf)\b"
)
PERCENT = re.compile(r"[%‰]|\bpercent\w*|\bper cent\b")
BEST_OR_LAST = re.compile(
    r"\b(?:best|biggest|highest|greatest|last|final|ultimate|never again)\b[^.!?]{0,30}"
    r"\b(?:offer|deal|discount|credit|reward|points|chance|price)|\b(?:last|final) (?:chance|call)\b"
)

#: What in lower-case HTML loads or runs something.
LOADING_TAGS = frozenset({
    "audio", "base", "embed", "form", "frame", "iframe", "img", "input", "link", "object", "picture", "script",
    "source", "svg", "video",
})  # fmt: skip
LOADING_MARKS = ("background=", "srcset", "url(", "@import", "@font-face", 'http-equiv="refresh')
LEFT_OVER = ("{{", "}}", "{%", "%}", "{#", "#}", "[[", "]]", "*|", "|*", "Lorem ipsum", "lorem ipsum")


def names_one_of(copy: str, names: Iterable[str]) -> bool:
    """Whether the lower-case copy says the name of a product as whole words."""
    wanted = (name.lower().strip() for name in names)
    return any(name and name in copy and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", copy) for name in wanted)
