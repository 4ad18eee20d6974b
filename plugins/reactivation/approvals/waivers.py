"""What compliance is asked when a run is stopped by what may be waived: the form, and until when an answer waives."""

from __future__ import annotations

from datetime import datetime, timedelta

from reactivation.approvals.coded import AskedCoded, CodedJudgement, judge_coded
from reactivation.approvals.form import HOLD_ALL, FormField

WAIVE = "Waive for this run"
OPTIONS = (WAIVE, HOLD_ALL)
#: Why something that blocks may pass once.
REASONS = ("export_late", "migration", "seasonal", "clean_up", "source_retired", "other")
HOURS = ("4", "8", "24")

_CHOICES = {"reason": ("", *REASONS), "hours": ("", *HOURS)}


def fields() -> tuple[FormField, ...]:
    """The fields of the request, in the order a reader meets them."""
    return (
        FormField("signing_code", "Signing code", "At the end of the readiness report; needed to waive."),
        FormField("reason", "Reason", "Why this may pass once.", _CHOICES["reason"]),
        FormField("hours", "Valid for hours", "The run must go on within so many hours.", _CHOICES["hours"]),
    )


def judge_waiver(asked: AskedCoded, event: object, now: datetime) -> CodedJudgement:
    """Judge one answer as Airflow hands it over."""
    return judge_coded(asked, event, now, options=OPTIONS, choices=_CHOICES)


def waived_until(judged: CodedJudgement, now: datetime) -> datetime | None:
    """Until when the answer waives; ``None`` where it waives nothing."""
    return now + timedelta(hours=int(judged.codes["hours"])) if judged.agreed else None
