"""Whether an answer waives what blocks a run. Pure: what is asked and the answer in, one judgement out.

As with a list, nothing that arrives is trusted, nothing raises, and silence waives nothing.

Source: ARCHITECTURE.md, A day, 3; the words *question* and *waive*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reactivation.approvals.form import HOLD_ALL, FormField
from reactivation.approvals.reading import read_codes

WAIVE = "Waive for this run"
OPTIONS = (WAIVE, HOLD_ALL)
#: Why something that blocks may pass once.
REASONS = ("export_late", "migration", "seasonal", "clean_up", "source_retired", "other")
HOURS = ("4", "8", "24")


@dataclass(frozen=True)
class AskedWaiver:
    """What is asked: the question as it is now, who may answer, and the code of the report it is about."""

    state: str
    expires_at: datetime
    signing_code: str
    signers: frozenset[str]
    authors: frozenset[str]
    hindrance: str | None = None


@dataclass(frozen=True)
class WaiverJudgement:
    """What an answer amounts to; ``until`` is set only where it waives. ``refusal`` says why it does not count."""

    refusal: str | None
    responder: str | None
    chosen: str
    form: Mapping[str, Any]
    responded_at: datetime | None
    reason: str = ""
    until: datetime | None = None

    @property
    def accepted(self) -> bool:
        """Whether it is a valid answer, whatever it says."""
        return self.refusal is None


def fields() -> tuple[FormField, ...]:
    """The fields of the request, in the order a reader meets them."""
    return (
        FormField("signing_code", "Signing code", "At the end of the readiness report; needed to waive."),
        FormField("reason", "Reason", "Why this may pass once.", ("", *REASONS)),
        FormField("hours", "Valid for hours", "The run must go on within so many hours.", ("", *HOURS)),
    )


def judge_waiver(asked: AskedWaiver, event: object, now: datetime) -> WaiverJudgement:
    """Judge one answer as Airflow hands it over."""
    answer = read_codes(event, OPTIONS, {"reason": ("", *REASONS), "hours": ("", *HOURS)})
    who, reason, hours = answer.responder, answer.codes["reason"], answer.codes["hours"]
    checks = [
        ("unreadable_answer", not answer.readable),
        ("timed_out", answer.timed_out),
        ("no_responder", who is None),
        ("question_closed", asked.state != "open"),
        ("question_expired", now >= asked.expires_at),
        ("not_a_signer", who not in asked.signers),
        ("author_may_not_sign", who in asked.authors),
        ("option_unknown", answer.chosen is None),
    ]
    if answer.chosen == WAIVE:
        checks += [
            (asked.hindrance or "", asked.hindrance is not None),
            ("signing_code_differs", answer.signing_code != asked.signing_code),
            ("reason_missing", not reason),
            ("hours_missing", not hours),
        ]
    refusal = next((code for code, fails in checks if fails), None)
    waived = refusal is None and answer.chosen == WAIVE
    return WaiverJudgement(
        refusal=refusal, responder=who, chosen=answer.chosen or "unknown", form=answer.as_codes(),
        responded_at=answer.responded_at, reason=reason or "",
        until=now + timedelta(hours=int(hours)) if waived and hours else None,
    )  # fmt: skip
