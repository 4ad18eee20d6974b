"""Which conditions let a run proceed (000 and 001, Not Ready If), each broken on its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError
from tests.readiness.company import AS_OF, CUSTOMERS, Company, contact, decision

from reactivation.contract.digests import canonical_json
from reactivation.contract.tables import TABLES
from reactivation.playbooks.model import ReadinessLimits
from reactivation.playbooks.words import WeighedCondition
from reactivation.readiness import Verdict, judge_tables
from reactivation.readiness.conditions import conditions

Break = Callable[[Company], None]


def failed(verdict: Verdict) -> set[tuple[str, str]]:
    """Condition and subject of everything that blocks."""
    return {(c.id, c.subject) for c in verdict.blocking}


def unclear(code: str, count: int) -> Break:
    def spoil(company: Company) -> None:
        for row in company.decisions[:count]:
            row |= {"gate_permission": f"fail:{code}", "decision": "suppress"}

    return spoil


#: One break, the condition and subject that must fire, how many rows or customers it concerns, a word of the fix.
BREAKS: dict[str, tuple[Break, str, str, int, str]] = {
    **{
        f"no table {name}": (
            lambda c, name=name: c.table(name, present=False, rows=0), condition, name, 1, f"{name}.csv",
        )
        for name, condition in {
            "contacts": "evidence_missing", "purchases": "evidence_missing", "engagements": "evidence_missing",
            "cases": "support_history_unavailable", "consents": "consent_status_unclear",
            "suppressions": "evidence_missing", "offers": "evidence_missing",
        }.items()
    },
    "no opt-outs, even where the playbook does not ask for them": (
        lambda c: (c.change_playbook(requires={}), c.table("suppressions", present=False, rows=0)),
        "evidence_missing", "suppressions", 1, "suppressions.csv",
    ),
    "empty cases": (
        lambda c: c.table("cases", rows=0), "support_history_unavailable", "cases", 1, "cases.csv",
    ),
    "empty file of offers": (
        lambda c: c.table("offers", rows=0, missing_columns=[x.name for x in TABLES["offers"].columns]),
        "evidence_missing", "offers", 1, "offers.csv",
    ),
    "no case that can be used": (
        lambda c: c.table("cases", quarantined=100), "support_history_unavailable", "cases", 100, "cases.csv",
    ),
    "nobody to judge, and so nothing else to ask": (
        lambda c: (c.contacts.clear(), c.decisions.clear(), c.table("contacts", rows=0)),
        "evidence_missing", "contacts", 1, "contacts.csv",
    ),
    "a required column of consents": (
        lambda c: c.table("consents", missing_columns=["state", "method"]),
        "consent_status_unclear", "consents", 100, "column state,",
    ),
    "two required columns of purchases": (
        lambda c: c.table("purchases", missing_columns=["amount", "currency", "margin"]),
        "evidence_missing", "purchases", 100, "column amount, currency,",
    ),
    "a column the playbook asks for beyond the contract": (
        lambda c: c.table("contacts", missing_columns=["fit"]), "evidence_missing", "contacts", 100, "column fit,",
    ),
    "no relationship known of anybody": (
        lambda c: setattr(c, "contacts", [contact(x, relationship=None) for x in CUSTOMERS]),
        "relationship_history_unavailable", "contacts", 100, "column relationship",
    ),
    "cases of people nobody knows": (
        lambda c: c.joins.update(cases=6), "history_disconnected", "cases", 6, "cases.csv",
    ),
    "consents of people nobody knows": (
        lambda c: c.joins.update(consents=6), "consent_status_unclear", "consents", 6, "consents.csv",
    ),
    "an opt-out that cannot be read": (
        lambda c: c.table("suppressions", broken_nos=5, broken_unreadable_nos=2),
        "unreadable_no", "suppressions", 2, "suppressions.csv",
    ),
    "a no that cannot be read in a table nobody requires": (
        lambda c: c.table("accounts", broken_unreadable_nos=1), "unreadable_no", "accounts", 1, "accounts.csv",
    ),
    "a source a day and an hour old": (
        lambda c: setattr(c, "speaks_as_of", AS_OF - timedelta(hours=25)), "source_stale", "sources", 1, "Export crm",
    ),
    "a source that does not say when": (
        lambda c: setattr(c, "speaks_as_of", None), "source_stale", "sources", 1, "source.json",
    ),
    "a segment without a window": (
        lambda c: c.contacts.extend(contact(x, business_segment="school") for x in ("cus-9001", "cus-9002")),
        "inactivity_not_segment_specific", "segments", 2, "school",
    ),
    "a marketing owner nobody knows": (
        lambda c: c.without_owner("own-ben"), "approval_point_undefined", "approval_points", 1, "segment business",
    ),
    "nobody who may sign offers": (
        lambda c: c.without_owner("own-olu"), "approval_point_undefined", "approval_points", 1, "offer_approver",
    ),
    "the author as the only signer": (
        lambda c: (c.without_owner("own-ada"), c.change_playbook(authored_by="ben", owners=dict.fromkeys(
            ("household", "care_plan", "business"), "own-ben"))),
        "approval_point_undefined", "approval_points", 3, "segment household: own-ben",
    ),
    "no measures": (
        lambda c: c.change_playbook("measurement", measures=()),
        "measurement_plan_undefined", "measurement", 0, "measures",
    ),
    "a metric nobody can compute": (
        lambda c: c.change_playbook("measurement", baseline_metric="vibes"),
        "measurement_plan_undefined", "measurement", 1, "vibes",
    ),
    **{
        f"too many candidates with {code}": (
            unclear(code, 3), "consent_status_unclear", "candidates", 3, "consent records",
        )
        for code in ("no_record", "state_unknown", "unverified")
    },
    "a table that has shrunk by 30 % since the last run": (
        lambda c: c.earlier({"contacts": 143}), "source_shrunken", "sizes", 1, "Export contacts again",
    ),
    "a table that is half as large again as it usually is": (
        lambda c: c.earlier(*[{"consents": 66}] * 3), "source_off_trend", "sizes", 1, "consents",
    ),
    "too many records that contradict each other": (
        lambda c: [row.update(gate_context_consistent="fail:owner", decision="hold") for row in c.decisions[:3]],
        "sources_contradict", "candidates", 3, "owner, account, status or consent",
    ),
    "our own mail that bounces": (
        lambda c: c.mailed(sent=1000, bounced=21), "deliverability_risk", "deliverability", 21, "bounced",
    ),
    "our own mail that is complained about": (
        lambda c: c.mailed(sent=1000, complained=2), "deliverability_risk", "deliverability", 2, "complained",
    ),
    "an account without an owner": (
        lambda c: (c.of_accounts(), c.accounts[0].update(owner_id=None)),
        "relationship_owner_unclear", "candidates", 1, "owner in the file accounts",
    ),
    "an account whose owner nobody knows": (
        lambda c: (c.of_accounts(), c.accounts[0].update(owner_id="own-gone")),
        "relationship_owner_unclear", "candidates", 1, "owner in the file accounts",
    ),
    "accounts of which nobody knows the value": (
        lambda c: (c.of_accounts(), [row.update(annual_value=None) for row in c.accounts[:3]]),
        "account_value_unavailable", "candidates", 3, "annual_value",
    ),
    "two rows of one customer": (
        lambda c: c.purchases.append(c.purchases[0]), "summary_inconsistent", "purchase_summary", 2, "snapshot again",
    ),
    "a visit after the as-of": (
        lambda c: c.engagements[0].update(last_visit_at=AS_OF + timedelta(seconds=1)),
        "summary_inconsistent", "engagement_summary", 1, "snapshot again",
    ),
}  # fmt: skip


class TestBroken:
    """One thing broken, one condition fires."""

    @pytest.mark.parametrize("what", BREAKS)
    def test_exactly_that_condition_fires(self, what: str, tmp_path: Path) -> None:
        """Its subject, how many it concerns and the fix are said, and nothing else blocks."""
        spoil, condition, subject, affected, fix = BREAKS[what]
        company = Company()
        spoil(company)
        verdict = company.judged(tmp_path / "snapshot")
        assert not verdict.ready
        assert failed(verdict) == {(condition, subject)}
        (found,) = verdict.blocking
        assert (found.affected, found.broken) == (affected, None)
        assert fix in found.fix
        assert condition in verdict.message
        assert verdict.message == f"Not ready. {found}"


class TestReady:
    """What does not block."""

    def test_a_whole_company_is_ready(self, tmp_path: Path) -> None:
        """Every condition is asked and passes."""
        verdict = Company().judged(tmp_path / "snapshot")
        assert verdict.ready
        assert verdict.remarks == ()
        assert verdict.message.startswith("Ready: ")

    @pytest.mark.parametrize("spoil", [
        unclear("no_record", 2),
        unclear("withdrawn", 40),
        unclear("expired", 40),
        lambda c: c.joins.update(cases=5, suppressions=60),
        lambda c: c.earlier({"contacts": 125, "cases": 60}),
        lambda c: c.earlier(*[{"consents": 67}] * 3),
        lambda c: c.earlier({"offers": 4}, {"offers": 0}),
        lambda c: c.mailed(sent=1000, bounced=20, complained=1),
        lambda c: c.mailed(sent=999, bounced=900, complained=99),
        lambda c: [row.update(gate_context_consistent="fail:owner", decision="hold") for row in c.decisions[:2]],
        lambda c: (c.of_accounts(), [row.update(annual_value=None) for row in c.accounts[:2]]),
        lambda c: setattr(c, "speaks_as_of", AS_OF - timedelta(hours=24)),
        lambda c: c.contacts.append(contact("cus-9001", business_segment="school", is_subscriber_only=True)),
        lambda c: c.table("products", present=False, rows=0),
        lambda c: c.table("contacts", missing_columns=["last_name"], unknown_columns=["shoe_size"], broken_nos=4),
        lambda c: setattr(c, "contacts", [contact(x, relationship="normal" if x == CUSTOMERS[0] else None)
                                          for x in CUSTOMERS]),
    ], ids=[
        "5 % unclear", "everybody withdrew", "everybody's consent expired", "5 % do not join",
        "20 % fewer than in the last run", "half as many again as usual", "two earlier runs make no trend",
        "2 % bounced, one in a thousand complained", "too little mail to tell a rate", "5 % contradict each other",
        "5 % of the accounts have no known value", "24 hours old",
        "a segment of subscribers only", "a table nobody requires", "columns nobody requires", "one relationship known",
    ])  # fmt: skip
    def test_the_limit_itself_is_allowed(self, spoil: Break, tmp_path: Path) -> None:
        """Exactly at a limit, or a clear no, or what nobody asked for."""
        company = Company()
        spoil(company)
        assert failed(company.judged(tmp_path / "snapshot")) == set()

    def test_an_opt_out_without_a_record_is_a_clear_no(self, tmp_path: Path) -> None:
        """Whoever opted out needs no consent record to be understood."""
        company = Company()
        for row in company.decisions:
            row |= {"gate_permission": "fail:no_record", "gate_not_suppressed": "fail:opt_out", "decision": "suppress"}
        assert company.judged(tmp_path / "snapshot").ready

    def test_a_playbook_may_be_stricter(self, tmp_path: Path) -> None:
        """2.5 % unclear passes by default, not where the playbook allows 1 %."""
        company = Company()
        unclear("no_record", 1)(company)
        assert company.judged(tmp_path / "default").ready
        company.change_playbook("readiness", consent_unclear_share=0.01)
        assert failed(company.judged(tmp_path / "strict")) == {("consent_status_unclear", "candidates")}

    def test_what_only_warns_is_a_remark(self, tmp_path: Path) -> None:
        """Many broken rows, an owner nobody knows and nobody to contact are said, and block nothing."""
        company = Company(bad_rules={"purchases": 6})
        company.decisions = [decision(CUSTOMERS[0], owner_id="own-gone")]
        verdict = company.judged(tmp_path / "snapshot")
        assert verdict.ready
        assert {(c.id, c.subject, c.affected) for c in verdict.remarks} == {
            ("rows_often_broken", "profile", 6), ("owner_unclear", "candidates", 1),
        }  # fmt: skip

    def test_no_candidates_are_ready(self, tmp_path: Path) -> None:
        """Nobody inactive is not a fault of the data."""
        verdict = Company(decisions=[]).judged(tmp_path / "snapshot")
        assert verdict.ready
        assert "no_candidates" in [c.id for c in verdict.notes]

    def test_several_faults_are_all_said(self, tmp_path: Path) -> None:
        """One paragraph names every condition that blocks."""
        company = Company()
        company.table("cases", present=False, rows=0)
        company.without_owner("own-olu")
        message = company.judged(tmp_path / "snapshot").message
        assert "\n" not in message
        assert message.startswith("Not ready. ")
        assert message.index("support_history_unavailable") < message.index("approval_point_undefined")


class TestWeighing:
    """How heavily a condition weighs that is the playbook's own business."""

    def test_a_playbook_may_let_a_shrunken_table_pass_with_a_remark(self, tmp_path: Path) -> None:
        """It is still found."""
        company = Company()
        company.earlier({"contacts": 143})
        company.change_playbook("readiness", severities={"source_shrunken": "warning"})
        verdict = company.judged(tmp_path / "snapshot")
        assert verdict.ready
        assert [one.id for one in verdict.remarks] == ["source_shrunken"]

    def test_a_playbook_may_stop_at_an_unclear_owner(self, tmp_path: Path) -> None:
        """Where it would only hold these customers back."""
        company = Company(decisions=[decision(CUSTOMERS[0], owner_id="own-gone")])
        company.change_playbook("readiness", severities={"owner_unclear": "critical"})
        assert failed(company.judged(tmp_path / "snapshot")) == {("owner_unclear", "candidates")}

    @pytest.mark.parametrize("condition", [one for one, what in conditions().items() if what.seed])
    def test_a_condition_of_the_source_documents_is_nobodys_to_weigh(self, condition: str) -> None:
        """The declaration is refused."""
        with pytest.raises(ValidationError):
            ReadinessLimits(severities={condition: "info"})

    def test_what_a_playbook_may_weigh_is_what_the_conditions_say(self) -> None:
        """The playbook's model and the declared conditions agree."""
        assert set(get_args(WeighedCondition)) == {
            one for one, what in conditions().items() if what.severity_by_playbook
        }


