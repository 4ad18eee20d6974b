"""The gate ladder: each gate's no, what it leads to, and that the first no decides while all are recorded."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.policy.people import AT, Row, ago, known, one, person, playbook, stories, suppression, together
from tests.policy.people import decide as decided_by

from reactivation.contract.tables import TEXT, TEXTS
from reactivation.playbooks.model import Playbook
from reactivation.policy.columns import series
from reactivation.policy.context import Context
from reactivation.policy.decisions import DECISION_VALUES, DECISIONS, FAIL, GATES, NEXT_ACTIONS, REVIEW_FLAGS
from reactivation.policy.gates import LADDER
from reactivation.policy.ladder import Gate, ask, decide, verdict

#: Story, the gate that says no, its result, the decision, the decisive reason, the next best action.
Case = tuple[Row, str, str, str, str, str]

CASES: dict[str, Case] = {
    "cancelled-owner": (
        {"contact": {"owner_id": "own-gone"}}, "evidence", "fail:owner", "suppress", "evidence_missing:owner",
        "complete_evidence"),
    "approves-offers-only": (
        {"contact": {"owner_id": "own-olu"}}, "evidence", "fail:owner", "suppress", "evidence_missing:owner",
        "complete_evidence"),
    "no-history": (
        {"purchases": {"purchases": 0}}, "evidence", "fail:purchase_history", "suppress",
        "evidence_missing:purchase_history", "complete_evidence"),
    "no-value": (
        {"contact": {"value_tier": None}, "purchases": {"margin_known_rows": 0}}, "evidence", "fail:value_tier",
        "suppress", "evidence_missing:value_tier", "complete_evidence"),
    "notes-unread": (
        {"contact": {"has_notes": None}}, "evidence", "fail:relationship_notes", "suppress",
        "evidence_missing:relationship_notes", "complete_evidence"),
    "opted-out": (
        {"suppression": {}}, "not_suppressed", "fail:opt_out", "suppress", "suppressed:opt_out", "leave_alone"),
    "opted-out-of-texts": (
        {"suppression": {"channel": "sms"}}, "not_suppressed", "fail:opt_out", "suppress", "suppressed:opt_out",
        "leave_alone"),
    "complained": (
        {"suppression": {"reason": "complaint"}}, "not_suppressed", "fail:complaint", "suppress",
        "suppressed:complaint", "leave_alone"),
    "objected": (
        {"consent": {"state": "objected"}}, "not_suppressed", "fail:objection", "suppress", "suppressed:objection",
        "leave_alone"),
    "objected-to-every-brand": (
        {"consent": {"state": "objected", "brand": "*"}}, "not_suppressed", "fail:objection", "suppress",
        "suppressed:objection", "leave_alone"),
    "complained-elsewhere": (
        {"engagement": {"last_complaint_at": ago(700)}}, "not_suppressed", "fail:complaint", "suppress",
        "suppressed:complaint", "leave_alone"),
    "unsubscribed-elsewhere": (
        {"engagement": {"last_unsubscribe_at": ago(-1)}}, "not_suppressed", "fail:opt_out", "suppress",
        "suppressed:opt_out", "leave_alone"),
    "deactivated": (
        {"contact": {"lifecycle_stage": "Deactivated"}}, "not_suppressed", "fail:deactivated", "suppress",
        "suppressed:deactivated", "close"),
    "bounced-for-good": (
        {"suppression": {"reason": "hard_bounce"}}, "not_suppressed", "fail:hard_bounce", "suppress",
        "suppressed:hard_bounce", "leave_alone"),
    "do-not-contact": (
        {"suppression": {"reason": "internal"}}, "not_suppressed", "fail:internal", "suppress", "suppressed:internal",
        "leave_alone"),
    "reported-deactivated": (
        {"suppression": {"reason": "deactivated"}}, "not_suppressed", "fail:deactivated", "suppress",
        "suppressed:deactivated", "close"),
    **{
        code: ({"contact": {"relationship": code}}, "relationship", f"fail:{code}", "suppress",
               f"relationship:{code}", "leave_alone")
        for code in ("poor", "dispute", "legal", "no_contact")
    },
    "account-in-dispute": (
        {"account": {"relationship": "dispute"}}, "relationship", "fail:dispute", "suppress", "relationship:dispute",
        "leave_alone"),
    "sensitive": (
        {"contact": {"relationship": "sensitive"}}, "relationship", "review:sensitive", "review", "sensitive",
        "owner_call"),
    "relationship-unknown": (
        {"contact": {"relationship": None}}, "relationship", "review:relationship_unknown", "review",
        "relationship_unknown", "start_sequence"),
    "account-relationship-unknown": (
        {"account": {"relationship": None}}, "relationship", "review:relationship_unknown", "review",
        "relationship_unknown", "start_sequence"),
    "uncoded-notes": (
        {"contact": {"relationship": None, "has_notes": True}}, "relationship", "review:uncoded_notes", "review",
        "uncoded_notes", "start_sequence"),
    "coded-notes": ({"contact": {"has_notes": True}}, "relationship", "pass", "enrol", "", "start_sequence"),
    "bad-fit": ({"contact": {"fit": "bad"}}, "fit", "fail:bad_fit", "suppress", "fit:bad_fit", "leave_alone"),
    "account-bad-fit": ({"account": {"fit": "bad"}}, "fit", "fail:bad_fit", "suppress", "fit:bad_fit", "leave_alone"),
    "at-a-loss": (
        {"purchases": {"margin_24m": Decimal("-0.01")}}, "fit", "fail:unprofitable", "suppress",
        "fit:unprofitable", "leave_alone"),
    "fit-unknown": (
        {"contact": {"fit": None}}, "fit", "review:fit_unknown", "review", "fit_unknown", "start_sequence"),
    "open-case": (
        {"case": {}}, "no_open_issue", "fail:open_case", "hold", "open_issue:open_case", "resolve_issue_first"),
    "closed-in-name-only": (
        {"case": {"status": "closed"}}, "no_open_issue", "fail:open_case", "hold", "open_issue:open_case",
        "resolve_issue_first"),
    "reopened": (
        {"case": {"closed_at": ago(10), "status": "reopened"}}, "no_open_issue", "fail:open_case", "hold",
        "open_issue:open_case", "resolve_issue_first"),
    "closes-tomorrow": (
        {"case": {"closed_at": ago(-1), "status": "closed"}}, "no_open_issue", "fail:open_case", "hold",
        "open_issue:open_case", "resolve_issue_first"),
    "closed-case": (
        {"case": {"closed_at": ago(10), "status": "Closed"}}, "no_open_issue", "pass", "enrol", "", "start_sequence"),
    "open-case-of-account": (
        {"account": {}, "case": {"customer_id": None, "account_id": "a-open-case-of-account"}}, "no_open_issue",
        "fail:open_case", "hold", "open_issue:open_case", "resolve_issue_first"),
    "no-permission": (
        {"consents": []}, "permission", "fail:no_record", "suppress", "permission:no_record", "complete_evidence"),
    "withdrew": (
        {"consent": {"state": "withdrawn"}}, "permission", "fail:withdrawn", "suppress", "permission:withdrawn",
        "leave_alone"),
    "no-address": (
        {"contact": {"email_key": None, "email_problem": "missing"}}, "reachable", "fail:email_missing", "suppress",
        "unreachable:email_missing", "complete_evidence"),
    "address-lost": (
        {"contact": {"email_key": None}}, "reachable", "fail:email_missing", "suppress", "unreachable:email_missing",
        "complete_evidence"),
    "role-mailbox": (
        {"contact": {"email_problem": "role"}}, "reachable", "fail:email_role", "suppress", "unreachable:email_role",
        "complete_evidence"),
    "throw-away-mailbox": (
        {"contact": {"email_problem": "disposable"}}, "reachable", "fail:email_disposable", "suppress",
        "unreachable:email_disposable", "complete_evidence"),
    "bounced": (
        {"engagement": {"last_bounce_at": ago(200)}}, "reachable", "fail:email_bounced", "suppress",
        "unreachable:email_bounced", "complete_evidence"),
    "bounced-then-clicked": (
        {"engagement": {"last_bounce_at": ago(200), "last_click_at": ago(150)}}, "reachable", "pass", "enrol", "",
        "start_sequence"),
    "valued-without-address": (
        {"contact": {"email_problem": "invalid", "value_tier": "high"}}, "reachable", "fail:email_invalid", "suppress",
        "unreachable:email_invalid", "owner_call"),
    "account-unknown": (
        {"contact": {"account_id": "a-gone"}}, "context_consistent", "fail:account", "hold",
        "context_conflict:account", "complete_evidence"),
    "two-owners": (
        {"contact": {"owner_id": "own-ada"}, "account": {}}, "context_consistent", "fail:owner", "hold",
        "context_conflict:owner", "complete_evidence"),
    "cancelled-and-subscribed": (
        {"account": {"status": "Cancelled"}, "purchases": {"period_end": ago(-20)}}, "context_consistent",
        "fail:status", "hold", "context_conflict:status", "complete_evidence"),
    "bought-after-the-account-was-closed": (
        {"account": {"cancelled_at": ago(300)}, "purchases": {"last_purchase_at": ago(200)}}, "context_consistent",
        "fail:status", "hold", "context_conflict:status", "complete_evidence"),
    "cancelled-and-runs-out-now": (
        {"account": {"status": "Cancelled"}, "purchases": {"period_end": AT}}, "context_consistent", "pass", "review",
        "offer_to_account", "start_sequence"),
    "bought-as-the-account-was-closed": (
        {"account": {"cancelled_at": ago(200)}, "purchases": {"last_purchase_at": ago(200)}}, "context_consistent",
        "pass", "review", "offer_to_account", "start_sequence"),
    "flag-says-no": (
        {"contact": {"consent_email": False}}, "context_consistent", "fail:consent", "hold",
        "context_conflict:consent", "complete_evidence"),
    "discount-buyer": (
        {"purchases": {"discounted_purchases": 4}}, "offer_allowed", "drop:discount_buyer", "enrol", "", "check_in"),
    "written-to-yesterday": (
        {"engagement": {"last_email_sent_at": ago(1)}}, "timing", "fail:cap", "hold", "timing:cap", "wait_until"),
    "written-to-lately": (
        {"engagement": {"last_email_sent_at": ago(2)}}, "timing", "pass", "enrol", "", "start_sequence"),
    "no-clock": (
        {"contact": {"zones": ["Etc/Unknown"]}}, "timing", "fail:no_legal_window", "hold", "timing:no_legal_window",
        "wait_until"),
    "no-common-hour": (
        {"contact": {"zones": ["Europe/London", "Pacific/Auckland"]}}, "timing", "fail:no_legal_window", "hold",
        "timing:no_legal_window", "wait_until"),
    "valued": (
        {"contact": {"value_tier": "high"}}, "fit", "pass", "review", "high_value", "start_sequence"),
    "plain": ({}, "permission", "pass", "enrol", "", "start_sequence"),
}  # fmt: skip


@cache
def decided() -> dict[str, Row]:
    return stories({name: case[0] for name, case in CASES.items()})


@pytest.mark.parametrize("story", CASES)
def test_gate(story: str) -> None:
    """A no of one gate alone: its result, what it leads to, why, and what to do next."""
    _, gate, result, decision, reason, action = CASES[story]
    row = decided()[story]

    assert (row[f"gate_{gate}"], row["decision"]) == (result, decision)
    assert row["reason_codes"][:1] == ([reason] if reason else [])
    assert row["next_best_action"] == action


@pytest.mark.parametrize("story", CASES)
def test_words(story: str) -> None:
    """Only declared words, every gate answered, a channel for exactly those who may be enrolled."""
    row = decided()[story]

    assert row["decision"] in DECISION_VALUES
    assert row["next_best_action"] in NEXT_ACTIONS
    assert set(row["review_flags"]) <= set(REVIEW_FLAGS)
    assert all(row[f"gate_{gate}"] for gate in GATES)
    assert (row["recommended_channel"] == "email") == (row["decision"] in ("enrol", "review"))


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


@pytest.mark.parametrize("channel", ["*", "sms", "email"])
def test_a_suppression_in_the_ledger_is_a_suppression(channel: str) -> None:
    """Whatever channel it was said in, by either key."""
    row = one(person(), known(suppressed_reason="opt_out", suppressed_channel=channel))

    assert (row["decision"], row["reason_codes"][0]) == ("suppress", "suppressed:opt_out")
    assert row["evidence"]["ledger_suppressed_reason"] == "opt_out"


def test_the_cap_counts_our_own_messages_and_says_until_when() -> None:
    """48 hours after the last one, ours or another system's, whichever is later."""
    row = one(person(engagement={"last_email_sent_at": ago(1.5)}), known(last_sent_at=ago(1)))

    assert (row["decision"], row["hold_until"]) == ("hold", AT + timedelta(days=1))


