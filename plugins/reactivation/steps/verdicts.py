"""Whether a signed touch may go out at this moment, by what the source has just said. Pure: rows in, one verdict out.

Not now (*wait*), not with these bytes (*hold*: drafted and asked anew), or not at all (*end*). Everything that is not
clearly a yes is one of these.

Source: ARCHITECTURE.md, A day, 4; RULES.md, The gate ladder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.touches import Touch
from reactivation.messages.claims import ClaimText, why_fallen
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.model import Touch as Declared
from reactivation.policy.decisions import PASS
from reactivation.policy.timing import TimingRules
from reactivation.policy.touch_offers import POSITIONS

#: What a ``no`` of the ladder means for a touch that is already signed, by the word its reason begins with. The source
#: being silent or the hour being wrong passes; what is known against the person ends the enrolment; a question that
#: has come up since puts the touch before its owner again.
_OF_REASON: dict[str, Literal["wait", "hold", "end"]] = {
    "evidence_missing": "wait", "timing": "wait", "open_issue": "hold", "context_conflict": "hold", "offer": "hold",
    "evidence_broken": "hold", "suppressed": "end", "relationship": "end", "fit": "end", "permission": "end",
    "unreachable": "end",
}  # fmt: skip
#: A rank within everybody, which the few just asked about cannot show.
_NOT_COMPARABLE = "high_value"


@dataclass(frozen=True)
class Verdict:
    """What to do with a touch now, and why, as a code."""

    do: Literal["send", "wait", "hold", "end"]
    reason: str = ""

    @property
    def family(self) -> str:
        """The word a reason begins with."""
        return self.reason.partition(":")[0]


def for_sending(playbook: Playbook) -> Playbook:
    """The playbook as the sender judges by it: only what would end the enrolment counts as activity.

    Else a mere open of touch 1 would make its reader active again and touch 3 would never be sent.
    """
    signals = tuple(signal for signal in playbook.activity if signal in playbook.exits)
    return playbook.model_copy(update={"activity": signals})


def claims_hold(
    draft: Mapping[str, Any], declared: Declared, latest: Mapping[str, Mapping[str, Any]],
    words_of: Callable[[str | None], ClaimText | None], now: datetime,
) -> Verdict | None:  # fmt: skip
    """Why the claims that were signed keep a touch from going out, by their ``latest`` rows and words; else ``None``.

    Evidence that is not of the day may be captured anew in time; any other fallen claim needs other words.
    """
    for signed in draft["claims"]:
        row = latest.get(signed["claim_id"])
        words = None if row is None else words_of(row["text_ref"])
        fallen = why_fallen(signed, row, words, declared.pattern, now)
        if fallen is not None:
            return Verdict("wait" if fallen == "claim_stale" else "hold", fallen)
    return None


def verdict(
    touch: Touch, declared: Declared | None, enrolment: Enrolment, draft: Mapping[str, Any],
    row: Mapping[str, Any] | None, *, legal: bool, now: datetime, timing: TimingRules,
) -> Verdict:  # fmt: skip
    """The verdict on one touch. ``declared``: what the playbook says of it, ``None`` for nothing any more; ``row``: its
    customer's decision at ``now``, ``None`` for no candidate any more."""
    if declared is None:
        return Verdict("hold", "touch_not_declared")
    if row is None:
        return Verdict("hold", "not_a_candidate")
    if row["decision"] not in ("enrol", "review"):
        reason = next(iter(row["reason_codes"]), "unknown")
        return Verdict(_OF_REASON.get(reason.partition(":")[0], "hold"), reason)
    asked = set(row["review_reasons"]) - set(enrolment.review_reasons) - {_NOT_COMPARABLE}
    checks = [
        ("holdout", row["holdout"] is not False),
        (f"review:{min(asked, default='')}", bool(asked)),
        ("channel_not_permitted", row[f"{touch.channel}_basis"] is None),
        ("channel_dropped", row["gate_reachable"] not in (PASS, f"drop:{_other(touch.channel)}")),
        ("address_changed", row[_key_column(touch.channel)] != touch.address_key),
        ("basis_changed", not set(draft["basis_records"]) <= set(row[f"{touch.channel}_records"] or ())),
        ("offer_not_allowed", _is_refused(touch, declared, row)),
        ("deadline_too_close", _too_close(draft["deadline"], now, timing)),
    ]
    held = next((reason for reason, fails in checks if fails), None)
    if held is not None:
        return Verdict("hold", held)
    return Verdict("send") if legal else Verdict("wait", "not_legal_now")


def _is_refused(touch: Touch, declared: Declared, row: Mapping[str, Any]) -> bool:
    """Whether a monetary offer is above what the person may be offered now."""
    if touch.offer_id is None or declared.incentive not in POSITIONS:
        return False
    return row["gate_offer_allowed"] != PASS and row["offer_position"] not in POSITIONS[declared.incentive]


def _other(channel: str) -> str:
    return "sms" if channel == "email" else "email"


def _key_column(channel: str) -> str:
    return "email_key" if channel == "email" else "phone_key"


def _too_close(deadline: datetime | None, now: datetime, timing: TimingRules) -> bool:
    return deadline is not None and deadline - now < timedelta(hours=timing.redeem_hours_at_least)
