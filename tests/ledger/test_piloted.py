"""What a pilot is proven from: of its own playbook, whatever else was asked of the same account."""

from __future__ import annotations

from datetime import timedelta

from tests.ledgers import NOW, RUN_ID, an_id, begin

from reactivation.ledger import accounts, piloted, questions
from reactivation.ledger.accounts import AccountQuestion
from reactivation.ledger.engine import Ledger
from reactivation.ledger.piloted import Seen


def test_a_decision_counts_for_the_playbook_that_asked_for_it(ledger: Ledger) -> None:
    """The owner of one account was asked by two playbooks and answered both: each has looked at it once."""
    asked = {"dormant_account_outreach": "ben", "another_of_accounts": "ada"}
    with ledger.begin() as conn:
        begin(conn)
        for playbook, user in asked.items():
            question_id = an_id("question", playbook)
            questions.insert_question(
                conn, question_id=question_id, kind="decide_account", subject="a-oak", list_id=None, opened_at=NOW,
                expires_at=NOW + timedelta(days=3),
            )  # fmt: skip
            accounts.insert_questions(
                conn, [AccountQuestion(question_id, RUN_ID, playbook, "a-oak", f"own-{user}", ["c-oak"], 0)]
            )
            questions.insert_answer(conn, {
                "answer_id": an_id("answer", playbook), "question_id": question_id, "responder": user,
                "chosen": "Decide", "form": {}, "responded_at": NOW, "recorded_at": NOW, "accepted": True,
                "refusal": None,
            })  # fmt: skip

        for playbook, user in asked.items():
            assert piloted.seen_since(conn, playbook, "account", NOW) == [Seen("a-oak", "decided", NOW, user)]
