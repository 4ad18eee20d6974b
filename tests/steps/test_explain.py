"""A customer's story in words: every gate, its values and the records behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.policy.people import AT, ago, known, one, person, playbook, rules, stories, suppression
from tests.steps.six import PLAYBOOK, Six

from reactivation.ledger.engine import open_ledger
from reactivation.ledger.migrations import upgrade
from reactivation.ledger.runs import StepError
from reactivation.policy.decisions import GATES
from reactivation.steps.explain import explain, explain_customer


def told(row: dict[str, object]) -> str:
    return explain(row, playbook(), rules())


def line(text: str, gate: str) -> str:
    return next(line for line in text.splitlines() if f" {gate} " in line)


def test_every_gate_is_told_in_order() -> None:
    """Passed or not."""
    text = told(one(person()))

    numbered = [line.split()[1] for line in text.splitlines() if line[:3].strip().isdigit()]
    assert tuple(numbered) == GATES
    assert "decision: enrol — may be enrolled" in text


def test_the_values_and_the_records_are_told() -> None:
    """What was found, and in which records."""
    text = told(one(person(case={"closed_at": ago(300), "opened_at": ago(310), "status": "closed"})))

    assert "quiet for 130 days, window 90 (household); last: purchase on 2026-07-10 09:00 UTC" in line(text, "dormant")
    assert "email: express from r-c-1 until 2028-01-21 09:00 UTC; sms: no (no_record); in GB" in line(
        text, "permission"
    )
    assert "open: none; past: k-c-1" in line(text, "no_open_issue")
    assert "13.06 % of an order of 150.00 GBP" in line(text, "offer_allowed")
    assert rules().version in text


def test_a_no_is_told_with_its_reason() -> None:
    """The decisive one first, and where it was said."""
    row = one(
        person(contact={"fit": "bad"}) | {"suppressions": [suppression("sup-7", customer_id="c-1")]},
        known(suppressed_reason="complaint", suppressed_channel="*"),
    )

    text = told(row)

    assert "decision: suppress — is not contacted because of suppressed:opt_out, fit:bad_fit" in text
    assert "fail:opt_out" in line(text, "not_suppressed")
    assert "opt_out, complaint from sup-7" in line(text, "not_suppressed")
    assert "next: leave_alone; owner own-ada; no channel" in text


def test_until_when_it_is_held() -> None:
    """Two days after the last message."""
    assert "wait_until until 2026-11-18 09:00 UTC" in told(one(person(engagement={"last_email_sent_at": ago(1)})))


def test_whatever_is_unknown_can_be_told() -> None:
    """Nothing here makes the story break."""
    nothing = {"last_purchase_at": None, "last_order_at": None, "purchases": 0, "margin_24m": None, "currency": None,
               "revenue": None}  # fmt: skip
    contact = {"country": None, "zones": [], "has_notes": None, "fit": None, "relationship": None, "email_key": None,
               "email_problem": "missing", "owner_id": "own-gone"}  # fmt: skip
    row = stories({"blank": {"contact": contact, "purchases": nothing, "consents": []}})["blank"]

    text = told(row)

    assert "never active, window 90" in line(text, "dormant")
    assert "in unknown; on record: nothing" in line(text, "permission")


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Six]:
    """The six customers, decided."""
    home: Path = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'ledger.db'}"
    upgrade(url)
    made = Six(home, open_ledger(url))
    made.snapshot()
    made.decided()
    yield made
    made.ledger.close()


class TestOfARun:
    """The customers of a run in the ledger."""

    def test_a_candidate(self, six: Six) -> None:
        """Of the playbook's last run."""
        assert "customer c-dov in Customer reactivation" in explain_customer(six.workspace, "c-dov", PLAYBOOK)

    def test_somebody_who_is_no_candidate(self, six: Six) -> None:
        """Is told why."""
        text = explain_customer(six.workspace, "c-fay", PLAYBOOK)

        assert "is no candidate" in text
        assert "fail:active  quiet for 2 days, window 90" in text

    def test_somebody_who_is_not_there(self, six: Six) -> None:
        """Names the snapshot, and where to look."""
        with pytest.raises(StepError, match="has no customer c-zoe; see `reactivation candidates`"):
            explain_customer(six.workspace, "c-zoe", PLAYBOOK)


def test_as_of_is_told() -> None:
    """In UTC."""
    assert f"as of {AT:%Y-%m-%d %H:%M} UTC" in told(one(person()))
