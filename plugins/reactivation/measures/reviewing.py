"""What the last run found: figures over its ``decisions.parquet``."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.measures.figures import Figure, share, shares
from reactivation.policy.decisions import DECISION_VALUES, FAIL


def review_figures(decisions: pa.Table) -> list[Figure]:
    """The figures of a run's decisions (``DECISIONS``), the baseline metric first."""
    candidates = decisions.num_rows
    reviewed = decisions.filter(decisions["reviewed"])
    decided = Counter(decisions["decision"].to_pylist())
    suppressed, held = (_reasons(decisions, what) for what in ("suppress", "hold"))
    accounts, complete = (len(some["account_id"].drop_null().unique()) for some in (decisions, reviewed))
    open_issues = int(pc.sum(pc.starts_with(decisions["gate_no_open_issue"], FAIL)).as_py() or 0)
    return [
        share("reactivation_eligibility_review_rate", reviewed.num_rows, candidates),
        *(share("candidates_reviewed", decided[what], candidates, what) for what in DECISION_VALUES),
        share("accounts_reviewed", complete, accounts),
        share("contacts_suppressed", decided["suppress"], candidates),
        *shares("contacts_suppressed", suppressed, candidates),
        share("holds", decided["hold"], candidates),
        *shares("holds", held, candidates),
        share("unresolved_issue_flags", open_issues, candidates),
    ]


def _reasons(decisions: pa.Table, decision: str) -> dict[str, int]:
    """The decisive reason of those so decided; every one has at least one."""
    lists = decisions.filter(pc.equal(decisions["decision"], decision))["reason_codes"]
    first = pc.list_element(lists.combine_chunks(), 0) if len(lists) else pa.array([], pa.string())
    return {row["values"]: row["counts"] for row in pc.value_counts(first).to_pylist()}
