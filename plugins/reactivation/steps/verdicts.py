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
from reactivation.playbooks.touches import Touch as Declared
from reactivation.policy.channels import KEY_OF, why_not
from reactivation.policy.timing import TimingRules
from reactivation.policy.touch_offers import may_be_offered

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
    """The playbook as the sender judges by it: only what would end the enrolment counts as activity, and every offer
    must run today, not on the day the touch would have if the sequence began now.

    Else a mere open of touch 1 would make its reader active again and touch 3 would never be sent. Nobody is of high
    value by a rank among the few just asked about: else who is due with an account would hold its signed offer.
    """
    today = tuple(touch.model_copy(update={"day": 0}) for touch in playbook.touches)
    unranked = playbook.segments.model_copy(update={"value_high_share": 0.0, "value_mid_share": 0.0})
    return playbook.only_exits().model_copy(update={"touches": today, "segments": unranked})


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
    touch: Touch, enrolment: Enrolment, draft: Mapping[str, Any], row: Mapping[str, Any] | None, *, legal: bool,
    now: datetime, timing: TimingRules, not_climbed: str | None = None, waits_until: datetime | None = None,
) -> Verdict:  # fmt: skip
    """The verdict on one touch. ``row``: its customer's decision at ``now``, or ``None`` for no candidate any more.

    ``not_climbed``: why this step of the incentive ladder must not be taken. ``waits_until``: when the days are over
    that the playbook puts between this touch and the one really sent before it.
    """
    if row is None:
        return Verdict("hold", "not_a_candidate")
    if row["decision"] not in ("enrol", "review"):
        reason = next(iter(row["reason_codes"]), "unknown")
        return Verdict(_OF_REASON.get(reason.partition(":")[0], "hold"), reason)
    asked = set(row["review_reasons"]) - set(enrolment.review_reasons) - {_NOT_COMPARABLE}
    checks = [
        ("holdout", row["holdout"] is not False),
        (f"review:{min(asked, default='')}", bool(asked)),
        (why_not(row, touch.channel) or "", why_not(row, touch.channel) is not None),
        ("address_changed", row[KEY_OF[touch.channel]] != touch.address_key),
        ("basis_changed", not set(draft["basis_records"]) <= set(row[f"{touch.channel}_records"] or ())),
        ("offer_not_allowed", touch.offer_id is not None and not may_be_offered(row, touch.incentive)),
        (not_climbed or "", not_climbed is not None),
        ("deadline_too_close", _too_close(draft["deadline"], now, timing)),
    ]
    held = next((reason for reason, fails in checks if fails), None)
    if held is not None:
        return Verdict("hold", held)
    waits = [
        ("wait_not_over", waits_until is not None and now < waits_until),
        ("timing:cap", touch.channel == "sms" and (row["evidence"]["sms_sent_7d"] or 0) >= timing.caps.sms_per_7d),
        ("not_legal_now", not legal),
    ]
    wait = next((reason for reason, stands in waits if stands), None)
    return Verdict("send") if wait is None else Verdict("wait", wait)


def _too_close(deadline: datetime | None, now: datetime, timing: TimingRules) -> bool:
    return deadline is not None and deadline - now < timedelta(hours=timing.redeem_hours_at_least)
