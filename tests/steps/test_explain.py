"""A customer's story in words: every gate, its values and the records behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.policy.people import AT, ago, known, one, person, playbook, rules, stories, suppression
from tests.steps.six import PLAYBOOK, Six

from reactivation.ledger.engine import open_ledger
from reactivation.ledger.migrations import upgrade
from reactivation.ledger.runs import StepError
from reactivation.policy.decisions import GATES
from reactivation.steps.explain import explain, explain_customer
from reactivation.steps.results import decisions_of


def told(row: dict[str, object]) -> str:
    return explain(row, playbook(), rules())


def line(text: str, gate: str) -> str:
    return next(line for line in text.splitlines() if f" {gate} " in line)


def beneath_of(text: str, gate: str) -> list[str]:
    """The indented lines beneath a gate."""
    lines = text.splitlines()
    after = lines[lines.index(line(text, gate)) + 1 :]
    return [shown.strip() for shown in takewhile(lambda shown: shown.startswith(" " * 8), after)]


def test_every_gate_is_told_in_order() -> None:
    """Passed or not."""
    text = told(one(person()))

    numbered = [line.split()[1] for line in text.splitlines() if line[:3].strip().isdigit()]
    assert tuple(numbered) == GATES
    assert "decision: enrol — may be enrolled" in text


def test_every_gate_is_told_with_its_question_in_one_line() -> None:
    """Nothing beneath a gate that passed."""
    lines = told(one(person())).splitlines()
    ladder = lines[lines.index("the ladder, first no decides:") + 1 : -2]

    assert len(ladder) == len(GATES)
    for shown, (name, gate) in zip(ladder, rules().gates.gates.items(), strict=True):
        assert re.match(rf" *\d+ {name} +pass +{re.escape(gate.question)}", shown)


def test_what_is_no_pass_is_told_in_words_with_whose_sentence_it_is() -> None:
    """Beneath the gate, indented; a no, a question for a person, and what falls away alike."""
    change: dict[str, dict[str, object]] = {"contact": {"fit": "bad", "relationship": "sensitive"}}
    text = told(one(person(purchases={"discounted_purchases": 4}, **change)))

    for gate, result in (("fit", "fail:bad_fit"), ("relationship", "review:sensitive"),
                         ("offer_allowed", "drop:discount_buyer")):  # fmt: skip
        rule = rules().gates.gates[gate]
        beneath = [rule.results[result], *map(str, rule.sources)]
        assert beneath_of(text, gate) == beneath
    assert beneath_of(text, "permission") == []


def test_what_asks_for_a_person_beside_the_ladder_is_told() -> None:
    """High value, or an offer to an account; nothing where nothing does."""
    text = told(one(person(contact={"value_tier": "high"})))

    assert "a person is asked besides, because of:\n  high_value\n        the customer is of high value\n" in text
    assert "a person is asked besides" not in told(one(person()))


def test_a_result_of_rules_that_are_gone_is_told_all_the_same() -> None:
    """A run of last year keeps its codes."""
    text = told(one(person()) | {"gate_fit": "fail:old_code"})

    assert beneath_of(text, "fit")[0] == "is not among the results of these rules"


def test_what_was_redeemed_is_told_with_what_it_cost() -> None:
    """Beside the margin ever brought; of a run from before costs were asked, how many alone, of nobody who redeemed
    nothing."""
    row = one(person(), known(redeemed_incentives=1, last_redeemed_at=ago(400), redeemed_cost=Decimal("9.50"),
                              redeemed_currency="GBP"))  # fmt: skip
    added = ("redeemed_cost", "redeemed_currency", "lifetime_margin")
    before = row | {"evidence": {name: value for name, value in row["evidence"].items() if name not in added}}

    told_now, told_then, told_of_none = (line(told(of), "offer_allowed") for of in (row, before, one(person())))

    assert "1 incentives redeemed for 9.50 GBP of a margin of 240.00 GBP ever" in told_now
    assert "1 incentives redeemed" in told_then
    assert " ever" not in told_then + told_of_none


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
        gate = rules().gates.gates["dormant"]
        assert line(text, "dormant").split(maxsplit=2) == [
            "dormant", "fail:active", f"{gate.question} quiet for 2 days, window 90",
        ]  # fmt: skip
        assert beneath_of(text, "dormant") == [gate.results["fail:active"], *map(str, gate.sources)]

    def test_somebody_who_is_not_there(self, six: Six) -> None:
        """Names the snapshot, and where to look."""
        with pytest.raises(StepError, match="has no customer c-zoe; see `reactivation candidates`"):
            explain_customer(six.workspace, "c-zoe", PLAYBOOK)

    def test_somebody_who_is_no_candidate_in_a_run_of_an_earlier_version(self, six: Six) -> None:
        """Is told all the same: what that version did not ask of the ledger is unknown."""
        now = explain_customer(six.workspace, "c-fay", PLAYBOOK)
        folder = six.workspace.run_folder(decisions_of(six.workspace, PLAYBOOK)[0])
        place, manifest = Path(str(folder.path / "ledger_extract.parquet")), Path(str(folder.path / "manifest.json"))
        new, listed = place.read_bytes(), manifest.read_text()

        pq.write_table(pq.read_table(place).drop_columns(["redeemed_cost", "redeemed_currency"]), place)
        manifest.write_text(listed.replace(sha256(new).hexdigest(), sha256(place.read_bytes()).hexdigest()))
        try:
            assert explain_customer(six.workspace, "c-fay", PLAYBOOK) == now
        finally:
            place.write_bytes(new)
            manifest.write_text(listed)


def test_as_of_is_told() -> None:
    """In UTC."""
    assert f"as of {AT:%Y-%m-%d %H:%M} UTC" in told(one(person()))
