"""The constraints of each touch of framework 003, and what may be said only with an offer or a claim.

Source: seed document 003 (seven touches); PLAYBOOKS.md, section 1; RULES.md, Content (offers, claims).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from reactivation.messages import words
from reactivation.messages.account_fields import FACTS_AT_LEAST
from reactivation.messages.proof import Check, Finding, Proof, as_read

_NEAR = 600
_PERCENT_AT_LEAST = 20
_VALID_AT_LEAST, _VALID_AT_MOST = timedelta(hours=48), timedelta(hours=72)


def no_incentive(proof: Proof) -> Iterator[Finding]:
    """Without an offer there is no word, amount or code of one; a claim may say which incentive would be lost."""
    found = words.INCENTIVE.search(proof.own_words if proof.pattern == "finality" else proof.copy)
    if found:
        yield Finding("incentive_without_offer", f"the message speaks of {found[0]!r} but carries no offer")


def no_product(proof: Proof) -> Iterator[Finding]:
    """A pattern interrupt does not sell: no product is named."""
    if words.names_one_of(proof.copy, map(as_read, proof.product_names)):
        yield Finding("product_named", "the message names a product; this pattern names none")


def no_percent(proof: Proof) -> Iterator[Finding]:
    """A value reward is credit or points, never a percentage."""
    if (proof.offer and proof.offer.kind == "percent") or words.PERCENT.search(proof.copy):
        yield Finding(
            "percent_in_reward", "the message states a percentage; this pattern rewards with credit or points"
        )


def offer_is_present(proof: Proof) -> Iterator[Finding]:
    """A pattern that rewards carries the offer it rewards with."""
    if proof.offer is None:
        yield Finding("offer_missing", "this pattern needs an offer, and the draft has none")


def offer_is_whole(proof: Proof) -> Iterator[Finding]:
    """Reward, terms, deadline and code stand in both parts, and the terms are next to the claim."""
    if proof.offer is None:
        return
    for part in (proof.plain, proof.visible):
        for code in ("reward", "terms", "deadline", "code"):
            value = getattr(proof.offer, code)
            if value is not None and value not in part:
                yield Finding(f"offer_{code}_missing", f"the offer's {code} is not in both parts of the message")
        terms = part.find(proof.offer.terms)
        if terms >= 0 and proof.offer.reward not in part[max(terms - _NEAR, 0) : terms]:
            yield Finding("terms_far_from_claim", "the terms do not stand next to the claim")


def not_called_best_or_last(proof: Proof) -> Iterator[Finding]:
    """An offer is not called the best or the last while a better one is planned."""
    if proof.offer and proof.offer.better_planned and words.BEST_OR_LAST.search(proof.copy):
        yield Finding("offer_called_last", "the offer is called best or last, but a better one is planned")


def percent_is_enough(proof: Proof) -> Iterator[Finding]:
    """The first real discount: a fifth or more, for two to three days from the planned send."""
    offer = proof.offer
    if offer is None:
        return
    if offer.kind != "percent" or offer.value < _PERCENT_AT_LEAST:
        yield Finding("discount_small", f"this pattern gives {_PERCENT_AT_LEAST} % or more, and the offer does not")
    if not _VALID_AT_LEAST <= offer.valid_for <= _VALID_AT_MOST:
        yield Finding("offer_valid_for", "the offer is not valid for 48 to 72 hours from the planned send")


def access_is_no_money(proof: Proof) -> Iterator[Finding]:
    """A status pattern gives access and nothing that has a price."""
    if proof.offer is not None and proof.offer.kind != "early_access":
        yield Finding("offer_is_money", f"this pattern gives early access, and the offer is of kind {proof.offer.kind}")


def limit_is_real(proof: Proof) -> Iterator[Finding]:
    """Urgency rests on something that is limited: a claim about it, or access that ends."""
    if proof.claim is None and proof.offer is None:
        yield Finding("limit_unproven", "this pattern needs a claim or early access, and the draft has neither")


def claim_is_present(proof: Proof) -> Iterator[Finding]:
    """A pattern that lives on evidence has some."""
    if proof.claim is None:
        yield Finding("claim_missing", "this pattern needs a reviewed claim, and the draft has none")


def claim_is_word_for_word(proof: Proof) -> Iterator[Finding]:
    """The claim's own words stand in both parts, unchanged."""
    if proof.claim and not (proof.claim.text in proof.plain and proof.claim.text in proof.visible):
        yield Finding("claim_paraphrased", "the claim's own words are not in both parts of the message")


