"""The constraints of the seven touches: what each must say, and what may be said only with an offer or a claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.messages.letters import TENANT, TOUCH_ID, claimed, proof

from reactivation.messages.fields import own_link
from reactivation.messages.lint import lint
from reactivation.messages.proof import OfferShown, Proof

KEEP, CLOSE = (own_link(f"{TENANT.account_url}/{way}", TOUCH_ID) for way in ("keep", "close"))


def codes(judged: Proof) -> set[str]:
    return {finding.code for finding in lint(judged)}


def shown(**changes: Any) -> OfferShown:
    """A fifth off for sixty hours."""
    made = OfferShown("percent", "20% off", "Once per household.", "Friday, 10:00", None, better_planned=False,
                      value=Decimal(20), valid_for=timedelta(hours=60))  # fmt: skip
    return replace(made, **changes)


def offering(pattern: str, said: str = "", **changes: Any) -> Proof:
    """A message of a pattern that makes an offer."""
    offer = shown(**changes)
    words = f"{offer.reward} until {offer.deadline}. {offer.terms} {said}"
    return replace(proof(words), pattern=pattern, offer=offer)


class TestCuriosity:
    @pytest.mark.parametrize(("words", "code"), [
        ("How was the boiler service?", "product_named"), ("Only £20 today", "incentive_without_offer"),
        ("A discount awaits", "incentive_without_offer"), ("Our prices fell", "incentive_without_offer"),
    ])  # fmt: skip
    def test_sells_nothing(self, words: str, code: str) -> None:
        """Neither product nor price, discount nor incentive."""
        assert code in codes(proof(words))


class TestRelevance:
    def test_names_its_product_in_both_parts(self) -> None:
        """A recommendation recommends something."""
        named = replace(proof("Perhaps Gutter clearing?"), pattern="relevance", product="Gutter clearing")
        assert lint(named) == ()
        assert codes(replace(named, product=None)) == {"product_missing"}
        assert codes(replace(named, text=named.text.replace("Gutter", "Garden"))) == {"product_not_named"}

    def test_carries_no_incentive(self) -> None:
        """Relevance is the whole argument."""
        priced = replace(proof("Gutter clearing, now £20"), pattern="relevance", product="Gutter clearing")
        assert codes(priced) == {"incentive_without_offer"}


class TestTrust:
    def test_a_claim_word_for_word_passes(self) -> None:
        """The reviewed words, in quotation marks or not."""
        assert lint(claimed("On record:")) == ()
        assert lint(claimed(said="“They came on a Sunday.”")) == ()

    @pytest.mark.parametrize(("judged", "code"), [
        (replace(proof(), pattern="trust"), "claim_missing"),
        (claimed(said="They came on a Monday."), "claim_paraphrased"),
        (claimed("“The best plumbers in Bristol.”"), "quote_unproven"),
        (claimed("«The best plumbers in Bristol.»"), "quote_unproven"),
        (claimed('"The best plumbers in Bristol."'), "quote_unproven"),
        (claimed("A voucher too."), "incentive_without_offer"),
    ])  # fmt: skip
    def test_testimonials_are_never_written_by_us(self, judged: Proof, code: str) -> None:
        """No claim, other words, a second quotation, or an incentive beside it."""
        assert code in codes(judged)

    @pytest.mark.parametrize("words", [
        "Customers like you love it.", "9 out of 10 came back.", "Rated 4.8 stars.", "Thousands of homes.",
        "Read our reviews.", "People near you chose it.",
    ])  # fmt: skip
    def test_social_proof_needs_a_claim_about_others(self, words: str) -> None:
        """A claim about stock proves nothing about neighbours."""
        assert "social_proof_unproven" in codes(proof(words))
        assert "social_proof_unproven" in codes(claimed(words, pattern="finality", kind="benefit"))
        assert "social_proof_unproven" not in codes(claimed(words))


class TestUrgency:
    def test_rests_on_something_limited(self) -> None:
        """A claim about it, or early access; neither is fake scarcity."""
        assert lint(claimed("Hurry:", pattern="urgency", kind="stock")) == ()
        access = offering("urgency", kind="early_access", reward="First pick", valid_for=timedelta(days=60))
        assert lint(access) == ()
        assert codes(replace(proof(), pattern="urgency")) == {"limit_unproven"}

    def test_gives_access_and_no_money(self) -> None:
        """Status is not bought."""
        assert "offer_is_money" in codes(offering("urgency"))

    @pytest.mark.parametrize("words", [
        "Only 3 left.", "Last few places.", "Hurry.", "Limited.", "Selling fast.", "While stocks last.",
        "Ends tonight.",
    ])  # fmt: skip
    def test_scarcity_is_never_made_up(self, words: str) -> None:
        """In no touch, without a claim or an offer that says so."""
        assert "scarcity_unproven" in codes(proof(words))
        assert "scarcity_unproven" in codes(claimed(words))
        assert "scarcity_unproven" not in codes(claimed(words, pattern="urgency", kind="stock"))


class TestEconomicIncentive:
    def test_a_fifth_for_two_to_three_days_passes(self) -> None:
        """The ends count: exactly 20 %, 48 hours and 72 hours."""
        assert lint(offering("economic_incentive")) == ()
        for hours in (48, 72):
            assert lint(offering("economic_incentive", valid_for=timedelta(hours=hours))) == ()

    @pytest.mark.parametrize(("changes", "code"), [
        ({"value": Decimal("19.9"), "reward": "19.9% off"}, "discount_small"), ({"kind": "credit"}, "discount_small"),
        ({"valid_for": timedelta(hours=47, minutes=59)}, "offer_valid_for"),
        ({"valid_for": timedelta(hours=72, minutes=1)}, "offer_valid_for"),
    ])  # fmt: skip
    def test_less_or_longer_does_not(self, changes: dict[str, Any], code: str) -> None:
        """A small discount is none; a long one is no reason to act."""
        assert codes(offering("economic_incentive", **changes)) == {code}


class TestFinality:
    def asking(self, **changes: Any) -> Proof:
        """Asks about closing, with both answers in both parts."""
        judged = claimed(f"Should we close your account? {KEEP} {CLOSE}", pattern="finality", kind="benefit")
        links = f'<a href="{KEEP}">Keep</a><a href="{CLOSE}">Close</a></body>'
        judged = replace(judged, html=judged.html.replace("</body>", links), keep_url=KEEP, close_url=CLOSE)
        return replace(judged, **changes)

    def test_asks_with_both_answers(self) -> None:
        """Two links, in both parts, each of its own recipient."""
        assert lint(self.asking()) == ()

    @pytest.mark.parametrize("gone", [KEEP, CLOSE])
    @pytest.mark.parametrize("part", ["text", "html"])
    def test_an_answer_that_is_missing_is_found(self, gone: str, part: str) -> None:
        """In either part."""
        judged = self.asking()
        without = getattr(judged, part).replace(gone, TENANT.account_url)
        assert codes(replace(judged, **{part: without})) == {"answer_missing"}

    def test_a_tenant_without_the_links_cannot_ask(self) -> None:
        """Where closing does not work it is not asked about."""
        assert codes(self.asking(close_url=None)) == {"answer_missing"}

    @pytest.mark.parametrize("words", [
        "Your account will be closed on Friday.", "We will close it.", "We are deleting your profile.",
        "It is going to be removed soon.", "Your membership is being deactivated.",
    ])  # fmt: skip
    def test_closure_is_a_fact_only_with_a_claim_of_it(self, words: str) -> None:
        """A reviewed claim that it is really scheduled; else it may be asked, never stated."""
        assert "closure_stated" in codes(claimed(words, pattern="finality", kind="benefit"))
        assert "closure_stated" not in codes(claimed(words, pattern="finality", kind="closure"))
        assert "closure_stated" in codes(proof(words))

    def test_a_loss_is_proven(self) -> None:
        """Loss aversion from a loss that is true; only the claim may say which incentive would be lost."""
        assert codes(replace(proof(), pattern="finality")) == {"claim_missing"}
        lost = claimed(pattern="finality", kind="benefit")
        assert lost.claim is not None
        points = {
            part: getattr(lost, part).replace("They came on a Sunday.", "500 points expire.")
            for part in ("text", "html")
        }
        expiring = replace(lost, claim=replace(lost.claim, text="500 points expire."), **points)
        assert lint(expiring) == ()
        assert codes(replace(expiring, text=f"{expiring.text} And 10 points more.")) == {"incentive_without_offer"}
