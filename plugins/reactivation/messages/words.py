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
    r"|percent\w*|per cent|money off|special terms|limited time|complimentary|on the house|(?:no|half|without) charge"
    r"|buy one|(?:two|2) for (?:one|1))\b|[%‰]|[£$€¥]\s?\d|\d\s?[£$€¥]|\b(?:gbp|eur|usd|chf)\s?\d"
    r"|\b\d+(?:[.,]\d\d)? ?(?:gbp|eur|usd|chf|pounds?|euros?|dollars?|francs?|quid)\b"
)
PERCENT = re.compile(r"[%‰]|\bpercent\w*|\bper cent\b")
BEST_OR_LAST = re.compile(
    r"\b(?:best|biggest|highest|greatest|last|final|ultimate|never again)\b[^.!?]{0,30}"
    r"\b(?:offer|deal|discount|credit|reward|points|chance|price)|\b(?:last|final) (?:chance|call)\b"
)

#: Scarcity and haste in lower-case copy, which are said only of what is really limited.
SCARCITY = re.compile(
    r"\b(?:(?:only|just) (?:\d+|a few|two|three|four|five) (?:left|places?|spots?|remaining)"
    r"|last (?:few )?(?:places?|spots?)|limited(?! company)|hurry|running (?:out|low)|selling fast|almost gone"
    r"|before (?:it is|it's|they are|they're) gone|while (?:stocks?|supplies) lasts?"
    r"|ends? (?:soon|today|tonight)|act (?:now|fast)|don't miss|exclusive(?:ly)?)\b"
)
#: Social proof in lower-case copy, which is said only with a reviewed claim.
SOCIAL = re.compile(
    r"\b(?:(?:customers?|people|neighbou?rs?|households?|others) (?:like you|near you|say|said|love|tell|told|rate)"
    r"|testimonials?|reviews?|rated|\d+(?:\.\d)? stars?|\d+ (?:out of|in) \d+|(?:thousands|hundreds|dozens) of"
    r"|every(?:one|body) (?:loves|says))\b|★"
)
#: A passage in quotation marks: somebody else's words.
QUOTED = re.compile(r"“([^”]{8,})”|«([^»]{8,})»|\"([^\"]{8,})\"")
#: Lower-case copy that says as a fact that an account is or will be closed, and copy that asks about it.
CLOSURE_STATED = re.compile(
    r"\b(?:account|profile|membership|it)\b[^.?!]{0,40}"
    r"\b(?:will be|is being|is going to be|has been|is due to be|gets?) (?:closed|deleted|removed|deactivated)\b"
    r"|\bwe (?:will|shall|must|have to|need to|are going to|are about to|plan to) (?:close|delete|remove|deactivate)\b"
    r"|\b(?:we are|we're) (?:closing|deleting|removing|deactivating)\b"
)
CLOSURE_ASKED = re.compile(r"\b(?:close|delete|keep) (?:your|my|the) (?:account|profile|membership)\b|\bclose it\b")

#: A text message's sentence for leaving.
SMS_WAY_OUT = re.compile(r"\b(?:reply|text|send) STOP\b", re.IGNORECASE)
#: Capitals that are to be typed as they stand.
REPLIES = frozenset({"STOP", "KEEP", "CLOSE", "HELP"})
SHOUTED = re.compile(r"(?<![\w-])[A-Z]{4,}(?![\w-])")
#: What carriers refuse whatever the consent: sex, hate, alcohol, firearms, tobacco, drugs, gambling, debt and schemes.
SMS_PROHIBITED = re.compile(
    r"\b(?:porn\w*|escorts?|adult (?:content|toys)|alcohol|beers?|wines?|whisk(?:e)?y|vodka|firearms?|guns?|ammunition"
    r"|tobacco|cigarettes?|vap(?:e|es|ing)|cannabis|cbd|thc|marijuana|kratom|casinos?|gambling|bet(?:s|ting)"
    r"|lotter(?:y|ies)|sweepstakes?|payday loans?|debt (?:relief|consolidation|forgiveness)"
    r"|credit repair|crypto\w*|forex|work from home"
    r"|get rich|prescription drugs?)\b"
)

#: What in lower-case HTML loads or runs something.
LOADING_TAGS = frozenset({
    "audio", "base", "embed", "form", "frame", "iframe", "img", "input", "link", "object", "picture", "script",
    "source", "svg", "video",
})  # fmt: skip
LOADING_MARKS = ("background=", "srcset", "url(", "@import", "@font-face", 'http-equiv="refresh')
LEFT_OVER = ("{{", "}}", "{%", "%}", "{#", "#}", "[[", "]]", "*|", "|*", "Lorem ipsum", "lorem ipsum")


def names_one_of(copy: str, names: Iterable[str]) -> bool:
    """Whether the copy says one of the names, written as the copy is, as whole words."""
    wanted = (name.strip() for name in names)
    return any(name and name in copy and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", copy) for name in wanted)