def test_the_first_no_decides_and_all_are_told() -> None:
    """Reasons are in the order of the ladder."""
    row = one(person(contact={"fit": "bad", "email_problem": "role"}, consents=[], suppression={}, case={}))

    assert row["reason_codes"] == [
        "suppressed:opt_out", "fit:bad_fit", "open_issue:open_case", "permission:no_record", "unreachable:email_role",
    ]  # fmt: skip


FLAGGED: dict[str, tuple[Row, str]] = {
    "without-consent": ({"consents": []}, "consent"),
    "consent-in-conflict": ({"contact": {"consent_email": False}}, "consent"),
    "fit-unknown": ({"contact": {"fit": None}}, "fit"),
    "emailed-yesterday": ({"engagement": {"last_email_sent_at": ago(1)}}, "timing"),
    "sensitive": ({"contact": {"relationship": "sensitive"}}, "relationship"),
    "open-case": ({"case": {}}, "relationship"),
    "discount-buyer": ({"purchases": {"discounted_purchases": 4}}, "offer"),
    "plain": ({}, "offer"),
}


@cache
def flagged() -> dict[str, Row]:
    return stories({name: how for name, (how, _) in FLAGGED.items()})


@pytest.mark.parametrize("story", FLAGGED)
def test_review_requirements_are_flagged(story: str) -> None:
    """Consent, fit, timing, offer or relationship (seed 000), and none that is not called for."""
    assert set(flagged()[story]["review_flags"]) == {FLAGGED[story][1], "offer"}


