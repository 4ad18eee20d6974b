"""The gate ladder as a reviewer reads it is the ladder that decides: its gates, their noes, and every result."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from tests.policy import test_accounts, test_incentives, test_permission
from tests.policy.gates.cases import every_case
from tests.policy.people import (
    AT,
    Row,
    ago,
    consent,
    decide,
    known,
    offer,
    person,
    playbook,
    rules,
    suppression,
    together,
    two_emails,
)
from tests.policy.test_properties import customers
from tests.sample.real import real_file
from tools.rules_page import reason_code

from reactivation import paths
from reactivation.contract.snapshot import EMAIL_PROBLEMS, PHONE_PROBLEMS
from reactivation.contract.tables import FORBIDDING, SUPPRESSIONS
from reactivation.policy import gates
from reactivation.policy.accounts import OWNER_DECISIONS
from reactivation.policy.candidates import Decided
from reactivation.policy.columns import series
from reactivation.policy.consents import WHY
from reactivation.policy.decisions import FAIL, PASS
from reactivation.policy.gate_rules import Source
from reactivation.policy.gates import LADDER
from reactivation.policy.ladder import Gate, ask
from reactivation.policy.permission import REFUSED, UNCLEAR
from reactivation.policy.rules import RulesError
from reactivation.steps.rules import read_rules

SEEDS = {
    "000": "000_customer_reactivation_workflow.txt", "001": "001_dormant_account_outreach_workflow.txt",
    "002": "002_dormant_customer_two_email_workflow.txt", "003": "003_customer_reactivation_framework.txt",
}  # fmt: skip
#: Every reason a suppression may have.
SUPPRESSED = next(column.values for column in SUPPRESSIONS.columns if column.name == "reason")
READ = ("contacts", "purchases", "engagements", "cases", "consents", "suppressions", "offers")
LEDGER: tuple[Row, ...] = (
    {"active_playbook": "customers_not_active"},
    {"last_ended_at": ago(10), "last_ended_playbook": "customer_reactivation"},
    {"enrolments_total": 3},
    {"last_redeemed_at": ago(10), "redeemed_incentives": 1},
    {"last_redeemed_at": ago(200), "redeemed_incentives": 1},
    {"last_redeemed_at": ago(900), "redeemed_incentives": 2},
    {"last_redeemed_at": ago(900), "redeemed_incentives": 1, "redeemed_cost": Decimal(90), "redeemed_currency": "GBP"},
    {"suppressed_reason": "opt_out", "suppressed_channel": "*"},
)
OFFERS: tuple[Row, ...] = (
    {"ends_at": AT}, {"codes_available": 0}, {"budget": Decimal(1)}, {"offer_id": "another"},
    {"margin_floor": Decimal("0.35")},
)  # fmt: skip
TEXTS = {"channel": "sms"}
PHONED: Row = {"phone_problem": None, "phone_country": "GB"}

Given = set[tuple[str, str]]


def given_by(decided: Decided) -> Given:
    """Every result but ``pass``, with its gate."""
    return {
        (name.removeprefix("gate_"), result)
        for row in decided.table.to_pylist() + decided.others.to_pylist()
        for name, result in row.items()
        if name.startswith("gate_") and result != PASS
    }


@cache
def situations() -> tuple[Decided, ...]:
    """Everybody of ``_situations``, decided once."""
    return tuple(_situations())


def _situations() -> Iterator[Decided]:
    """Snapshots of people of every fate, most of them those of the other tests of the policy."""
    told: dict[str, Any] = {name: case[0] for name, case in every_case().items()}
    told |= {name: how for name, (how, _) in test_permission.STORIES.items()}
    told |= {name: {"contact": changes} for name, (changes, _) in test_permission.PHONED.items()}
    told |= {f"offered-{name}": how for name, (how, _) in test_incentives.STORIES.items()}
    told |= {f"said-{reason}": {"suppression": {"reason": reason}} for reason in SUPPRESSED}
    told |= {f"mail-{problem}": {"contact": {"email_problem": problem}} for problem in EMAIL_PROBLEMS}
    told |= {
        "reader": {"contact": {"is_subscriber_only": True}}, "of-no-segment": {"contact": {"business_segment": "x"}},
        "bought-lately": {"purchases": {"last_order_at": ago(20)}},
    }  # fmt: skip
    yield decide(together(*(person(name, **how) for name, how in told.items())))
    yield decide(together(*(person(f"c-{n}", contact={"email_key": "desk"}) for n in range(21))))
    yield decide(together(person(), person("c-2", contact={"email_key": "mail-c-1"}, consents=[])))
    yield decide(
        together(*(person(f"known-{n}") for n in range(len(LEDGER)))),
        *(known(f"mail-known-{n}", **knows) for n, knows in enumerate(LEDGER)),
    )
    yield from (decide(person(), absent=[table]) for table in READ)
    yield from (decide(person() | {"offers": [offer(**change)]}) for change in OFFERS)
    yield decide(
        person() | {"offers": [offer(), offer(**test_incentives.PERCENT)]},
        known(redeemed_incentives=2, **test_incentives.CHEAP),
        declared=test_incentives.with_percent(),
        in_force=test_incentives.more_in_a_lifetime(),
    )
    broken = [{"table": table, "key": "r-9", "customer_id": f"broken-{table}"} for table in FORBIDDING]
    yield decide(together(*(person(row["customer_id"]) for row in broken)) | {"broken_nos": broken})
    tagged = playbook().population.model_copy(update={"only_tags": ("vip",)})
    yield decide(person(), declared=playbook().model_copy(update={"population": tagged}))
    yield decide(person(), declared=two_emails(), before=[playbook()])
    yield decide(person(purchases={"purchases": 0, "last_purchase_at": None}), declared=two_emails())
    yield from _of_accounts()
    yield from _by_text()


def _of_accounts() -> Iterator[Decided]:
    """Of the playbook about accounts: what their owners decided, and what is not known of them."""
    firm, said, outreach = test_accounts.firm, test_accounts.said, test_accounts.outreach()
    for decision in OWNER_DECISIONS:
        yield decide(firm(), declared=outreach, owners_said=said(decision, owner_hold_until=ago(-5)))
    worthless = firm("a-1", test_accounts.contact_of(contact={"value_tier": None}, purchases={"margin_known_rows": 0}))
    worthless["accounts"][0] |= {"annual_value": None, "currency": None}
    never_used = firm("a-1", test_accounts.contact_of(
        contact={"last_seen": ago(130)}, purchases={"purchases": 0, "last_purchase_at": None, "last_order_at": None}
    ))  # fmt: skip
    refused = firm("a-1", test_accounts.contact_of(), test_accounts.contact_of("c-2"))
    refused["suppressions"] = [suppression(customer_id="c-2")]
    small = firm(has_notes=False, annual_value=Decimal(1))
    for tables in (worthless, never_used, refused, small, firm(primary_contact_id=None)):
        yield decide(tables, declared=outreach)


def _by_text() -> Iterator[Decided]:
    """Of playbooks that write text messages, alone or beside e-mails."""
    told = {f"phone-{problem}": {"phone_problem": problem} for problem in PHONE_PROBLEMS}
    told["mail-role"] = {"email_problem": "role"}
    both_ways = together(*(
        person(name, contact=PHONED | {"phone_key": name} | wrong,
               consents=[consent(f"r-{name}", name), consent(f"t-{name}", name, **TEXTS)])
        for name, wrong in told.items()
    ))  # fmt: skip
    for channels in (("sms",), ("email", "sms")):
        yield decide(both_ways, declared=playbook().model_copy(update={"channels": channels}))


def given_results() -> Given:
    return {one for decided in situations() for one in given_by(decided)}


def declared_results() -> Given:
    return {(name, result) for name, gate in rules().gates.gates.items() for result in gate.results}


class TestTheLadder:
    """The declared ladder is the one that is climbed."""

    def test_has_exactly_the_gates_in_their_order(self) -> None:
        """And each leads where the ladder leads."""
        assert [(name, gate.on_no) for name, gate in rules().gates.gates.items()] == [
            (gate.name, gate.on_no) for gate in LADDER
        ]

    def test_declares_every_result_that_is_given(self) -> None:
        """Nobody is told a code that stands nowhere."""
        assert given_results() - declared_results() == set()

    def test_declares_every_result_the_gates_are_written_to_give(self) -> None:
        """Also one that none of these people is given: what stands in the gates, and each why of a permission."""
        written = set(re.findall(r'"((?:fail|review|drop):[a-z_]+)"', inspect.getsource(gates)))
        whys = {f"{FAIL}{why}" for why in (*WHY, *UNCLEAR, *REFUSED) if why}

        assert written <= {result for _, result in declared_results()}
        assert whys <= set(rules().gates.gates["permission"].results)
        assert len(written) > 20

    def test_every_declared_result_is_given_to_somebody(self) -> None:
        """No code is explained that cannot occur."""
        assert declared_results() - given_results() == set()

    def test_people_at_random_are_given_declared_results_only(self) -> None:
        """Whole groups, with everything that can be wrong with them at once."""
        found: Given = set()

        @settings(max_examples=12, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(customers())
        def look(tables: Any) -> None:
            found.update(given_by(decide(tables)))

        look()

        assert found
        assert found <= declared_results()

    def test_what_a_broken_gate_gives_is_declared(self) -> None:
        """An exception, and an empty answer."""

        def breaks(facts: pd.DataFrame, context: Any) -> pd.Series:
            raise ZeroDivisionError

        ladder = [
            Gate("broken", breaks, "suppress", "b"),
            Gate("shy", lambda facts, _: series(pa.array([None], pa.string())), "suppress", "s"),
        ]
        results = ask(ladder, pd.DataFrame({"x": [1]}), None)  # type: ignore[arg-type]  # these gates ask nothing of it

        assert {results[column][0] for column in results} == set(rules().gates.any_gate)

    def test_every_review_reason_is_a_gates_or_declared_beside_them(self) -> None:
        """What asks for a person is told in words, whoever asks."""
        given_reasons = {
            reason for decided in situations() for row in decided.table.to_pylist() for reason in row["review_reasons"]
        }
        of_gates = {result.partition(":")[2] for _, result in declared_results() if result.startswith("review:")}

        assert given_reasons == of_gates | set(rules().gates.reviews)

    def test_every_reason_of_a_decision_is_on_the_page_of_the_rules(self) -> None:
        """As it stands there; those of who is no candidate too."""
        declared = rules().gates
        on_page = {reason_code(gate, result) for gate in LADDER for result in declared.gates[gate.name].results}
        given_reasons = {
            reason
            for decided in situations()
            for reason in (*decided.counts["reasons"], *decided.counts["not_candidates"])
        }

        assert given_reasons
        assert given_reasons <= on_page | set(declared.reviews) | {f"path:{path}" for path in declared.paths}


class TestTheWords:
    """What is said about each gate."""

    def test_the_sentences_are_those_of_the_source_documents(self, seeds: dict[str, str]) -> None:
        """Word for word, in a document that has the heading."""
        for one in sources():
            text = seeds[one.document[:3]]
            assert one.sentence in text, one
            assert one.document[5:] in text, one

    def test_a_result_of_other_rules_says_so(self) -> None:
        """A decision of last year may have been made with codes that are gone."""
        assert rules().gates.meaning("fit", "fail:old_code") == "is not among the results of these rules"
        assert rules().gates.meaning("fit", "fail:error").startswith("the gate itself failed")
        assert rules().gates.meaning("fit", "fail:bad_fit") == "the customer or the account is marked as a bad fit"

    def test_a_gate_that_is_missing_or_misplaced_is_refused(self, tmp_path: Path) -> None:
        """With the order that is expected."""
        folder = Path(shutil.copytree(paths.RULES, tmp_path / "rules"))
        file = folder / "gates.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace("\n  fit:\n", "\n  fitness:\n"), encoding="utf-8")

        with pytest.raises(RulesError, match=r"relationship, fitness, .*in order: in_scope, dormant, evidence, "):
            read_rules(folder)


def sources() -> Iterator[Source]:
    """Every sentence that a gate or a review stands for."""
    for one in (*rules().gates.gates.values(), *rules().gates.reviews.values()):
        yield from one.sources


@pytest.fixture(scope="module")
def seeds() -> dict[str, str]:
    """The source documents by their number."""
    return {number: real_file(f"../seeds/{name}").read_text(encoding="utf-8") for number, name in SEEDS.items()}
