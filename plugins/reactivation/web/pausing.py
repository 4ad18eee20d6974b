"""What the monitor paused, as its evidence says: counts and shares, so whoever may read the pages may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reactivation.ledger.pauses import Pause
from reactivation.steps.monitoring import e_value
from reactivation.web.reasons import words
from reactivation.web.rendering import moment

Rows = Sequence[Sequence[str]]


def facts(pause: Pause) -> dict[str, str]:
    """What is paused, and by what evidence."""
    found = pause.evidence
    what = {
        "Playbook": words(pause.playbook), "Variant": words(pause.variant or "every variant"),
        "Segment": words(pause.segment or "every segment"), "Evidence as of": moment(pause.as_of),
        "Rules": pause.rules_version,
    }  # fmt: skip
    for part, since in found["since"].items():
        what[f"{words(part.replace('/', ': '))} counted since"] = moment(datetime.fromisoformat(since))
    if pause.because == "worse":
        needed = f"at least {e_value(found['threshold'])} ({found['watched']} watched, α = {found['alpha']:g})"
        return what | {"e-value": e_value(found["log_e"]), "Needed": needed}
    limit = f"{found['limit']:.2%} of the messages sent"
    how = "three times the limit" if found["stop"] == "absolute" else "evidence that the true share is above it"
    return what | {"e-value": e_value(found["log_e"]), "Limit": limit, "Stopped by": how}


def columns(pause: Pause) -> Sequence[str]:
    """The heads of ``rows``."""
    if pause.because == "worse":
        return "Since", "Counted until", "Share", "Variant", "Control"
    return "Sent", words(pause.because), "Share"


def rows(pause: Pause) -> Rows:
    """The counts behind it: of each batch both arms, or what came back."""
    found = pause.evidence
    if pause.because != "worse":
        return [(f"{found['sends']:,}", f"{found['events']:,}", _rate(found["rate"]))]
    return [
        (moment(datetime.fromisoformat(one["began_at"])), moment(datetime.fromisoformat(one["until"])),
         f"{one['share']:.0%}", _arm(one["variant"]), _arm(one["control"]))
        for one in found["batches"]
    ]  # fmt: skip


def _arm(arm: Mapping[str, Any]) -> str:
    share = arm["converted"] / arm["reached"] if arm["reached"] else None
    return f"{arm['converted']:,} of {arm['reached']:,} came back ({_rate(share)})"


def _rate(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.2%}"
