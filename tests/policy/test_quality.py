"""The quality gates proven of a run's decisions: one decision that does not hold is counted under its gate."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.steps.drafting import decision

from reactivation.policy.decisions import DECISIONS
from reactivation.policy.quality import COLUMNS, unproven


def found(*rows: dict[str, Any], subject: Literal["customer", "account"] = "customer") -> dict[str, int]:
    """The gates that do not hold, with how many decisions, of a file of which no more is read than is declared."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema=DECISIONS), file := BytesIO())
    decisions = pq.ParquetFile(file).read(list(COLUMNS))
    return {name: count for name, count in unproven(decisions, subject).items() if count}


SUPPRESSED = {"decision": "suppress", "reason_codes": ["permission:no_record"], "gate_permission": "fail:no_record"}


def test_what_the_ladder_decides_holds() -> None:
    """Who may be contacted, who is reviewed by name, who waits and who is suppressed."""
    reviewed = decision("c-2", decision="review", review_reasons=["high_value"], gate_fit="review:fit_unknown")
    assert found(decision("c-1"), reviewed, decision("c-3", decision="hold"), decision("c-4", **SUPPRESSED)) == {}
    assert found() == {}


def test_an_account_may_be_dormant_by_its_status() -> None:
    """However few days ago it was last heard of; that it was heard of at all must be known all the same."""
    assert found(decision("c-1", dormant_days=3)) == {"trigger_is_narrow": 1}
    assert found(decision("c-1", dormant_days=3), subject="account") == {}
    assert found(decision("c-1", last_activity_at=None), subject="account") == {"trigger_is_narrow": 1}


def test_who_is_enrolled_may_have_stirred() -> None:
    """An open that ends nothing makes nobody's trigger wrong."""
    assert found(decision("c-1", enrolled=True, dormant_days=3)) == {}


@pytest.mark.parametrize(("changes", "gate"), [
    ({"dormant_days": 89}, "trigger_is_narrow"),
    ({"dormant_days": None}, "trigger_is_narrow"),
    ({"last_activity_at": None}, "trigger_is_narrow"),
    ({"gate_dormant": None}, "trigger_is_narrow"),
    ({"gate_evidence": "fail:owner"}, "evidence_is_listed"),
    ({"review_reasons": ["high_value"]}, "approval_is_explicit"),
    ({"gate_relationship": "review:sensitive"}, "approval_is_explicit"),
    ({"decision": "review"}, "approval_is_explicit"),
    ({"gate_fit": "fail:bad_fit"}, "judgment_is_protected"),
    ({"gate_not_suppressed": "fail:opt_out"}, "judgment_is_protected"),
    ({"gate_permission": None}, "judgment_is_protected"),
    ({"decision": "perhaps", "reason_codes": ["?"]}, "measurement_is_defined"),
    ({"decision": None, "reason_codes": ["?"]}, "measurement_is_defined"),
    ({"email_records": []}, "source_evidence_is_attached"),
    ({"recommended_channel": "sms"}, "source_evidence_is_attached"),
    ({"gate_relationship": "fail:error"}, "context_is_reviewed"),
    ({**SUPPRESSED, "gate_relationship": None}, "context_is_reviewed"),
    ({"owner_id": None}, "owner_is_assigned"),
    ({**SUPPRESSED, "reason_codes": []}, "stop_rules_are_visible"),
    ({**SUPPRESSED, "reason_codes": None}, "stop_rules_are_visible"),
])  # fmt: skip
def test_each_gate_can_fail(changes: dict[str, Any], gate: str) -> None:
    """By one decision among others."""
    assert found(decision("c-1"), decision("c-2", **changes)).get(gate) == 1
