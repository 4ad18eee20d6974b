"""The words a playbook file may use, and how it is read: what is not known is refused.

Source: seed documents 000, 001, 002 and framework 003; lengths are whole days, shares are between 0 and 1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Channel = Literal["email", "sms"]
Purpose = Literal[
    "check_in", "recommendation", "reward", "proof", "offer", "expansion", "relationship", "issue_resolution"
]
Pattern = Literal[
    "curiosity", "relevance", "value_reward", "trust", "urgency", "economic_incentive", "finality",
    "re_engagement", "check_in", "issue_resolution", "follow_up",
]  # fmt: skip
IncentivePosition = Literal["none", "points_or_credit", "access", "percent"]
#: The same as steps, the smallest first; access costs no money.
INCENTIVE_STEPS: tuple[IncentivePosition, ...] = ("none", "access", "points_or_credit", "percent")
#: The steps that cost money, and the one before them.
Rung = Literal["none", "points_or_credit", "percent"]
#: How an enrolment may have ended before (``outcomes``).
EarlierOutcome = Literal["reactivated", "re_engaged", "no_response", "cut_short", "returned_unprompted"]
DormancyRange = Literal["under_60", "early_warning", "active_risk", "critical", "deep"]
ActivitySignal = Literal["purchase", "booking", "login", "reply", "open", "click", "visit", "usage", "seen"]
#: The segments of document 002, by activity and purchases (``policy/activity_segments.py``).
ActivitySegment = Literal[
    "active_users", "not_active_users", "customers", "customers_purchase", "customers_no_purchase",
    "customers_not_active", "customers_active", "customers_not_active_after_react",
]  # fmt: skip
#: What the gate ``evidence`` may ask for: the required inputs of seed 000, and those of seed 001 about an account.
Input = Literal[
    "last_activity", "value_tier", "purchase_history", "inactivity_reason", "consent", "relationship_notes",
    "offer_boundaries", "owner", "account_value", "account_history", "recipient",
]  # fmt: skip
INPUTS_OF_CUSTOMERS: tuple[Input, ...] = (
    "last_activity", "value_tier", "purchase_history", "inactivity_reason", "consent", "relationship_notes",
    "offer_boundaries", "owner",
)  # fmt: skip
#: ``critical`` blocks the run, ``warning`` holds back the rows concerned, ``info`` is reported.
Severity = Literal["critical", "warning", "info"]
#: The conditions of readiness that a playbook may weigh itself (``expectations/conditions.yaml``).
WeighedCondition = Literal[
    "source_shrunken", "source_off_trend", "sources_contradict", "deliverability_risk", "owner_unclear",
    "rows_often_broken",
]  # fmt: skip
Days = Annotated[int, Field(ge=0, le=3650)]
Share = Annotated[float, Field(ge=0, le=1)]
#: A name that may stand in a reason.
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
#: Text that may stand in a header or a heading: one line without control characters.
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]+$", max_length=200)]

#: Which system a table comes from when the playbook does not say: the one of ``REACTIVATION_SOURCE``.
DEFAULT_SOURCE = "default"
#: It stands in what the ledger calls a stop.
VariantName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=24)]
TemplateName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class Declared(BaseModel):
    """Frozen, and refuses what it does not know: a typo in a playbook is an error, never a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