def test_all_reasons_for_a_review_are_told() -> None:
    """Not only the first."""
    row = one(person(contact={"relationship": "sensitive", "fit": None, "value_tier": "high"}, account={}))

    assert row["review_reasons"] == ["sensitive", "fit_unknown", "high_value"]
    assert (row["decision"], row["reason_codes"]) == ("review", row["review_reasons"])


def test_an_offer_to_an_account_is_reviewed() -> None:
    """Never as one of a group."""
    assert one(person(account={}))["review_reasons"] == ["offer_to_account"]


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        ("contacts", "last_activity"), ("purchases", "last_activity"), ("engagements", "last_activity"),
        ("cases", "inactivity_reason"), ("consents", "consent"), ("suppressions", "consent"),
        ("offers", "offer_boundaries"),
    ],
)  # fmt: skip
def test_a_table_that_was_not_read_permits_nobody(table: str, missing: str) -> None:
    """Missing is unknown, and unknown is no; without the cases nobody knows of an open issue either."""
    row = one(person(), absent=[table])

    assert (row["decision"], row["reason_codes"][0]) == ("suppress", f"evidence_missing:{missing}")
    assert row["gate_no_open_issue"] == ("fail:cases_unread" if table == "cases" else "pass")


def test_a_stale_source_permits_nobody() -> None:
    """More than 24 hours before the as-of."""
    fresh, stale = AT - timedelta(hours=24), AT - timedelta(hours=24, seconds=1)

    assert one(person(), speaks_as_of=fresh)["decision"] == "enrol"
    assert one(person(), speaks_as_of=stale)["decision"] == "suppress"


