"""Proofs of the quality gates of a run's decisions: how many do not hold to each. Pure.

The ladder decides so that each of these holds; here that is looked at once more, in what it decided, before anybody is
asked. Source: seeds 000 and 001, Quality and stop gates.
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.policy.decisions import DECISION_VALUES, FAIL, PASS, REVIEW

#: What is read of ``decisions.parquet``.
COLUMNS = (
    "customer_id", "decision", "owner_id", "dormant_days", "last_activity_at", "enrolled", "reason_codes",
    "review_reasons", "recommended_channel", "email_records", "sms_records", "gate_in_scope", "gate_dormant",
    "gate_evidence", "gate_not_suppressed", "gate_relationship", "gate_fit", "gate_permission",
    "evidence.window_days",
)  # fmt: skip
_SAY_NO = ("permission", "fit", "relationship", "not_suppressed")
_ASK = ("fit", "relationship")


def unproven(decisions: pa.Table, subject: Literal["customer", "account"]) -> dict[str, int]:
    """By gate, how many decisions do not hold to it; ``decisions`` has at least ``COLUMNS``. ``subject``: what the
    playbook is about; an account may be dormant by its status, however many days that are."""
    let_on = pc.is_in(decisions["decision"], pa.array(["enrol", "review"]))
    result = {name: decisions[f"gate_{name}"] for name in (*_SAY_NO, "dormant", "evidence")}
    asked = _any(pc.starts_with(result[name], REVIEW) for name in _ASK)
    named = pc.greater(pc.list_value_length(decisions["review_reasons"]), 0)
    days, window = decisions["dormant_days"], decisions["evidence"].combine_chunks().field("window_days")
    # Who is enrolled already stays, whatever he did that does not end it.
    quiet = pc.or_(pc.fill_null(pc.greater_equal(days, window), False), pc.fill_null(decisions["enrolled"], False))
    quiet = pc.or_(quiet, pa.scalar(subject == "account"))
    broken = {
        "trigger_is_narrow": pc.and_(
            let_on, _not(_all([pc.is_valid(decisions["last_activity_at"]), quiet, _is(result["dormant"], PASS)]))
        ),
        "evidence_is_listed": pc.and_(let_on, _not(_is(result["evidence"], PASS))),
        "approval_is_explicit": pc.or_(
            pc.and_(_is(decisions["decision"], "enrol"), pc.or_(asked, pc.fill_null(named, False))),
            pc.and_(_is(decisions["decision"], "review"), _not(pc.fill_null(named, False))),
        ),
        "judgment_is_protected": pc.and_(
            let_on, _any(pc.fill_null(pc.starts_with(result[name], FAIL), True) for name in _SAY_NO)
        ),
        "measurement_is_defined": _not(pc.is_in(decisions["decision"], pa.array(DECISION_VALUES))),
        "source_evidence_is_attached": pc.and_(let_on, _without_records(decisions)),
        "context_is_reviewed": _any(
            pc.or_(pc.is_null(result[name]), pc.and_(let_on, _is(result[name], f"{FAIL}error")))
            for name in ("permission", "relationship")
        ),
        "owner_is_assigned": pc.and_(let_on, pc.is_null(decisions["owner_id"])),
        "stop_rules_are_visible": pc.and_(
            _not(let_on), pc.fill_null(pc.equal(pc.list_value_length(decisions["reason_codes"]), 0), True)
        ),
    }
    return {name: int(pc.sum(flags).as_py() or 0) for name, flags in broken.items()}


def _without_records(decisions: pa.Table) -> pa.ChunkedArray:
    """Who has no permission record of the channel he is to be written to by."""
    has = {
        channel: pc.fill_null(pc.greater(pc.list_value_length(decisions[f"{channel}_records"]), 0), False)
        for channel in ("email", "sms")
    }
    by_text = _is(decisions["recommended_channel"], "sms")
    return _not(pc.if_else(by_text, has["sms"], has["email"]))


def _is(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(column, value), False)


def _not(flags: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.invert(flags)


def _all(flags: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    first, *rest = flags
    for other in rest:
        first = pc.and_(first, other)
    return first


def _any(flags: object) -> pa.ChunkedArray:
    first, *rest = (pc.fill_null(one, False) for one in flags)  # type: ignore[attr-defined]
    for other in rest:
        first = pc.or_(first, other)
    return first
