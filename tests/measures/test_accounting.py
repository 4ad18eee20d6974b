"""What came of accounts: each a share of what it says."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from reactivation.measures import Figure, account_figures, split_accounts
from reactivation.measures.accounting import SAID
from reactivation.measures.figures import NOT_ENOUGH
from reactivation.policy.decisions import DECISIONS


def row(account: str, segment: str = "business", *, cases: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"account_id": account, "business_segment": segment, "account_contacts": [f"{account}-1", f"{account}-2"],
            "evidence": {"open_case_ids": list(cases)}}  # fmt: skip


#: Oak had an issue and has none now, Elm has one, Ash never had one, Yew is a household's; Fir is dormant no more.
DECISIONS_ = pa.Table.from_pylist(
    [row("oak"), row("elm", cases=("k-1",)), row("ash"), row("yew", "household")], schema=DECISIONS
)
SAID_ = pa.Table.from_pylist(
    [{"account_id": "oak", "decision": "close", "reason": "bad_fit"},
     {"account_id": "elm", "decision": "resolve_issue", "reason": None},
     {"account_id": "yew", "decision": "close", "reason": None},
     {"account_id": "fir", "decision": "approve", "reason": None}],
    schema=SAID,
)  # fmt: skip
FLAGGED = pa.array(["oak-2", "fir-1"])


def one(figures: list[Figure], measure: str, by: str | None = None) -> tuple[int | None, int | None]:
    (figure,) = [f for f in figures if (f.measure, f.by) == (measure, by)]
    return figure.count, figure.of


@pytest.mark.parametrize(
    ("measure", "by", "expected"),
    [("owner_decisions", None, (3, 4)), ("owner_decisions", "close", (2, 4)), ("owner_decisions", "approve", (0, 4)),
     ("accounts_closed", None, (2, 3)), ("accounts_closed", "bad_fit", (1, 3)),
     ("accounts_closed", "none given", (1, 3)), ("issue_resolutions", None, (1, 2))],
)  # fmt: skip
def test_each_is_counted_over_the_dormant_accounts(
    measure: str, by: str | None, expected: tuple[int, int]
) -> None:  # fmt: skip
    """Whoever is dormant no more is in none; an issue found open for any contact is its account's."""
    assert one(account_figures(DECISIONS_, SAID_, FLAGGED), measure, by) == expected


def test_a_share_has_its_interval() -> None:
    """Wilson's, at 95 %."""
    (figure,) = [
        f for f in account_figures(DECISIONS_, SAID_, FLAGGED) if (f.measure, f.by) == ("issue_resolutions", None)
    ]
    assert (figure.rate, figure.low, figure.high) == (0.5, 0.0945, 0.9055)


def test_a_segment_has_its_own() -> None:
    """Counted like the whole; a channel has no accounts."""
    found = split_accounts(DECISIONS_, SAID_, FLAGGED, "segment")
    assert one(found, "owner_decisions", "segment business") == (2, 3)
    assert one(found, "accounts_closed", "segment household, none given") == (1, 1)
    assert one(found, "issue_resolutions", "segment business") == (1, 2)
    assert split_accounts(DECISIONS_, SAID_, FLAGGED, "channel") == []


def test_where_nobody_decided_nothing_is_said() -> None:
    """Not a rate of zero."""
    figures = account_figures(DECISIONS.empty_table(), SAID.empty_table(), pa.array([], pa.string()))
    assert {figure.note for figure in figures} == {NOT_ENOUGH}
