"""The report about accounts: what became of them, altogether, by segment and by channel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.builders import case, days_ago, tables
from tests.office import NOW, PLAYBOOK, Office, by_itself, decide, to_sign

from reactivation.measures import Figure
from reactivation.steps.dispatch import dispatch
from reactivation.steps.metrics import metrics

LATER = NOW + timedelta(hours=3)


@pytest.fixture
def report(office: Office) -> dict[tuple[str, str | None], Figure]:
    """Three accounts: one message signed and sent, one rejected and closed, one with an issue and left alone."""
    billing = case("k-ash", account_id="a-ash", kind="billing", opened_at=days_ago(30))
    office.says(cases=[*tables()["cases"], billing])
    office.run(now=NOW, playbook=PLAYBOOK)
    asked = by_itself(office)
    request, _, code = asked["a-ash"]
    decide(office, request, code, decision="no_outreach")
    for account, option, fields in (
        ("a-oak", "Sign", {}), ("a-elm", "Reject all", {"decision": "close", "why": "bad_fit"}),
    ):  # fmt: skip
        request, row, items = to_sign(office, account)
        office.answer(request, row, items, option, by="ben", now=NOW, **fields)
    dispatch(office.workspace, NOW)
    return {
        (figure.measure, figure.by): figure
        for by in ("segment", "channel")
        for figure in metrics(office.workspace, PLAYBOOK, LATER, by=by).figures
    }


def test_every_figure_the_document_asks_for_is_there_with_its_whole(
    report: dict[tuple[str, str | None], Figure],
) -> None:
    """Reviewed, approved, responses, reactivations, holds, closed, opt-outs, resolutions, flags, coverage."""
    told = {
        (measure, by): (report[measure, by].count, report[measure, by].of)
        for measure, by in [
            ("accounts_reviewed", None), ("outreach_approved", None), ("response_rate", None), ("reactivations", None),
            ("holds", None), ("accounts_closed", "bad_fit"), ("unsubscribes", None), ("issue_resolutions", None),
            ("unresolved_issue_flags", None), ("dormant_account_outreach_path_coverage", None),
            ("owner_decisions", None), ("owner_decisions", "no_outreach"),
            ("closed_reasons", "owner_close"), ("outreach_approved", "segment business"),
            ("outreach_approved", "channel email"), ("accounts_closed", "segment business, bad_fit"),
            ("closed_reasons", "segment business, owner_close"), ("response_rate", "channel email"),
            ("holds", "segment business"),
        ]
    }  # fmt: skip
    assert told == {
        ("accounts_reviewed", None): (3, 3), ("outreach_approved", None): (1, 2), ("response_rate", None): (0, 1),
        ("reactivations", None): (0, 1), ("holds", None): (1, 3), ("accounts_closed", "bad_fit"): (1, 3),
        ("unsubscribes", None): (0, 1), ("issue_resolutions", None): (0, 1), ("unresolved_issue_flags", None): (1, 3),
        ("dormant_account_outreach_path_coverage", None): (1, 3), ("owner_decisions", None): (3, 3),
        ("owner_decisions", "no_outreach"): (1, 3), ("closed_reasons", "owner_close"): (1, 1),
        ("outreach_approved", "segment business"): (1, 2), ("outreach_approved", "channel email"): (1, 2),
        ("accounts_closed", "segment business, bad_fit"): (1, 3),
        ("closed_reasons", "segment business, owner_close"): (1, 1), ("response_rate", "channel email"): (0, 1),
        ("holds", "segment business"): (1, 3),
    }  # fmt: skip
    assert all(figure.low is not None for figure in report.values() if figure.rate is not None and figure.of)
