"""The segments of document 002 by activity and purchases, for every customer; a playbook's population may ask for one.

A day is a whole day of 24 hours. *Less than 90 days ago* is fewer whole days than the window of the customer's business
segment, everything else (exactly 90 days too, and never) is *more than 90 days ago or unknown*. Opens count only where
they are a person's own act. Without a window nobody is in a segment that asks for one.

Source: seed 002 (recommended data structure, segments); PLAYBOOKS.md section 3.
"""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import FLAG, TEXT, TIME
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.words import ActivitySegment
from reactivation.policy.columns import arrow, choose, constant, contains, frame_of, holds, latest, whole_days
from reactivation.policy.context import Context
from reactivation.policy.dormancy import opens_count, windows
from reactivation.policy.rules import PermissionRules

NAMES: tuple[str, ...] = get_args(ActivitySegment)
#: Grain: one row per customer of the snapshot, in the order of the facts.
SEGMENTS = pa.schema([("customer_id", TEXT), *((name, FLAG) for name in NAMES)])

#: Nobody is in a segment because of somebody else, so that everybody is looked at in shares of so many.
_SHARE = 131_072
_CLICKED = ("last_click_at", "last_email_link_clicked")
_SEEN = ("last_seen", "last_visit_at", "last_login_at", "last_usage_at")
_OPENED = ("last_open_at", "last_email_opened")


def activity_segments(facts: pd.DataFrame, playbook: Playbook, rules: PermissionRules, at: datetime) -> pd.DataFrame:
    """One yes or no per customer and segment, by the names of ``NAMES``."""
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


def segment_table(facts: pa.Table, context: Context) -> pa.Table:
    """Everybody in ``facts`` (``candidates.sql``) as ``SEGMENTS``."""
    rules = context.rules.permission
    shares = [frame_of(facts.slice(begin, _SHARE)) for begin in range(0, max(len(facts), 1), _SHARE)]
    found = [
        share[["customer_id"]].join(activity_segments(share, context.playbook, rules, context.at)) for share in shares
    ]
    columns = [{name: arrow(one[name]).cast(SEGMENTS.field(name).type) for name in SEGMENTS.names} for one in found]
    return pa.concat_tables([pa.table(column, schema=SEGMENTS) for column in columns])


def segment_counts(segments: pa.Table) -> dict[str, int]:
    """How many are in each segment (``SEGMENTS``)."""
    return {name: int(pc.sum(segments[name]).as_py() or 0) for name in NAMES}
