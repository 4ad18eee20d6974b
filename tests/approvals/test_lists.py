"""Drafted touches become lists that one named person can sign in one go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approvals.asked import NOW

from reactivation.approvals import content_lists, offer_lists, signing_code
from reactivation.approvals.lists import DraftedTouch, Lists, ListToSign, Offer
from reactivation.playbooks.owners import Absence, Owner, Owners

THREE_DAYS = timedelta(days=3)
CREDIT = Offer("offer-credit-15", "15 pounds off your next booking. One per customer.", Decimal("15.00"), "GBP")


def owner(user: str, *roles: Any, delegate: str | None = None) -> Owner:
    return Owner(user=user, name=user.title(), email=f"{user}@harbour-finch.example", roles=roles, delegate=delegate)


OWNERS = Owners(
    {
        "own-ada": owner("ada", "marketing_owner", delegate="own-ben"),
        "own-ben": owner("ben", "marketing_owner", "account_owner"),
        "own-olu": owner("olu", "offer_approver"),
        "own-cleo": owner("cleo", "compliance"),
    },
    "d" * 64,
)


def drafted(n: int, **changes: Any) -> DraftedTouch:
    """Touch 1 of the n-th household customer, Ada's, by e-mail, without an offer."""
    facts: dict[str, Any] = {
        "touch_id": f"t-{n}", "customer_id": f"c-{n}", "playbook": "customer_reactivation", "owner_id": "own-ada",
        "segment": "household", "number": 1, "channel": "email", "draft_digest": f"{n:064x}",
        "not_after": NOW + timedelta(days=5), "individual": False,
    }  # fmt: skip
    return DraftedTouch(**(facts | changes))


def content(*touches: DraftedTouch, authors: Any = ("operator",)) -> Lists:
    return content_lists(touches, owners=OWNERS, authors=authors, now=NOW, today=NOW.date(), answer_within=THREE_DAYS)


def offers(*touches: DraftedTouch, authors: Any = ("operator",), owners: Owners = OWNERS) -> Lists:
    return offer_lists(touches, owners=owners, authors=authors, now=NOW, answer_within=THREE_DAYS)


def only(lists: Lists) -> ListToSign:
    (one,) = lists.opened
    assert lists.not_opened == ()
    return one


class TestContentLists:
    @pytest.mark.parametrize(
        "other",
        [{"owner_id": "own-ben"}, {"number": 3}, {"segment": "care_plan"}, {"channel": "sms"}, {"playbook": "another"}],
    )
    def test_one_per_owner_playbook_touch_segment_and_channel(self, other: dict[str, Any]) -> None:
        """Whatever differs in one of these is asked about apart; SMS above all."""
        lists = content(drafted(1), drafted(2), drafted(3, **other))

        assert sorted(len(made.items) for made in lists.opened) == [1, 2]

    def test_the_owner_and_the_delegate_may_sign(self) -> None:
        """Signers come from the configuration, each with the owner entry he signs as."""
        signers = only(content(drafted(1))).signers

        assert [(s.user_id, s.owner_id, s.role) for s in signers] == [
            ("ada", "own-ada", "marketing_owner"),
            ("ben", "own-ben", "marketing_owner"),
        ]

    @pytest.mark.parametrize("author", ["ada", "own-ada"])
    def test_who_wrote_it_or_ran_it_may_not_sign(self, author: str) -> None:
        """An author is no signer, named by user or by owner id."""
        made = only(content(drafted(1), authors=("operator", author)))

        assert [s.user_id for s in made.signers] == ["ben"]
        assert {"operator", "ada"} <= set(made.authors)

    @pytest.mark.parametrize(
        ("owner_id", "authors", "reason"),
        [
            ("own-gone", (), "unknown_owner"),
            ("own-cleo", (), "owner_may_not_sign"),
            ("own-ada", ("ada", "ben"), "only_authors_could_sign"),
        ],
    )
    def test_a_list_nobody_may_sign_is_not_opened_and_says_why(self, owner_id: str, authors: Any, reason: str) -> None:
        """No signer, no list: the count and the reason come back instead."""
        lists = content(drafted(1, owner_id=owner_id), drafted(2, owner_id=owner_id), authors=authors)

        assert lists.opened == ()
        assert [(n.items, n.reason, n.owner_id) for n in lists.not_opened] == [(2, reason, owner_id)]

    def test_list_whose_signers_are_all_away_is_not_opened_and_says_whose_touches_wait(self) -> None:
        """Neither the owner nor whom he delegates to, and no deputy: another reason than having no right."""
        off = (Absence(since=NOW.date(), until=NOW.date()),)
        away = {one: OWNERS.by_id[one].model_copy(update={"away": off}) for one in ("own-ada", "own-ben")}
        lists = content_lists(
            [drafted(1)], owners=Owners(OWNERS.by_id | away, "d" * 64), authors=(), now=NOW, today=NOW.date(),
            answer_within=THREE_DAYS,
        )  # fmt: skip

        assert [(n.reason, n.touch_ids) for n in lists.not_opened] == [("owner_away", ("t-1",))]

    def test_what_nobody_answered_goes_to_the_deputy_besides(self) -> None:
        """He is one of its signers from then on."""
        owners = Owners(OWNERS.by_id | {"own-eve": owner("eve", "marketing_owner")}, "d" * 64,
                        {"marketing_owner": "own-eve"})  # fmt: skip
        made = only(content_lists([drafted(1, escalated=True)], owners=owners, authors=(), now=NOW, today=NOW.date(),
                                  answer_within=THREE_DAYS))  # fmt: skip

        assert {s.user_id for s in made.signers} == {"ada", "ben", "eve"}

    def test_individual_items_come_first_and_numbers_have_no_gap(self) -> None:
        """The people who need a decision of their own stand at the top."""
        made = only(content(drafted(1), drafted(2, individual=True, review_reasons=("high_value",)), drafted(3)))

        assert [(i.position, i.customer_id, i.individual) for i in made.items] == [
            (1, "c-2", True), (2, "c-1", False), (3, "c-3", False),
        ]  # fmt: skip
        assert made.items[0].review_reasons == ("high_value",)

    def test_nobody_is_asked_longer_than_the_bytes_may_go_out(self) -> None:
        """A list ends with the last window in it, or when the time to answer is over."""
        assert only(content(drafted(1), drafted(2, not_after=NOW + timedelta(days=9)))).expires_at == NOW + THREE_DAYS
        assert only(content(drafted(1, not_after=NOW + timedelta(days=1)))).expires_at == NOW + timedelta(days=1)