def nobody_else_is_quoted(proof: Proof) -> Iterator[Finding]:
    """What stands in quotation marks is the reviewed claim and nothing else: testimonials are never written by us."""
    claim = proof.claim.text if proof.claim else ""
    for part in (proof.plain, proof.visible):
        rest = part.replace(claim, "") if claim else part
        if words.QUOTED.search(rest):
            yield Finding("quote_unproven", "the message quotes somebody, and no reviewed claim has these words")
            return


def product_is_recommended(proof: Proof) -> Iterator[Finding]:
    """The recommendation names its product in both parts."""
    if proof.product is None:
        yield Finding("product_missing", "this pattern recommends a product, and the draft has none")
    elif not (proof.product in proof.plain and proof.product in proof.visible):
        yield Finding("product_not_named", "the recommended product is not in both parts of the message")


def scarcity_is_proven(proof: Proof) -> Iterator[Finding]:
    """Haste and scarcity are spoken of only with an offer that ends or a claim about what is left or lost."""
    proven = proof.offer is not None or (
        proof.claim is not None and proof.claim.kind in ("stock", "benefit", "closure")
    )
    found = words.SCARCITY.search(proof.own_words)
    if found and not proven:
        yield Finding("scarcity_unproven", f"the message says {found[0]!r}, and nothing shows that it is true")


def social_proof_is_proven(proof: Proof) -> Iterator[Finding]:
    """What others do or say is told only with a reviewed claim about it."""
    found = words.SOCIAL.search(proof.own_words)
    if found and not (proof.claim is not None and proof.claim.kind in ("review", "community")):
        yield Finding("social_proof_unproven", f"the message says {found[0]!r}, and no reviewed claim stands behind it")


def closure_is_true(proof: Proof) -> Iterator[Finding]:
    """That an account will be closed is a fact only where a reviewed claim says that it is really scheduled."""
    if words.CLOSURE_STATED.search(proof.copy) and not (proof.claim and proof.claim.kind == "closure"):
        yield Finding(
            "closure_stated", "the message states that an account is closed, and no claim says so; ask instead"
        )


def both_answers_work(proof: Proof) -> Iterator[Finding]:
    """Whether to close an account is asked only where keeping and closing are equally easy."""
    if not words.CLOSURE_ASKED.search(proof.copy):
        return
    if proof.channel == "sms":
        ways = [re.search(rf"\b{word}\b", proof.text) is not None for word in ("KEEP", "CLOSE")]
    else:
        linked = [f'href="{url.replace("&", "&amp;")}"' if url else None for url in (proof.keep_url, proof.close_url)]
        ways = [link is not None and link in proof.html for link in linked]
        ways += [url is not None and url in proof.text.split() for url in (proof.keep_url, proof.close_url)]
    if not all(ways):
        yield Finding("answer_missing", "the message asks about closing, and does not offer both answers in every part")


def speaks_of_its_account(proof: Proof) -> Iterator[Finding]:
    """A message to an account states at least two facts of it, in both parts: else it is a generic comeback message."""
    if proof.account_facts is None:
        return
    stated = sum(fact in proof.plain and fact in proof.visible for fact in proof.account_facts)
    if stated < FACTS_AT_LEAST:
        yield Finding(
            "account_facts_few", f"the message states {stated} facts of the account; {FACTS_AT_LEAST} are the least"
        )


_ALWAYS: tuple[Check, ...] = (
    nobody_else_is_quoted, scarcity_is_proven, social_proof_is_proven, closure_is_true, both_answers_work,
    claim_is_word_for_word, speaks_of_its_account,
)  # fmt: skip
_WITHOUT_OFFER: tuple[Check, ...] = (no_incentive,)
_WITH_OFFER: tuple[Check, ...] = (offer_is_whole, not_called_best_or_last)
_OF_PATTERN: dict[str, tuple[Check, ...]] = {
    "curiosity": (no_incentive, no_product),
    "relevance": (no_incentive, product_is_recommended),
    "value_reward": (offer_is_present, no_percent),
    "trust": (no_incentive, claim_is_present),
    "urgency": (no_incentive, access_is_no_money, limit_is_real),
    "economic_incentive": (offer_is_present, percent_is_enough),
    "finality": (no_incentive, claim_is_present),
    "re_engagement": (no_incentive,),
    "follow_up": (no_incentive,),
    "check_in": (no_incentive, no_product),
    "issue_resolution": (no_incentive, no_product),
}


def checks_of(proof: Proof) -> tuple[Check, ...]:
    """The checks of a message's pattern, and of the offer it has or has not."""
    return (*_ALWAYS, *(_WITH_OFFER if proof.offer else _WITHOUT_OFFER), *_OF_PATTERN[proof.pattern])
