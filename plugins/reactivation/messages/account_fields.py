"""What a message may say of an account: facts that are on record, in words a reader of the account would recognise.

Source: seed 001 (message sounds generic); PLAYBOOKS.md section 2 (a draft with fewer than two facts fails).
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from reactivation.messages.fields import MONTHS, MessageError, safe_text

#: Which of the fields are facts of the account that a check counts in the text.
FACTS = ("account_name", "account_service", "account_last_month", "account_issue", "account_renewal")
#: The least facts of its account that a message states.
FACTS_AT_LEAST = 2

_ISSUES = {
    "billing": "the billing question", "complaint": "the complaint", "question": "the question",
    "cancellation": "the cancellation", "other": "the matter",
}  # fmt: skip


def account_fields(
    *, name: str | None, service: str | None, last_bought_at: datetime | None, issue_kind: str | None,
    issue_opened_at: datetime | None, renewal_at: datetime | None, zone: str | None,
) -> dict[str, str]:  # fmt: skip
    """The fields of what is known of an account; days are on the recipient's clock. Refuses an account without a name.

    ``service``: the category bought most; ``issue_kind``: of the oldest case that is open.
    """
    if name is None:
        raise MessageError("account_name_missing", "the account has no name; correct the source")
    clock = ZoneInfo(zone or "UTC")
    shown = {"account_name": safe_text("account_name", name)}
    if service is not None:
        shown["account_service"] = safe_text("account_service", service)
    if last_bought_at is not None:
        shown["account_last_month"] = _month(last_bought_at, clock)
    if issue_kind is not None and issue_opened_at is not None:
        issue = _ISSUES.get(issue_kind, _ISSUES["other"])
        shown["account_issue"] = f"{issue} of {_month(issue_opened_at, clock)}"
    if renewal_at is not None:
        local = renewal_at.astimezone(clock)
        shown["account_renewal"] = f"{local.day} {_month(renewal_at, clock)}"
    return shown


def _month(at: datetime, clock: ZoneInfo) -> str:
    local = at.astimezone(clock)
    return f"{MONTHS[local.month - 1]} {local.year}"