class TestOfferLists:
    def test_one_per_offer_touch_and_segment_whoever_owns_the_customers(self) -> None:
        """Offers are signed across owners, with all ids and the most they can cost."""
        made = only(offers(drafted(1, offer=CREDIT), drafted(2, offer=CREDIT, owner_id="own-ben"), drafted(3)))

        assert [i.customer_id for i in made.items] == ["c-1", "c-2"]
        assert (made.cost, made.currency, made.offer_terms) == (Decimal("30.00"), "GBP", CREDIT.terms)
        assert [s.user_id for s in made.signers] == ["olu"]

    @pytest.mark.parametrize(
        "other",
        [
            {"offer": replace(CREDIT, offer_id="offer-credit-20")},
            {"offer": replace(CREDIT, terms="15 pounds off, this week only.")},
            {"offer": CREDIT, "segment": "care_plan"},
            {"offer": CREDIT, "number": 6},
            {"offer": CREDIT, "channel": "sms"},
        ],
    )
    def test_other_terms_are_another_question(self, other: dict[str, Any]) -> None:
        """An approver signs one text of terms for one touch of one segment."""
        assert len(offers(drafted(1, offer=CREDIT), drafted(2, **other)).opened) == 2

    def test_no_item_of_an_offer_list_is_individual(self) -> None:
        """The person is the owner's decision; the offer is signed for the group."""
        assert not only(offers(drafted(1, offer=CREDIT, individual=True))).items[0].individual

    def test_an_offer_of_unknown_cost_is_not_asked_about(self) -> None:
        """Unknown is no: a cost nobody knows cannot be agreed to."""
        (refused,) = offers(drafted(1, offer=replace(CREDIT, unit_cost=None))).not_opened

        assert refused.reason == "offer_cost_unknown"

    def test_without_an_approver_nothing_is_opened(self) -> None:
        """The reason tells a missing approver from one who wrote the text himself."""
        nobody = Owners({"own-ada": OWNERS.by_id["own-ada"].model_copy(update={"delegate": None})}, "d" * 64)

        assert offers(drafted(1, offer=CREDIT), owners=nobody).not_opened[0].reason == "no_offer_approver"
        assert offers(drafted(1, offer=CREDIT), authors=["olu"]).not_opened[0].reason == "only_authors_could_sign"


class TestDigest:
    def test_the_code_is_the_beginning_of_the_digest(self) -> None:
        """Eight hex digits a person can type."""
        digest = only(content(drafted(1))).digest("l-1")

        assert len(digest) == 64
        assert signing_code(digest) == digest[:8]

    def test_another_list_of_the_same_items_has_another_code(self) -> None:
        """A code from an earlier list does not open this one."""
        made = only(content(drafted(1)))

        assert made.digest("l-1") != made.digest("l-2")

    @pytest.mark.parametrize(
        "change",
        [
            {"draft_digest": "f" * 64}, {"touch_id": "t-9"}, {"customer_id": "c-9"}, {"individual": True},
            {"review_reasons": ("sensitive",)},
        ],
    )  # fmt: skip
    def test_anything_in_an_item_changes_the_digest(self, change: dict[str, Any]) -> None:
        """What is signed is every item as it stands."""
        before, after = content(drafted(1), drafted(2)), content(drafted(1), drafted(2, **change))

        assert only(before).digest("l-1") != only(after).digest("l-1")

    @given(st.permutations([1, 2, 3, 4, 5]))
    def test_the_order_of_the_drafts_does_not_matter(self, order: list[int]) -> None:
        """The same touches make the same list with the same digest."""
        shuffled = only(content(*[drafted(n, individual=n == 4) for n in order]))
        sorted_ = only(content(*[drafted(n, individual=n == 4) for n in range(1, 6)]))

        assert shuffled.digest("l-1") == sorted_.digest("l-1")
