"""The figures of a company that has written to its people, and who bears the tag."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.builders import engagement, purchase
from tests.sending import NOW, Ready

from reactivation.ledger import tags
from reactivation.ledger.runs import StepError
from reactivation.measures import MEASURES, Figure
from reactivation.steps.dispatch import dispatch
from reactivation.steps.metrics import SHOWN, metrics, shown
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.settings import ConfigurationError
from reactivation.steps.tagged import tagged

PLAYBOOK = "customer_reactivation"
LATER = NOW + timedelta(days=2)


def _by_name(ready: Ready) -> dict[tuple[str, str | None], Figure]:
    found = metrics(ready.workspace, PLAYBOOK, LATER)
    return {(figure.measure, figure.by): figure for figure in found.figures}


def test_what_came_back_is_counted_as_defined(ready: Ready) -> None:
    """One bought, one clicked, one unsubscribed and one complained: each is a share of those written to."""
    people = sorted(ready.states())
    dispatch(ready.workspace, NOW)
    ready.say(as_of=LATER)
    ready.add("purchases", purchase("b-new", people[0], NOW + timedelta(days=1), amount=Decimal("99.50")))
    did = zip(people[1:4], ("click", "unsubscribe", "complaint"), strict=True)
    at = NOW + timedelta(days=1)
    ready.add("engagements", *(engagement(f"e-{kind}", who, at, kind) for who, kind in did))
    record_outcomes(ready.workspace, LATER)
    found, written = _by_name(ready), len(people)
    assert [(figure.count, figure.of) for figure in (found["response_rate", None], found["reactivations", None])] == [
        (2, written), (1, written)
    ]  # fmt: skip
    assert found["unsubscribes", None].count == found["complaints", None].count == 1
    assert found["outreach_approved", None].rate == 1.0
    assert found["sends", "accepted"].count == written
    assert (found["retained_revenue", None].amount, found["retained_revenue", None].currency) == (
        Decimal("99.50"), "GBP"
    )  # fmt: skip
    assert found["channel_attribution", "touch 1, email"].count == 1
    assert found["suppressed_since", "opt_out"].count == found["suppressed_since", "complaint"].count == 1
    baseline = found["reactivation_eligibility_review_rate", None]
    assert baseline.of == found["reactivation_rate_by_cohort", None].of
    left = found["re_engaged", None]
    assert (left.count, left.of) == (1, 4)
    assert not [part for measure, part in found if measure == "customers_active"], "of a playbook with segments alone"

    parts = metrics(ready.workspace, PLAYBOOK, LATER, by="dormancy").figures
    (written_to,) = [figure for figure in parts if figure.measure == "reactivations" and figure.by]
    assert (written_to.by, written_to.count, written_to.of) == ("dormancy critical", 1, written)
    decided = [
        figure for figure in parts if figure.measure == "reactivation_rate_by_cohort" and "dormancy" in f"{figure.by}"
    ]
    wholes = [figure for figure in decided if "week" not in str(figure.by)]
    assert sum(figure.of or 0 for figure in wholes) == baseline.of, "everybody is in one part"
    assert {figure.count for figure in wholes if figure.by == "dormancy critical"} == {1}
    added = [figure for figure in parts if figure.measure == "incremental_reactivations"]
    whole, part = (next(figure for figure in added if figure.by == by) for by in (None, "dormancy critical"))
    assert (part.of, part.rate) == (whole.of, whole.rate)

    for by, part in {"margin": "high", "repeat": "single", "affinity": "heating"}.items():
        parts = metrics(ready.workspace, PLAYBOOK, LATER, by=by).figures
        told = {figure.measure: figure.of for figure in parts if figure.by == f"{by} {part}"}
        assert told["reactivations"] == written, by
        assert told["incremental_reactivations"] == whole.of, "by what the run decided, the holdout too"

    day_after = LATER + timedelta(days=1)
    ready.say(as_of=day_after)
    ready.add("purchases", purchase("b-late", people[5], LATER + timedelta(hours=1), amount=Decimal("10.00")))
    record_outcomes(ready.workspace, day_after)
    now, then = (metrics(ready.workspace, PLAYBOOK, day_after, as_of) for as_of in (None, LATER))
    assert {figure.count for figure in now.figures if figure.measure == "reactivations"} == {2}
    assert {(figure.measure, figure.by): figure for figure in then.figures} == found, "as it was known then"
    with pytest.raises(StepError, match="nobody knows"):
        metrics(ready.workspace, PLAYBOOK, LATER, day_after)
    with pytest.raises(StepError, match="had decided nothing"):
        metrics(ready.workspace, PLAYBOOK, LATER, NOW - timedelta(days=1))


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
class TestBeforeAnythingCameBack:
    def test_rates_of_nobody_say_so(self, ready: Ready) -> None:
        """Nothing was sent yet, so there is no response rate."""
        found = _by_name(ready)
        assert (found["response_rate", None].rate, found["response_rate", None].note) == (None, "not enough data")
        assert found["reactivation_eligibility_review_rate", None].rate is not None

    def test_the_table_is_for_people(self, ready: Ready) -> None:
        """Every row has the columns; a measure is named once, its parts stand below it; no measure is missing."""
        rows = list(shown(metrics(ready.workspace, PLAYBOOK, LATER)))
        assert {len(row) for row in rows} == {len(SHOWN)}
        titles = [row[0] for row in rows if row[0]]
        assert len(titles) == len(set(titles))
        rare = {"suppressed_since", "channel_attribution", "position_attribution", "linear_attribution",
                "dormant_account_outreach_path_coverage", "customers_active", "owner_decisions", "accounts_closed",
                "issue_resolutions", "touch_value"}  # fmt: skip
        assert set(titles) >= {measure.title for measure in MEASURES.values() if measure.name not in rare}

    def test_a_playbook_there_is_not_has_no_figures(self, ready: Ready) -> None:
        """One nobody declared is named, with those there are."""
        with pytest.raises(ConfigurationError, match="no playbook another"):
            metrics(ready.workspace, "another", LATER)

    def test_who_bears_the_tag(self, ready: Ready) -> None:
        """By id, with when it was set; taken off, they are gone from it."""
        tag = f"{PLAYBOOK}_no_response"
        with ready.workspace.ledger.begin() as conn:
            for who in ("c-bob", "c-ann"):
                tags.put(conn, customer_id=who, tag=tag, actor="x", now=NOW)
            tags.put(conn, customer_id="c-cat", tag="another", actor="x", now=NOW)
        assert tagged(ready.workspace, PLAYBOOK) == [
            {"customer_id": who, "tag": tag, "set_at": NOW} for who in ("c-ann", "c-bob")
        ]