def test_the_owner_is_the_contacts_else_the_segments() -> None:
    """``contacts.owner_id`` overrides the playbook."""
    rows = stories({"own": {"contact": {"owner_id": "own-ben"}}, "segment": {}})

    assert (rows["own"]["owner_id"], rows["segment"]["owner_id"]) == ("own-ben", "own-ada")


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


class TestPeopleBehindOneAddress:
    """A no of any customer behind the same address is a no for all of them."""

    def rows(self, other: Row, **shared: Any) -> Row:
        contact = {"email_key": "mail-c-1"} | shared
        return one(together(person(), person("c-2", **(other | {"contact": contact | other.get("contact", {})}))))

    @pytest.mark.parametrize(
        ("other", "reason"),
        [
            ({"suppression": {}}, "suppressed:opt_out"),
            ({"engagement": {"last_complaint_at": ago(10)}}, "suppressed:complaint"),
            ({"consent": {"state": "objected"}}, "suppressed:objection"),
            ({"contact": {"relationship": "legal"}}, "relationship:legal"),
            ({"case": {}}, "open_issue:open_case"),
            ({"consent": {"state": "withdrawn"}}, "permission:shared_address"),
        ],
    )
    def test_its_no_counts(self, other: Row, reason: str) -> None:
        """Suppressions are united, permissions intersected."""
        assert self.rows(other)["reason_codes"][0] == reason

    def test_its_relationship_counts_whatever_it_is(self) -> None:
        """The worst of all customers behind the address, sensitive ones included."""
        codes = ("no_contact", "legal", "dispute", "poor", "sensitive")
        told = {code: {"contact": {"email_key": f"mail-{code}"}} for code in codes}
        other = {f"other-{code}": {"contact": {"email_key": f"mail-{code}", "relationship": code}} for code in codes}

        rows = stories(told | other)

        assert {code: rows[code]["evidence"]["relationship"] for code in codes} == {code: code for code in codes}
        assert rows["sensitive"]["decision"] == "review"

    def test_a_suppressed_address_suppresses_its_customers(self) -> None:
        """Known by address only, without a customer."""
        tables = person() | {"suppressions": [suppression(address_key="mail-c-1")]}

        assert one(tables)["evidence"]["suppression_ids"] == ["s-1"]

    def test_another_brands_suppression_is_not_ours(self) -> None:
        """One without a brand is everybody's."""
        tables = person(suppression={"brand": "finch_gardens"})

        assert one(tables)["decision"] == "enrol"

    def test_an_address_of_very_many_is_nobodys_own(self) -> None:
        """Twenty may share one, twenty-one may not."""
        crowd = [person(f"c-{n}", contact={"email_key": "info"}) for n in range(1, 22)]

        assert one(together(*crowd[:20]))["gate_reachable"] == "pass"
        assert one(together(*crowd))["gate_reachable"] == "fail:email_shared_by_many"

    @pytest.mark.parametrize(
        "broken",
        [
            {"customer_id": "c-1"}, {"address_key": "mail-c-1"}, {"account_id": "a-c-1"},
        ],
    )  # fmt: skip
    def test_a_no_that_cannot_be_read_is_a_no(self, broken: Row) -> None:
        """Whatever of its subject could be read."""
        tables = person(account={}) | {"broken_nos": [{"table": "consents", "key": "r-9"} | broken]}

        row = one(tables)

        assert (row["decision"], row["reason_codes"][0]) == ("suppress", "evidence_broken:consents")
        assert row["evidence"]["broken_tables"] == ["consents"]


