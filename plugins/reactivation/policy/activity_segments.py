"""The segments of document 002 by activity and purchases, for every customer; a playbook's population may ask for one.

A day is a whole day of 24 hours. *Less than 90 days ago* is fewer whole days than the window of the customer's business
segment, everything else (exactly 90 days too, and never) is *more than 90 days ago or unknown*. Opens count only where
they are a person's own act. Without a window nobody is in a segment that asks for one.

Source: seed 002 (recommended data structure, segments); PLAYBOOKS.md section 3.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from reactivation.contract.tables import TIME
from reactivation.playbooks.model import Playbook
from reactivation.policy.columns import choose, constant, contains, holds, latest, whole_days
from reactivation.policy.dormancy import opens_count, windows
from reactivation.policy.rules import PermissionRules

_CLICKED = ("last_click_at", "last_email_link_clicked")
_SEEN = ("last_seen", "last_visit_at", "last_login_at", "last_usage_at")
_OPENED = ("last_open_at", "last_email_opened")


def activity_segments(facts: pd.DataFrame, playbook: Playbook, rules: PermissionRules, at: datetime) -> pd.DataFrame:
    """One yes or no per customer and segment, by the names of ``ACTIVITY_SEGMENTS``."""
    window = windows(facts["business_segment"], playbook)
    known = window.notna()
    opened = latest(*(facts[column] for column in _OPENED))
    own_acts = choose([(opens_count(facts, rules), opened)], constant(None, len(facts), TIME))
    acted = latest(own_acts, *(facts[column] for column in (*_CLICKED, *_SEEN)))
    active = holds(whole_days(acted, at) < window)
    customer = facts["purchases"] > 0
    bought = customer & holds(whole_days(facts["last_purchase_at"], at) < window)
    quiet = known & ~active & customer & ~bought
    return pd.DataFrame(
        {
            "active_users": active,
            "not_active_users": known & ~active,
            "customers": customer,
            "customers_purchase": bought,
            "customers_no_purchase": known & customer & ~bought,
            "customers_not_active": quiet,
            "customers_active": active & bought,
            "customers_not_active_after_react": quiet & contains(facts["tags"], playbook.no_response_tag),
        }
    )
