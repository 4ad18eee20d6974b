"""A pilot's threshold: proven, refuted with the counter-examples, or not yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.ledgers import NOW

from reactivation.ledger.piloted import Seen, Sent
from reactivation.measures.proofs import ELIGIBILITY, Proof, before_outreach, before_send
from reactivation.measures.workflow_test import MOST, Told, sampled, workflow_test

GATES = dict.fromkeys((*ELIGIBILITY, "relationship", "permission"), "pass")
HOUR = timedelta(hours=1)


def sent(subject: str = "c-1", send_id: str = "s-1", **changes: Any) -> Sent:
    """A message that passes."""
    return Sent(**({
        "subject": subject, "customer_id": subject, "segment": "household", "owner_id": "own-ada", "send_id": send_id,
        "intended_at": NOW, "gates": GATES, "records": ("r-1",), "signed_at": NOW - HOUR, "signed_by": ("ada",),
        "named": False,
    } | changes))  # fmt: skip


def decided(subject: str = "c-1", what: str = "enrol", **changes: Any) -> Seen:
    return Seen(**({"subject": subject, "what": what, "at": NOW - 2 * HOUR, "by": None} | changes))


class TestBeforeSend:
    """Seed 000: all of it, before each message."""

    def test_is_proven_when_every_message_has_its_evidence(self) -> None:
        """Two messages to one, one to another: two candidates pass."""
        some = [sent(), sent(send_id="s-2"), sent("c-2", "s-3")]
        proof = before_send(some, [decided(), decided("c-2", "review")], (), 1.0)
        assert (proof.verdict, proof.passed, proof.of, proof.counter_examples) == ("proven", 2, 2, ())
        assert [(row.subject, row.sends) for row in proof.rows] == [("c-1", 2), ("c-2", 1)]

    @pytest.mark.parametrize(("changes", "missing"), [
        ({"gates": GATES | {"fit": "fail:bad_fit"}}, "eligibility"),
        ({"gates": GATES | {"fit": "review:fit_unknown"}}, "eligibility"),
        ({"gates": {name: said for name, said in GATES.items() if name != "dormant"}}, "eligibility"),
        ({"gates": GATES | {"permission": "fail:withdrawn"}}, "consent"),
        ({"records": ()}, "consent"),
        ({"gates": GATES | {"relationship": "fail:dispute"}}, "relationship_risk"),
        ({"gates": GATES | {"relationship": "review:sensitive"}}, "relationship_risk"),
        ({"gates": {}}, "relationship_risk"),
        ({"signed_at": None}, "owner_review"),
        ({"signed_by": ()}, "owner_review"),
        ({"signed_at": NOW + HOUR}, "owner_review"),
        ({"intended_at": NOW - 3 * HOUR}, "decision"),
    ])  # fmt: skip
    def test_is_refuted_by_one_message_without(self, changes: dict[str, Any], missing: str) -> None:
        """The counter-example is named, with the message and what it lacks; the others pass."""
        some = [sent(), sent(send_id="s-2", **changes), sent("c-2", "s-3")]
        proof = before_send(some, [decided(), decided("c-2")], (), 1.0)
        (row,) = proof.counter_examples
        assert (proof.verdict, proof.passed, proof.of, row.subject) == ("refuted", 1, 2, "c-1")
        assert f"{missing} (s-2)" in row.missing

    @pytest.mark.parametrize("gate", ["relationship", "fit"])
    def test_a_gate_that_asks_for_a_person_needs_the_message_named(self, gate: str) -> None:
        """A signature for the group is none for this one."""
        asked = {"gates": GATES | {gate: "review:unknown"}}
        assert before_send([sent(**asked, named=True)], [decided()], (), 1.0).verdict == "proven"
        assert before_send([sent(**asked)], [decided()], (), 1.0).verdict == "refuted"

    def test_a_message_outside_the_sample_is_one(self) -> None:
        """However well it was reviewed."""
        (row,) = before_send([sent()], [decided()], {"s-1"}, 1.0).counter_examples
        assert row.missing == ("outside_pilot (s-1)",)

    def test_a_suppression_lets_nobody_be_written_to(self) -> None:
        """Decided, but not to write."""
        (row,) = before_send([sent()], [decided(what="suppress")], (), 1.0).counter_examples
        assert row.missing == ("decision (s-1)",)

    def test_nothing_sent_proves_nothing(self) -> None:
        """It says so."""
        assert before_send([], [decided()], (), 1.0).verdict == "not enough data"


class TestBeforeOutreach:
    """Seed 001: nine of ten accounts looked at by their owner, or suppressed, before anything is said to them."""

    def proof(self, *seen: Seen, some: tuple[Sent, ...] = (), accounts: int = 10, is_over: bool = True) -> Proof:
        return before_outreach([f"a-{n}" for n in range(accounts)], some, seen, 0.9, is_over=is_over)

    @pytest.mark.parametrize("what", ["signed", "held", "rejected", "decided"])
    def test_any_answer_of_an_owner_is_a_review(self, what: str) -> None:
        """And so is a suppression by the rules; a mere decision to enrol is not."""
        eight = [decided(f"a-{n}", what, by="ben") for n in range(8)]
        assert self.proof(*eight, decided("a-8", "suppress")).verdict == "proven"
        assert self.proof(*eight, decided("a-8", "enrol")).verdict == "refuted"
        assert self.proof(*eight, decided("a-8", what)).verdict == "refuted"

    def test_a_review_after_the_outreach_is_none(self) -> None:
        """The account is a counter-example by id."""
        seen = [decided(f"a-{n}", "signed", by="ben", at=NOW + HOUR) for n in range(10)]
        proof = self.proof(
            *seen,
            some=(
                sent("a-3"),
                sent("a-4", "s-2"),
            ),
        )
        assert (proof.verdict, proof.passed) == ("refuted", 8)
        assert {(row.subject, row.missing) for row in proof.counter_examples} == {
            ("a-3", ("reviewed_after_outreach",)), ("a-4", ("reviewed_after_outreach",)),
        }  # fmt: skip

    def test_while_it_runs_the_rest_may_still_come(self) -> None:
        """Refuted is said when it is over."""
        assert self.proof(is_over=False).verdict == "not yet"

    def test_who_was_written_to_counts_wherever_he_came_from(self) -> None:
        """Outreach to an account nobody listed is unreviewed outreach."""
        proof = self.proof(some=(sent("a-other"),), accounts=0)
        assert (proof.of, proof.verdict) == (1, "refuted")


ROW = {
    "decision": "enrol", "value_tier": "mid", "last_purchase_at": NOW, "inactivity_reason": "unknown", "owner_id": "o",
    "gate_permission": "pass", "gate_no_open_issue": "fail:open_case", "gate_not_suppressed": "pass",
    "last_activity_at": NOW, "next_best_action": "start_sequence",
}  # fmt: skip


class TestUniqueWorkflowTest:
    def test_each_item_of_the_document_is_present_or_not(self) -> None:
        """The reason is not known; the support history is, open case and all."""
        (one,) = workflow_test("customer", {"c-1": ROW}, Told({"c-1"}, {"c-1"}), "salt")
        assert one.items == {
            "value_tier": True, "last_purchase": True, "reason": False, "consent": True, "support_history": True,
            "suppression_rule": True, "owner_approval": True, "outcome": True,
        }  # fmt: skip
        unread = ROW | {"gate_no_open_issue": "fail:cases_unread", "gate_permission": "fail:error"}
        (one,) = workflow_test("customer", {"c-1": unread}, Told((), ()), "salt")
        assert not any(one.items[name] for name in ("consent", "support_history", "owner_approval", "outcome"))

    def test_who_is_suppressed_needs_no_approval(self) -> None:
        """That nobody was asked is the rule at work."""
        (one,) = workflow_test("customer", {"c-1": ROW | {"decision": "suppress"}}, Told((), {"c-1"}), "salt")
        assert one.items["owner_approval"]

    def test_accounts_have_the_items_of_their_document(self) -> None:
        """Account value, owner, last interaction, reason, support history, permission, path, outcome."""
        (one,) = workflow_test("account", {"a-1": ROW}, Told((), ()), "salt")
        assert list(one.items) == [
            "account_value", "owner", "last_interaction", "inactivity_reason", "support_history", "permission",
            "path_decision", "outcome",
        ]  # fmt: skip
        assert one.items["path_decision"]

    def test_the_sample_is_always_the_same(self) -> None:
        """Whatever became of them, in whatever order they come."""
        many = [f"c-{n}" for n in range(40)]
        assert sampled(many, "one") == sampled(many[::-1], "one")
        assert len(sampled(many, "one")) == MOST
        assert sampled(many, "one") != sampled(many, "two")