class TestLadder:
    """How a ladder is climbed, whatever its gates."""

    facts = pd.DataFrame({"x": series(pa.array([1, None]))})
    context: Context = None  # type: ignore[assignment]  # these gates ask nothing of it

    def test_a_gate_that_breaks_fails_everybody(self) -> None:
        """An exception is a no, and does not stop the run."""

        def broken(facts: pd.DataFrame, context: Context) -> pd.Series:
            raise ZeroDivisionError

        results = ask([Gate("broken", broken, "suppress", "b")], self.facts, self.context)

        assert results["gate_broken"].tolist() == ["fail:error", "fail:error"]

    def test_an_empty_result_fails_that_row(self) -> None:
        """Nobody passes by saying nothing."""
        gate = Gate("shy", lambda facts, _: results_of("pass", None), "suppress", "s")

        assert ask([gate], self.facts, self.context)["gate_shy"].tolist() == ["pass", "fail:unknown"]

    def test_an_unknown_condition_is_a_no(self) -> None:
        """Comparing with nothing is unknown."""
        assert verdict(("fail:small", self.facts["x"] < 0)).tolist() == ["pass", "fail:small"]

    def test_the_gates_are_those_of_the_rules_in_their_order(self) -> None:
        """Names, and one column each."""
        assert tuple(gate.name for gate in LADDER) == GATES
        assert [name for name in DECISIONS.names if name.startswith("gate_")] == [f"gate_{name}" for name in GATES]

    def test_the_order_of_the_ladder_decides(self) -> None:
        """The same two noes, climbed in either order."""
        gates = [Gate(name, lambda f, c: results_of(f"{FAIL}x", f"{FAIL}x"), outcome, name)
                 for name, outcome in (("a", "hold"), ("b", "suppress"))]  # fmt: skip
        results = ask(gates, self.facts, self.context)
        nothing = series(pa.array([[], []], TEXTS))

        assert decide(gates, results, nothing)["decision"].tolist() == ["hold", "hold"]
        assert decide(gates[::-1], results, nothing)["decision"].tolist() == ["suppress", "suppress"]


