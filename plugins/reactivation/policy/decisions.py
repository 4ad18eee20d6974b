"""The shape of ``decisions.parquet``: one row per candidate, every gate recorded, with the values used.

Grain: one row per (playbook, customer); sorted by customer_id. Only customers who pass ``in_scope`` and ``dormant`` are
candidates; the others are counted. A gate's result is ``pass``, ``fail:<reason>``, ``review:<reason>`` (a person must
look) or ``drop:<reason>`` (a channel or an offer falls away, the customer stays).

Source: the gate ladder of RULES.md; the decision row of DATA_CONTRACT.md; framework 003 (dimensions).
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from reactivation.contract.tables import MONEY, TEXT, TEXTS, TIME
from reactivation.policy.accounts import OF_ACCOUNTS

#: The ladder, in order: the first failing gate decides, and all of them are recorded.
GATES = (
    "in_scope", "dormant", "evidence", "not_suppressed", "relationship", "fit", "no_open_issue", "permission",
    "reachable", "context_consistent", "offer_allowed", "timing",
)  # fmt: skip

#: What the no of a gate leads to.
Outcome = Literal["not_a_candidate", "suppress", "hold"]

DECISION_VALUES = ("enrol", "review", "hold", "suppress")
REVIEW_FLAGS = ("consent", "fit", "timing", "offer", "relationship")
NEXT_ACTIONS = (
    "start_sequence", "check_in", "owner_call", "resolve_issue_first", "wait_until", "complete_evidence", "close",
    "leave_alone",
)  # fmt: skip

PASS = "pass"  # noqa: S105
FAIL, REVIEW, DROP = "fail:", "review:", "drop:"

#: The values the decision was made from, and the ids of the source records behind them.
EVIDENCE = pa.struct(
    [
        pa.field("window_days", pa.int64()),
        pa.field("value_tier_source", TEXT),
        pa.field("affinity_source", TEXT),
        pa.field("reason_evidence", TEXTS),
        pa.field("currency", TEXT),
        pa.field("purchases", pa.int64()),
        pa.field("revenue_24m", MONEY),
        pa.field("margin_24m", MONEY),
        pa.field("average_order", MONEY),
        pa.field("country", TEXT),
        pa.field("phone_country", TEXT),
        pa.field("fit", TEXT),
        pa.field("relationship", TEXT),
        pa.field("has_notes", pa.bool_()),
        pa.field("open_case_ids", TEXTS),
        pa.field("past_case_ids", TEXTS),
        pa.field("consent_record_ids", TEXTS),
        pa.field("suppression_ids", TEXTS),
        pa.field("suppression_reasons", TEXTS),
        pa.field("ledger_suppressed_reason", TEXT),
        pa.field("broken_tables", TEXTS),
        pa.field("shares_address_with", TEXTS),
        pa.field("email_problem", TEXT),
        pa.field("phone_problem", TEXT),
        pa.field("last_sent_at", TIME),
        pa.field("last_sms_sent_at", TIME),
        pa.field("sms_sent_7d", pa.int64()),
        pa.field("enrolments_total", pa.int64()),
        pa.field("redeemed_incentives", pa.int64()),
        pa.field("last_redeemed_at", TIME),
        pa.field("redeemed_cost", MONEY),
        pa.field("redeemed_currency", TEXT),
        pa.field("lifetime_margin", MONEY),
    ]
)


#: What the next 90 days are expected to bring, and the days and purchase days it was told from
#: (``policy/scores.py``); empty in decisions about a few, who are not scored.
SCORES = ("churn", "alive", "expected_purchases", "expected_order", "expected_value")
SCORE_INPUTS = ("frequency", "recency_days", "age_days")


def _text(*names: str) -> list[pa.Field]:
    return [pa.field(name, TEXT) for name in names]


DECISIONS = pa.schema(
    [
        *_text("playbook", "customer_id", "account_id"),
        pa.field("as_of", TIME),
        *_text("business_segment", "owner_id"),
        pa.field("enrolled", pa.bool_()),
        *_text("dormancy_range", "margin_class", "purchase_kind", "purchase_repeat", "aov_tier"),
        *_text("engagement_pattern", "product_affinity", "acquisition_channel", "value_tier", "population"),
        *_text("lifecycle_stage"),
        pa.field("dormant_days", pa.int64()),
        pa.field("last_activity_at", TIME),
        *_text("last_activity_kind"),
        pa.field("last_purchase_at", TIME),
        *_text("inactivity_reason", "reason_basis"),
        *_text("score_method"),
        *(pa.field(name, MONEY) for name in SCORES),
        *(pa.field(name, pa.int64()) for name in SCORE_INPUTS),
        pa.field("priority", MONEY),
        pa.field("priority_value", MONEY),
        pa.field("priority_recency", MONEY),
        pa.field("priority_engagement", MONEY),
        pa.field("priority_chance", MONEY),
        *_text(*(f"gate_{name}" for name in GATES)),
        *_text("decision"),
        pa.field("hold_until", TIME),
        pa.field("reason_codes", TEXTS),
        pa.field("review_flags", TEXTS),
        pa.field("review_reasons", TEXTS),
        *_text("recommended_channel", "channel_reason"),
        *_text("email_basis"),
        pa.field("email_records", TEXTS),
        pa.field("email_valid_until", TIME),
        *_text("email_why", "sms_basis"),
        pa.field("sms_records", TEXTS),
        pa.field("sms_valid_until", TIME),
        *_text("sms_why"),
        pa.field("jurisdictions", TEXTS),
        *_text("next_best_action", "offer_position"),
        pa.field("adaptations", TEXTS),
        *_text("route"),
        pa.field("offer_cap", MONEY),
        pa.field("holdout", pa.bool_()),
        *_text("variant", "rung"),
        pa.field("skipped_touches", TEXTS),
        pa.field("zones", TEXTS),
        pa.field("zone_sources", TEXTS),
        *_text("email_key", "phone_key"),
        *(pa.field(name, MONEY if name == "annual_value" else type_) for name, type_ in OF_ACCOUNTS.items()),
        pa.field("evidence", EVIDENCE),
        pa.field("reviewed", pa.bool_()),
        *_text("rules_version"),
    ]
)
