"""The final check: some days after the last touch, an enrolment without a sign of life ends. Pure.

Source: PLAYBOOKS.md section 1 (final check 7 days after touch 7); an unsent touch counts as not tried.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reactivation.outcomes.exits import Exit


def final_exit(
    *, now: datetime, plan_ends_at: datetime, last_sent_at: datetime | None, last_sent_until: datetime | None,
    wait_days: int,
) -> Exit | None:  # fmt: skip
    """``no_response``, ``cut_short`` or ``not_contacted`` when the wait is over, else ``None``. Of an enrolment with a
    touch that may still go out it is not asked.

    The wait begins with the last touch of the plan: when it was sent, or when its window closed unsent. Only who was
    sent that one did not respond to all there was (``no_response``); who was sent some of it was cut short, and it says
    nothing of them. ``last_sent_until`` is the end of the window of the touch sent last.
    """
    last_was_sent = last_sent_until is not None and last_sent_until >= plan_ends_at
    ended = last_sent_at if last_was_sent and last_sent_at is not None else plan_ends_at
    if now < ended + timedelta(days=wait_days):
        return None
    if last_sent_at is None:
        return Exit("not_contacted", "final_check")
    return Exit("no_response" if last_was_sent else "cut_short", "final_check")
