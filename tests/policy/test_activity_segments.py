"""The eight segments of document 002, and who of them the two e-mails are for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.people import (
    AT,
    Row,
    ago,
    decide,
    extract_of,
    facts_of,
    owners,
    person,
    rules,
    snapshot,
    stories,
    together,
    two_emails,
)

from reactivation.policy.activity_segments import SEGMENTS as GRAIN
from reactivation.policy.activity_segments import activity_segments, segment_counts, segment_table
from reactivation.policy.columns import frame_of
from reactivation.steps.decide import gathered

SEGMENTS = (
    "active_users", "not_active_users", "customers", "customers_purchase", "customers_no_purchase",
    "customers_not_active", "customers_active", "customers_not_active_after_react",
)  # fmt: skip
TAG = "customer_not-active_after-reactivation"

NOTHING: Row = {}
BOUGHT_LONG_AGO = {"last_purchase_at": ago(130), "last_order_at": ago(130)}
BOUGHT_LATELY = {"last_purchase_at": ago(10), "last_order_at": ago(10)}
NEVER_BOUGHT = {"purchases": 0, "orders": 0, "last_purchase_at": None, "last_order_at": None}

#: How a customer differs from one who bought 130 days ago and did nothing else, and the segments he is in.
STORIES: dict[str, tuple[dict[str, Row], set[str]]] = {
    "quiet": (NOTHING, {"not_active_users", "customers", "customers_no_purchase", "customers_not_active"}),
    "clicked": ({"contact": {"last_email_link_clicked": ago(10)}},
                {"active_users", "customers", "customers_no_purchase"}),
    "clicked by an event": ({"engagement": {"last_click_at": ago(10)}},
                            {"active_users", "customers", "customers_no_purchase"}),
    **{f"{kind} by an event": ({"engagement": {f"last_{kind}_at": ago(10)}},
                               {"active_users", "customers", "customers_no_purchase"})
       for kind in ("visit", "login", "usage")},
    "seen": ({"contact": {"last_seen": ago(10)}}, {"active_users", "customers", "customers_no_purchase"}),
    "bought": ({"purchases": BOUGHT_LATELY}, {"not_active_users", "customers", "customers_purchase"}),
    "bought and seen": ({"purchases": BOUGHT_LATELY, "contact": {"last_seen": ago(10)}},
                        {"active_users", "customers", "customers_purchase", "customers_active"}),
    "never bought": ({"purchases": NEVER_BOUGHT}, {"not_active_users"}),
    "seen exactly 90 days ago": ({"contact": {"last_seen": ago(90)}},
                                 {"not_active_users", "customers", "customers_no_purchase", "customers_not_active"}),
    "seen 89 days ago": ({"contact": {"last_seen": ago(89)}}, {"active_users", "customers", "customers_no_purchase"}),
    "opened in Britain": ({"contact": {"last_email_opened": ago(3)}},
                          {"not_active_users", "customers", "customers_no_purchase", "customers_not_active"}),
    "opened in America": ({"contact": {"last_email_opened": ago(3), "country": "US"}},
                          {"active_users", "customers", "customers_no_purchase"}),
    "opened in America by an event": ({"contact": {"country": "US"}, "engagement": {"last_open_at": ago(3)}},
                                      {"active_users", "customers", "customers_no_purchase"}),
    "tagged": ({"contact": {"tags": ["vip", TAG]}},
               {"not_active_users", "customers", "customers_no_purchase", "customers_not_active",
                "customers_not_active_after_react"}),
    "tagged and back": ({"contact": {"tags": [TAG]}, "purchases": BOUGHT_LATELY},
                        {"not_active_users", "customers", "customers_purchase"}),
    "of no segment": ({"contact": {"business_segment": "elsewhere"}}, {"customers"}),
}  # fmt: skip


def segments_of(told: dict[str, dict[str, Row]]) -> dict[str, set[str]]:
    """The segments each customer is in."""
    facts = frame_of(facts_of(together(*(person(name, **how) for name, how in told.items())), declared=two_emails()))
    found = activity_segments(facts, two_emails(), rules().permission, AT)
    assert tuple(found) == SEGMENTS
    rows = zip(facts["customer_id"], found.to_dict("records"), strict=True)
    return {name: {segment for segment, is_in in row.items() if is_in} for name, row in rows}


@pytest.mark.parametrize("story", STORIES)
def test_customer_is_in_the_segments_of_the_document(story: str) -> None:
    """Less than 90 days ago is active, everything else is not, exactly 90 days and never included."""
    how, expected = STORIES[story]

    assert segments_of({story: how})[story] == expected


def test_everybody_is_told_and_counted() -> None:
    """One row each in the order of the facts, and how many are in each segment."""
    told = together(*(person(name, **how) for name, (how, _) in STORIES.items()))
    facts, _, context, _ = gathered(snapshot(told), extract_of(), two_emails(), rules(), owners(), AT)

    found = segment_table(facts, context)

    rows = {row.pop("customer_id"): {name for name, is_in in row.items() if is_in} for row in found.to_pylist()}
    assert found.schema == GRAIN
    assert rows == {name: segments for name, (_, segments) in STORIES.items()}
    assert segment_counts(found) == {
        name: sum(name in segments for _, segments in STORIES.values()) for name in SEGMENTS
    }  # fmt: skip


def test_nobody_is_left_out_however_many_there_are() -> None:
    """Of 300,000, and of none: everybody has one row, in the order of the facts."""
    facts, _, context, _ = gathered(snapshot(person()), extract_of(), two_emails(), rules(), owners(), AT)

    for count in (300_000, 0):
        many = facts.take(pa.array([0] * count, pa.int64()))
        assert segment_counts(segment_table(many, context))["customers"] == count


def test_of_nobody_there_is_nobody_in_any_segment() -> None:
    """A snapshot without customers is counted, too."""
    assert segment_counts(GRAIN.empty_table()) == dict.fromkeys(SEGMENTS, 0)


DAYS = st.one_of(st.none(), st.integers(0, 400))


@given(st.fixed_dictionaries({"seen": DAYS, "clicked": DAYS, "opened": DAYS, "bought": DAYS}), st.sampled_from("GU"))
@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_segments_are_the_document_read_aloud(days: dict[str, int | None], where: str) -> None:
    """Whatever happened when: the table of document 002, with opens left out in Britain."""
    at = {name: None if count is None else ago(count) for name, count in days.items()}
    country = {"G": "GB", "U": "US"}[where]
    history: Row = NEVER_BOUGHT if at["bought"] is None else {"last_purchase_at": at["bought"]}
    how = {
        "contact": {"last_seen": at["seen"], "last_email_link_clicked": at["clicked"],
                    "last_email_opened": at["opened"], "country": country},
        "purchases": history,
    }  # fmt: skip

    def lately(name: str) -> bool:
        count = days[name]
        return count is not None and count < 90

    active = lately("seen") or lately("clicked") or (lately("opened") and country == "US")
    found = segments_of({"somebody": how})["somebody"]
    assert ("active_users" in found) == active
    assert ("not_active_users" in found) == (not active)
    assert ("customers_not_active" in found) == (not active and days["bought"] is not None and not lately("bought"))
    assert ("customers_active" in found) == (active and lately("bought"))


def decided(told: dict[str, Any], **options: Any) -> dict[str, Row]:
    return stories(told, declared=two_emails(), **options)


def test_two_emails_are_for_customers_not_active_and_nobody_else() -> None:
    """Candidates of the playbook are exactly the segment; the others are told why not."""
    rows = decided({name: how for name, (how, _) in STORIES.items()})

    candidates = {name for name, row in rows.items() if "decision" in row}
    assert candidates == {name for name, (_, segments) in STORIES.items() if "customers_not_active" in segments}
    assert rows["never bought"]["gate_in_scope"] == "fail:segment"


def test_inputs_the_recipe_does_not_ask_for_may_be_unknown() -> None:
    """Document 002 needs activity, purchases and consent; what somebody is worth is not among them."""
    unknown = {"contact": {"value_tier": None}, "purchases": {"margin_known_rows": 0}}

    assert decided({"worth unknown": unknown})["worth unknown"]["gate_evidence"] == "pass"
    assert stories({"worth unknown": unknown})["worth unknown"]["gate_evidence"] == "fail:value_tier"


def test_who_is_enrolled_stays_until_what_ends_the_enrolment() -> None:
    """Seen since: no longer dormant by what ends it, so e-mail 2 does not go; the segment is asked at entry only."""
    enrolled = {"address_key": "mail-back", "active_playbook": "customers_not_active", "enrolments_total": 1}

    rows = decide(
        person("back", contact={"last_seen": ago(1)}), enrolled, declared=two_emails()
    ).others.to_pylist()  # fmt: skip

    assert [(row["gate_in_scope"], row["gate_dormant"]) for row in rows] == [("pass", "fail:active")]