def results_of(*values: str | None) -> pd.Series:
    return series(pa.array(values, TEXT))


def test_everybody_is_counted_once(tmp_path: Path) -> None:
    """As a candidate with one decision, or as none with one reason."""
    everybody = decided_by(together(*(person(name, **case[0]) for name, case in CASES.items())), place=tmp_path / "s")
    counts = everybody.counts

    assert counts["customers"] == len(CASES)
    assert counts["candidates"] + sum(counts["not_candidates"].values()) == counts["customers"]
    assert sum(counts["decisions"].values()) == counts["candidates"]
    assert sum(counts["reasons"].values()) == counts["candidates"] - counts["decisions"]["enrol"]


def _of_purpose(*purposes: str) -> Playbook:
    touches = playbook().touches
    changed = [touch.model_copy(update={"purpose": one}) for touch, one in zip(touches, purposes, strict=False)]
    return playbook().model_copy(update={"touches": tuple(changed)})


@pytest.mark.parametrize(("purposes", "result"), [
    (("issue_resolution",), "pass"), (("issue_resolution", "issue_resolution"), "pass"),
    (("issue_resolution", "check_in"), "fail:open_case"), (("check_in",), "fail:open_case"),
])  # fmt: skip
def test_an_open_case_stands_in_the_way_of_all_but_what_resolves_it(purposes: tuple[str, ...], result: str) -> None:
    """One touch with another purpose is one too many."""
    row = one(person(case={}), declared=_of_purpose(*purposes))

    assert row["gate_no_open_issue"] == result


def test_cases_nobody_could_read_stand_in_the_way_of_everything() -> None:
    """Whether there is anything to resolve is not known."""
    row = one(person(), declared=_of_purpose("issue_resolution"), absent=["cases"])

    assert row["gate_no_open_issue"] == "fail:cases_unread"
