"""What to do next about a candidate, in the words of PLAYBOOKS.md; an owner's call is a task, never a send."""

from __future__ import annotations

import pandas as pd

from reactivation.policy.columns import any_of, choose
from reactivation.policy.permission import REFUSED

#: Failing here means that somebody has to find something out, not that the customer said no.
_EVIDENCE_PREFIXES = ("evidence_missing:", "context_conflict:", "unreachable:")


def next_action(candidates: pd.DataFrame) -> pd.Series:
    """The next best action of decision, reason_codes (decisive first), review reasons, value and offer position. The
    decisive reason names its gate, and so says whether somebody is suppressed or held."""
    reason = candidates["decisive_reason"].fillna("")
    refused = reason.isin([f"permission:{why}" for why in REFUSED])
    valuable = candidates["value_tier"] == "high"
    return choose(
        [
            (reason.str.startswith("open_issue:") & candidates["path"].notna(), "owner_call"),
            (reason.str.startswith("open_issue:"), "resolve_issue_first"),
            (reason.str.startswith("timing:"), "wait_until"),
            (reason.isin(["suppressed:deactivated", "relationship:owner_closed"]), "close"),
            (reason.str.startswith("unreachable:") & valuable, "owner_call"),
            (any_of(*(reason.str.startswith(prefix) for prefix in _EVIDENCE_PREFIXES)), "complete_evidence"),
            (reason.str.startswith("permission:") & ~refused, "complete_evidence"),
            (candidates["decision"] == "suppress", "leave_alone"),
            (candidates["gate_relationship"] == "review:sensitive", "owner_call"),
            (candidates["offer_position"] == "none", "check_in"),
        ],
        "start_sequence",
    )