class TestRowsConcerned:
    """Who a condition is about, by id, all of them."""

    def test_candidates_are_named(self, tmp_path: Path) -> None:
        """Each one, under the condition that concerns him."""
        company = Company()
        unclear("no_record", 3)(company)
        company.decisions[5]["owner_id"] = "own-gone"
        rows = company.judged(tmp_path / "snapshot").rows.to_pylist()
        assert [(row["condition"], row["severity"], row["key"]) for row in rows] == [
            *(("consent_status_unclear", "critical", customer) for customer in CUSTOMERS[:3]),
            ("owner_unclear", "warning", CUSTOMERS[5]),
        ]

    def test_customers_of_a_segment_without_a_window_are_named(self, tmp_path: Path) -> None:
        """They are customers, not candidates."""
        company = Company()
        company.contacts.append(contact("cus-9001", business_segment="school"))
        rows = company.judged(tmp_path / "snapshot").rows.to_pylist()
        assert [(row["condition"], row["key"]) for row in rows] == [("inactivity_not_segment_specific", "cus-9001")]

    def test_who_is_within_the_limit_is_not(self, tmp_path: Path) -> None:
        """A condition that holds concerns nobody."""
        company = Company()
        unclear("no_record", 2)(company)
        assert company.judged(tmp_path / "snapshot").rows.num_rows == 0


