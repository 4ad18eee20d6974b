"""What the last run found: figures over its ``decisions.parquet``."""

from __future__ import annotations

from collections import Counter
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.measures.figures import Figure, share, shares
from reactivation.measures.issues import open_now
from reactivation.policy.decisions import DECISION_VALUES, FAIL


def review_figures(decisions: pa.Table, *, accounts_alone: bool = False) -> list[Figure]:
    """The figures of a run's decisions (``DECISIONS``), the baseline metric first. ``accounts_alone``: of a playbook
    about accounts."""
    candidates = decisions.num_rows
    reviewed = decisions.filter(decisions["reviewed"])
    decided = Counter(decisions["decision"].to_pylist())
    suppressed, held = (_reasons(decisions, what) for what in ("suppress", "hold"))
    accounts, complete = (len(some["account_id"].drop_null().unique()) for some in (decisions, reviewed))
    open_issues = int(pc.sum(open_now(decisions)).as_py() or 0)
    covered = [share("dormant_account_outreach_path_coverage", *_covered(decisions))] if accounts_alone else []
    return [
        *covered,
        share("reactivation_eligibility_review_rate", reviewed.num_rows, candidates),
        *(share("candidates_reviewed", decided[what], candidates, what) for what in DECISION_VALUES),
        share("accounts_reviewed", complete, accounts),
        share("contacts_suppressed", decided["suppress"], candidates),
        *shares("contacts_suppressed", suppressed, candidates),
        share("holds", decided["hold"], candidates),
        *shares("holds", held, candidates),
        share("unresolved_issue_flags", open_issues, candidates),
    ]


def _covered(decisions: pa.Table) -> tuple[int, int]:
    """Of the dormant accounts, how many have reason, value, owner, risk status, permission check and an approved
    path on record (seed 001, baseline metric). A reason nobody knows is none; a path led by its owner is approved by
    his word, the others by the rules."""
    known = [
        pc.not_equal(decisions["inactivity_reason"], "unknown"),
        pc.or_(pc.is_valid(decisions["annual_value"]), pc.not_equal(decisions["value_tier"], "unknown")),
        pc.is_valid(decisions["owner_id"]),
        pc.not_equal(pc.struct_field(decisions["evidence"], "relationship"), "unknown"),
        pc.invert(pc.is_in(decisions["gate_permission"], pa.array([f"{FAIL}error", f"{FAIL}unknown"]))),
        pc.or_(pc.not_equal(decisions["path"], "account_led"), pc.is_valid(decisions["owner_decision"])),
    ]
    return int(pc.sum(reduce(pc.and_, known)).as_py() or 0), decisions.num_rows


def _reasons(decisions: pa.Table, decision: str) -> dict[str, int]:
    """The decisive reason of those so decided; every one has at least one."""
    lists = decisions.filter(pc.equal(decisions["decision"], decision))["reason_codes"]
    first = pc.list_element(lists.combine_chunks(), 0) if len(lists) else pa.array([], pa.string())
    return {row["values"]: row["counts"] for row in pc.value_counts(first).to_pylist()}
