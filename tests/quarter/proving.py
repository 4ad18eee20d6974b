"""The thresholds of the two pilots, counted with plain pandas out of the ledger's tables.

Seed 000: all outreach candidates pass eligibility, consent and relationship-risk review before send. Seed 001: ninety
per cent of dormant accounts receive account-owner review or suppression before outreach. Each function gives, by
subject, whether it passes, and how many messages it was sent.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from tests.quarter.books import Books
from tests.quarter.playing import ACCOUNTS, REACTIVATION

_ELIGIBLE = ("in_scope", "dormant", "evidence", "not_suppressed", "fit", "no_open_issue", "reachable",
             "context_consistent")  # fmt: skip
_MAY_HAVE_REACHED = ("called", "accepted", "unknown")


def _pilot(books: Books, playbook: str) -> Any:
    found = books.table("pilots")
    return next(found[found["playbook"] == playbook].itertuples())


def _sent(books: Books, playbook: str) -> pd.DataFrame:
    """The messages of the pilot's days."""
    pilot, sends = _pilot(books, playbook), books.sends
    mine = sends[(sends["playbook"] == playbook) & sends["state"].isin(_MAY_HAVE_REACHED)]
    mine = mine[mine["intended_at"] >= pilot.began_at]
    return mine if pd.isna(pilot.ended_at) else mine[mine["intended_at"] < pilot.ended_at]


def _named(books: Books) -> set[str]:
    """Touches that a signature named one by one."""
    said = books.verdicts
    named = said[(said["kind"] == "content") & said["individual"].astype(bool) & (said["verdict"] == "signed")]
    return set(named["touch_id"])


def before_send(books: Books) -> dict[str, tuple[bool, int]]:
    pilot, sent, named = _pilot(books, REACTIVATION), _sent(books, REACTIVATION), _named(books)
    events, answers = books.events, books.table("answers").set_index("answer_id")
    decided = events[(events["kind"] == "decision") & (events["playbook"] == REACTIVATION)]
    decided = decided[decided["outcome"].isin(["enrol", "review"]) & (decided["occurred_at"] >= pilot.began_at)]
    first = decided.groupby("subject")["occurred_at"].min()

    def passes(one: Any) -> bool:
        signatures = answers.reindex(one.answer_ids)
        whole = signatures["accepted"].fillna(value=False).astype(bool).all() and signatures["responder"].notna().all()
        return bool(
            one.customer_id in first.index and first[one.customer_id] <= one.intended_at
            and all(_stands(one, gate, named) for gate in (*_ELIGIBLE, "relationship"))
            and one.gates.get("permission") == "pass" and one.basis.get("records")
            and whole and len(signatures) and signatures["recorded_at"].max() <= one.intended_at
            and one.segment == pilot.segment and one.owner_id == pilot.owner_id
        )  # fmt: skip

    found: dict[str, tuple[bool, int]] = {}
    for one in sent.itertuples():
        before, count = found.get(one.customer_id, (True, 0))
        found[one.customer_id] = (before and passes(one), count + 1)
    return found


def _stands(one: Any, gate: str, named: set[str]) -> bool:
    said = one.gates.get(gate, "fail:")
    return not said.startswith("fail:") and (not said.startswith("review:") or one.touch_id in named)


def before_outreach(books: Books) -> dict[str, tuple[bool, int]]:
    pilot, sent = _pilot(books, ACCOUNTS), _sent(books, ACCOUNTS)
    until = books.quarter.until if pd.isna(pilot.ended_at) else pilot.ended_at
    decided = books.decisions[books.decisions["playbook"] == ACCOUNTS]
    account = dict(zip(decided["customer_id"], decided["account_id"], strict=True))

    looked = books.verdicts.dropna(subset="responder").merge(
        books.touches[["touch_id", "playbook", "account_id"]], on="touch_id"
    )
    looked = looked[looked["playbook"] == ACCOUNTS][["account_id", "recorded_at"]]
    asked = books.table("questions").merge(books.table("answers"), on="question_id")
    asked = asked[(asked["kind"] == "decide_account") & asked["accepted"].astype(bool)]
    events = books.events
    ruled = events[
        (events["kind"] == "decision") & (events["playbook"] == ACCOUNTS) & (events["outcome"] == "suppress")
    ]
    seen = pd.concat([
        looked.rename(columns={"recorded_at": "at"}),
        asked.rename(columns={"subject": "account_id", "recorded_at": "at"})[["account_id", "at"]],
        pd.DataFrame({"account_id": [account.get(one) or one for one in ruled["subject"]], "at": ruled["occurred_at"]}),
    ])  # fmt: skip
    seen = seen[(seen["at"] >= pilot.began_at) & (seen["at"] < until)]
    review, outreach = seen.groupby("account_id")["at"].min(), sent.groupby("account_id")["intended_at"].min()
    counts = sent["account_id"].value_counts()
    subjects = {*pilot.subjects, *outreach.index}

    def passes(one: str) -> bool:
        return one in review.index and (one not in outreach.index or review[one] <= outreach[one])

    return {one: (passes(one), int(counts.get(one, 0))) for one in subjects}
