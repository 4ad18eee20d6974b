"""How long a customer has been quiet, on one clock of five signals: purchase, booking, login, reply, engagement.

Days are whole days of 24 hours between the last sign of life and the instant asked for; as many days as the window is
dormant. Opens never count where they may be a mail client's (EU, EEA, UK, CH), by address or by phone.

Source: seed 000 (trigger), framework 003 (dormancy range), ARCHITECTURE.md invariant 10.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TIME
from reactivation.playbooks.model import Playbook
from reactivation.policy.accounts import windows_of_accounts
from reactivation.policy.columns import arrow, choose, constant, holds, latest, series, whole_days
from reactivation.policy.rules import PermissionRules

#: Lower bounds in whole days, framework 003; below the first is ``under_60``.
RANGES = (("deep", 180), ("critical", 120), ("active_risk", 90), ("early_warning", 60))

#: Which facts speak for a signal that a playbook declares, and under which of the five it is told.
_SIGNALS = {
    "purchase": ("purchase", ("last_order_at", "last_subscription_at")),
    "booking": ("booking", ("last_booking_at",)),
    "login": ("login", ("last_login_at",)),
    "reply": ("reply", ("last_reply_at",)),
    "click": ("engagement", ("last_click_at", "last_email_link_clicked")),
    "visit": ("engagement", ("last_visit_at",)),
    "usage": ("engagement", ("last_usage_at",)),
    "seen": ("engagement", ("last_seen",)),
    "open": ("engagement", ("last_open_at", "last_email_opened")),
}


def dormancy(facts: pd.DataFrame, playbook: Playbook, rules: PermissionRules, at: datetime) -> pd.DataFrame:
    """One row per customer: window_days, last_activity_at and _kind, dormant_days, dormancy_range.

    ``window_days`` is empty for a segment the playbook has no window for; ``dormant_days`` for somebody who never did
    anything. Activity after ``at`` counts as activity at ``at``: it can only make somebody less dormant.
    """
    by_kind = _signals(facts, playbook, rules)
    last = latest(*by_kind.values())
    days = whole_days(last, at)
    ranges = [(days >= low, name) for name, low in RANGES]
    return pd.DataFrame(
        {
            "window_days": _windows_of(facts, playbook),
            "last_activity_at": last,
            "last_activity_kind": choose([(holds(when == last), kind) for kind, when in by_kind.items()], None),
            "dormant_days": days,
            "dormancy_range": choose([*ranges, (days.notna(), "under_60")], "unknown"),
        }
    )


def opens_count(facts: pd.DataFrame, rules: PermissionRules) -> pd.Series:
    """Whether an open is a person's own act; no where the country is unknown."""
    forbidden = list(rules.opens_never_count)
    here = holds(facts["country"].notna()) & ~facts["country"].isin(forbidden)
    return here & ~facts["phone_country"].isin(forbidden)


def _signals(facts: pd.DataFrame, playbook: Playbook, rules: PermissionRules) -> dict[str, pd.Series]:
    nothing = constant(None, len(facts), TIME)
    by_kind: dict[str, pd.Series] = {}
    for signal, (kind, columns) in _SIGNALS.items():
        if signal not in playbook.activity:
            continue
        seen = [facts[column] for column in columns]
        if signal == "open":
            counts = opens_count(facts, rules)
            seen = [series(pc.if_else(arrow(counts), arrow(s), arrow(nothing))) for s in seen]
        by_kind[kind] = latest(by_kind.get(kind, nothing), *seen)
    return by_kind


def _windows_of(facts: pd.DataFrame, playbook: Playbook) -> pd.Series:
    by_segment = windows(facts["business_segment"], playbook)
    return windows_of_accounts(facts, by_segment) if playbook.subject == "account" else by_segment


def windows(segments: pd.Series, playbook: Playbook) -> pd.Series:
    """The playbook's window of each business segment, in days; empty where it has none."""
    names, days = pa.array(playbook.windows.keys()), pa.array(playbook.windows.values(), pa.int64())
    return series(days.take(pc.index_in(arrow(segments), value_set=names)))