class TestTables:
    """What a snapshot must have before any playbook looks at it."""

    def test_a_whole_snapshot_is_ready(self, tmp_path: Path) -> None:
        """Tables that only some playbook needs may be missing."""
        company = Company()
        company.table("offers", present=False, rows=0)
        assert judge_tables(company.snapshot(tmp_path / "snapshot")).ready

    @pytest.mark.parametrize(("spoil", "condition"), [
        (lambda c: c.table("contacts", present=False, rows=0), "evidence_missing"),
        (lambda c: c.table("contacts", rows=0), "evidence_missing"),
        (lambda c: c.table("contacts", missing_columns=["customer_id"]), "evidence_missing"),
        (lambda c: c.table("consents", broken_unreadable_nos=1), "unreadable_no"),
    ])  # fmt: skip
    def test_structure_blocks(self, spoil: Break, condition: str, tmp_path: Path) -> None:
        """No contacts, no ids, or a no that cannot be read."""
        company = Company()
        spoil(company)
        verdict = judge_tables(company.snapshot(tmp_path / "snapshot"))
        assert {c.id for c in verdict.blocking} == {condition}


class TestReport:
    """What is kept of a verdict."""

    def test_a_report_is_plain_and_repeatable(self, tmp_path: Path) -> None:
        """The same data gives the same bytes, without anybody's id in them."""
        company = Company()
        unclear("no_record", 9)(company)
        first, second = (canonical_json(company.judged(tmp_path / name).as_report()) for name in ("one", "two"))
        assert first == second
        assert b"cus-" not in first
        report = json.loads(first)
        assert report["ready"] is False
        assert {"id", "why", "source", "observed", "threshold", "severity", "passed", "affected", "fix"} <= set(
            report["conditions"][0]
        )
