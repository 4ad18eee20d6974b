"""Gate 1, in scope: in this playbook's population, in no other, not cooling down, not too often enrolled."""

from __future__ import annotations

from functools import cache

import pytest
from tests.policy.people import Row, ago, known, one, person, playbook, stories, two_emails


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"contact": {"is_subscriber_only": True}}, "fail:subscriber_only"),
        ({"contact": {"is_subscriber_only": None}}, "fail:subscriber_only"),
    ],
)
def test_who_only_reads_the_newsletter_is_in_no_playbook(change: Row, reason: str) -> None:
    """Not a candidate, and told why."""
    assert stories({"reader": change})["reader"]["gate_in_scope"] == reason


#: What the ledger knows of an address key, and whether its customer is in scope.
KNOWN: tuple[tuple[Row, str], ...] = (
    ({"active_playbook": "customers_not_active"}, "fail:other_playbook"),
    ({"active_playbook": "customer_reactivation", "enrolments_total": 3}, "pass"),
    ({"last_ended_at": ago(179), "last_ended_playbook": "customer_reactivation"}, "fail:cool_down"),
    ({"last_ended_at": ago(180), "last_ended_playbook": "customer_reactivation"}, "pass"),
    ({"last_ended_at": ago(10), "last_ended_playbook": "customers_not_active"}, "pass"),
    ({"enrolments_total": 3}, "fail:lifetime_cap"),
    ({"enrolments_total": 2}, "pass"),
)


@cache
def known_to_the_ledger() -> dict[str, Row]:
    """A customer for each, and for each of the two keys it may be known by."""
    named = {f"{key}-{number}": (key, knows) for key in ("mail", "phone") for number, (knows, _) in enumerate(KNOWN)}
    phoned = {"phone_problem": None, "phone_country": "GB"}
    return stories(
        {name: {"contact": phoned | {"phone_key": f"phone-{name}"}} for name in named},
        *(known(f"{key}-{name}", **knows) for name, (key, knows) in named.items()),
    )


@pytest.mark.parametrize("number", range(len(KNOWN)))
@pytest.mark.parametrize("key", ["mail", "phone"])
def test_scope_by_what_the_ledger_knows(number: int, key: str) -> None:
    """By e-mail or phone key: one playbook at a time, cool-down, lifetime cap."""
    assert known_to_the_ledger()[f"{key}-{number}"]["gate_in_scope"] == KNOWN[number][1]


def test_an_enrolment_of_ones_own_is_told() -> None:
    """Who is in this playbook already stays a candidate, marked."""
    assert one(person(), known(active_playbook="customer_reactivation"))["enrolled"] is True
    assert one(person())["enrolled"] is False


def test_only_customers_with_a_wanted_tag_are_in_scope() -> None:
    """Where a playbook filters by tag."""
    wanted = playbook().population.model_copy(update={"only_tags": ("vip",)})
    declared = playbook().model_copy(update={"population": wanted})

    rows = stories({"tagged": {"contact": {"tags": ["old", "vip"]}}, "plain": {}}, declared=declared)

    assert (rows["tagged"]["gate_in_scope"], rows["plain"]["gate_in_scope"]) == ("pass", "fail:tag")


def test_a_tag_of_ours_counts_like_one_of_the_source() -> None:
    """By e-mail or phone key; the source may not have been told of it yet."""
    wanted = playbook().population.model_copy(update={"only_tags": ("quiet",)})
    declared = playbook().model_copy(update={"population": wanted})
    told = {name: {"contact": {"phone_key": f"phone-{name}"}} for name in ("mail", "phone", "other", "none")}

    rows = stories(
        told, {"address_key": "mail-mail", "tags": ["quiet"]}, {"address_key": "phone-phone", "tags": ["old", "quiet"]},
        {"address_key": "mail-other", "tags": ["old"]}, declared=declared,
    )  # fmt: skip

    assert {name: row["gate_in_scope"] for name, row in rows.items()} == {
        "mail": "pass", "phone": "pass", "other": "fail:tag", "none": "fail:tag"
    }  # fmt: skip


class TestPrecedence:
    """The playbook that goes first has its candidates for itself, whichever of them ran first."""

    def test_candidate_of_a_playbook_that_goes_first_is_none_of_the_next(self) -> None:
        """Quiet for 130 days: both would want him."""
        row = stories({"both": {}}, declared=two_emails(), before=[playbook()])["both"]

        assert row["gate_in_scope"] == "fail:precedence"

    def test_who_the_first_playbook_does_not_want_is_the_nexts(self) -> None:
        """A business customer quiet for 100 days: its window is 120 there and 90 here."""
        quiet = {"contact": {"business_segment": "business"}, "purchases": {"last_order_at": ago(100),
                 "last_purchase_at": ago(100)}}  # fmt: skip

        row = stories({"next": quiet}, declared=two_emails(), before=[playbook()])["next"]

        assert (row["gate_in_scope"], row["gate_dormant"]) == ("pass", "pass")

    def test_who_cools_down_after_the_first_playbook_is_the_nexts(self) -> None:
        """The first has no use for him now."""
        ended = known("mail-cool", last_ended_at=ago(10), last_ended_playbook="customer_reactivation")

        row = stories({"cool": {}}, ended, declared=two_emails(), before=[playbook()])["cool"]

        assert row["gate_in_scope"] == "pass"

    def test_who_is_enrolled_already_stays_where_he_is(self) -> None:
        """One playbook at a time: the first does not take over what has begun in the next."""
        mine = known("mail-here", active_playbook="customers_not_active", enrolments_total=1)

        here = stories({"here": {}}, mine, declared=two_emails(), before=[playbook()])["here"]
        there = stories({"here": {}}, mine)["here"]

        assert (here["gate_in_scope"], there["gate_in_scope"]) == ("pass", "fail:other_playbook")
