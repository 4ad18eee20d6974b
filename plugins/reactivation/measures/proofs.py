"""The threshold of a pilot, proven or refuted from the ledger, with every counter-example by id. Pure.

Seed 000: 100 % of outreach candidates pass eligibility, consent and relationship-risk review before send. Seed 001:
90 % of dormant accounts receive account-owner review or suppression before outreach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reactivation.ledger.piloted import Seen, Sent
from reactivation.policy.decisions import FAIL, PASS, REVIEW

PROVEN, REFUTED, NOT_YET, NOT_ENOUGH = "proven", "refuted", "not yet", "not enough data"
#: What the gates of the ladder stand for in the sentence of seed 000.
ELIGIBILITY = (
    "in_scope", "dormant", "evidence", "not_suppressed", "fit", "no_open_issue", "reachable", "context_consistent",
)  # fmt: skip
_OF_OWNERS = ("signed", "held", "rejected", "decided")
_LET_ON = ("enrol", "review")


@dataclass(frozen=True)
class Row:
    """One subject, how often it was written to, and what is missing (codes; nothing: it passes)."""

    subject: str
    sends: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """``passed`` of ``of`` subjects pass; ``verdict`` compares that with the ``threshold``."""

    sentence: str
    threshold: float
    passed: int
    of: int
    verdict: str
    rows: tuple[Row, ...]

    @property
    def counter_examples(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.missing)


def before_send(sent: Sequence[Sent], seen: Sequence[Seen], outside: Collection[str], threshold: float) -> Proof:
    """Seed 000: everybody who was written to was eligible, permitted and reviewed for relationship risk before each
    message. ``outside``: the send ids of messages to people the pilot is not of."""
    decided = _first(one for one in seen if one.what in _LET_ON)
    missing: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for one in sent:
        lacks = _lacks(one, decided.get(one.customer_id) or decided.get(one.subject))
        lacks += ["outside_pilot"] if one.send_id in outside else []
        counts[one.subject] = counts.get(one.subject, 0) + 1
        missing.setdefault(one.subject, []).extend(f"{what} ({one.send_id})" for what in lacks)
    rows = tuple(Row(subject, counts[subject], tuple(missing[subject])) for subject in sorted(counts))
    sentence = "outreach candidates pass eligibility, consent, and relationship-risk review before send"
    return _proof(sentence, threshold, rows, may_come=False)


def before_outreach(
    subjects: Collection[str], sent: Sequence[Sent], seen: Sequence[Seen], threshold: float, *, is_over: bool
) -> Proof:
    """Seed 001: a list item or a question about the subject was answered by an owner, or the rules suppressed it,
    before its first message. ``is_over``: what is missing by now does not come any more."""
    first_sent = _first(Seen(one.subject, "sent", one.intended_at) for one in sent)
    looked_at = _first(
        one for one in seen if one.what == "suppress" or (one.what in _OF_OWNERS and one.by is not None)
    )  # fmt: skip
    counts: dict[str, int] = {}
    for one in sent:
        counts[one.subject] = counts.get(one.subject, 0) + 1
    rows = []
    for subject in sorted({*subjects, *first_sent}):
        looked, written = looked_at.get(subject), first_sent.get(subject)
        if looked is None:
            missing: tuple[str, ...] = ("no_review",)
        else:
            missing = ("reviewed_after_outreach",) if written is not None and looked > written else ()
        rows.append(Row(subject, counts.get(subject, 0), missing))
    sentence = "dormant accounts receive account-owner review or suppression before outreach"
    return _proof(sentence, threshold, tuple(rows), may_come=not is_over)


def _lacks(one: Sent, decided: datetime | None) -> list[str]:
    """What the evidence of a message lacks. A gate that asks for a person needs a signature that named the message."""

    def stands(gate: str) -> bool:
        said = one.gates.get(gate, FAIL)
        return not said.startswith(FAIL) and (not said.startswith(REVIEW) or one.named)

    signed = one.signed_at is not None and one.signed_at <= one.intended_at
    checks = {
        "decision": decided is not None and decided <= one.intended_at,
        "eligibility": all(stands(gate) for gate in ELIGIBILITY),
        "consent": one.gates.get("permission") == PASS and bool(one.records),
        "relationship_risk": stands("relationship"),
        "owner_review": signed and bool(one.signed_by),
    }
    return [what for what, holds in checks.items() if not holds]


def _first(seen: Iterable[Seen]) -> dict[str, datetime]:
    """By subject, the first time."""
    first: dict[str, datetime] = {}
    for one in seen:
        first[one.subject] = min(one.at, first.get(one.subject, one.at))
    return first


def _proof(sentence: str, threshold: float, rows: tuple[Row, ...], *, may_come: bool) -> Proof:
    passed = sum(not row.missing for row in rows)
    if not rows:
        verdict = NOT_ENOUGH
    elif passed >= threshold * len(rows):
        verdict = PROVEN
    else:
        verdict = NOT_YET if may_come else REFUTED
    return Proof(sentence, threshold, passed, len(rows), verdict, rows)
