"""The touches of each candidate, computed whole: when each may go out, and why one is skipped.

Grain of a plan (``SEQUENCE``): one row per candidate and touch of the playbook, sorted by customer_id and number. A
skipped row keeps the moment it would have had, and has no window. Days are counted on the recipient's calendar; a
window never reaches into the next planned touch, so that touches cannot overtake each other.

Source: framework 003 (seven touches); PLAYBOOKS.md, section 1; RULES.md, Timing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT, TIME, WHOLE
from reactivation.playbooks.model import Playbook, Touch
from reactivation.policy.timing import (
    PLACE_COLUMNS,
    TimingRules,
    local_time,
    next_legal_instant,
    recipient_zone,
    start_of_day,
)
from reactivation.policy.touch_offers import Skips, beyond_budget, last_send, offer_skips, whole_offers

#: What a candidate's row must have: columns of ``decisions.parquet``, the place, and ``last_sent_at`` (the last
#: marketing message of any sender, null for none).
CANDIDATE_COLUMNS = (
    "customer_id", "dormancy_range", "recommended_channel", "gate_offer_allowed", "offer_position", "offer_cap",
    "email_valid_until", "sms_valid_until", "last_sent_at", *PLACE_COLUMNS,
)  # fmt: skip

PLANNED, SKIPPED = "planned", "skipped"

SEQUENCE = pa.schema([
    ("customer_id", TEXT), ("number", WHOLE), ("pattern", TEXT), ("purpose", TEXT), ("channel", TEXT),
    ("incentive", TEXT), ("offer_id", TEXT), ("state", TEXT), ("reason", TEXT), ("not_before", TIME),
    ("not_after", TIME), ("zone", TEXT), ("local_time", TEXT),
])  # fmt: skip


def candidates_for_sequence(decisions: pa.Table, contacts: pa.Table) -> pa.Table:
    """The rows of ``decisions`` with ``CANDIDATE_COLUMNS``: places from the snapshot's contacts, the rest decided."""
    found = pc.index_in(decisions["customer_id"], contacts["customer_id"].combine_chunks())
    of_contact = {name: contacts[name].take(found) for name in ("country", "region", "phone_country")}
    last_sent = pc.struct_field(decisions["evidence"], "last_sent_at")
    of_decision = {name: decisions[name] for name in CANDIDATE_COLUMNS if name in decisions.column_names}
    return pa.table(of_decision | of_contact | {"last_sent_at": last_sent}).select(CANDIDATE_COLUMNS)


def plan_sequence(
    candidates: pa.Table, playbook: Playbook, offers: pa.Table, rules: TimingRules, now: datetime
) -> pa.Table:
    """Every touch of every candidate (``CANDIDATE_COLUMNS``) as ``SEQUENCE``, the first from ``now`` on.

    ``offers`` is the contract's table. Planned touches keep ``rules.caps``, the first one also the distance from the
    last message any sender is known to have sent.
    """
    people = candidates.select(CANDIDATE_COLUMNS).sort_by("customer_id").combine_chunks()
    terms = whole_offers(offers)
    apart = pa.scalar(timedelta(hours=rules.caps.any_hours), pa.duration("us"))
    zone = recipient_zone(people)
    start = pa.scalar(now, TIME)
    rested = pc.coalesce(pc.add(_flat(people["last_sent_at"]), apart), start)
    anchor = next_legal_instant(_latest_of(rested, start), people, rules)
    free, recent = anchor, [pa.nulls(people.num_rows, TIME)] * rules.caps.sms_per_7d
    windows = []
    for touch in playbook.touches:
        wish = _latest_of(start_of_day(anchor, zone, touch.day), free)
        instant = next_legal_instant(wish, people, rules)
        offer = terms.get(touch.offer) if touch.offer else None
        reason = _first(_skips(touch, offer, people, instant, rules), people.num_rows)
        windows.append((touch, reason, instant, _latest(touch, offer, people, instant, rules)))
        planned = pc.is_null(reason)
        recent = [pc.if_else(planned, *pair) for pair in zip([*recent[1:], instant], recent, strict=True)]
        rested = pc.add(instant, apart)
        free = pc.if_else(planned, _latest_of(rested, pc.coalesce(_week_free(people, recent[0]), rested)), free)
    rows: list[pa.Table] = []
    following = pa.nulls(people.num_rows, TIME)
    for touch, reason, instant, latest in reversed(windows):
        planned = pc.is_null(reason)
        not_after = pc.if_else(planned, _earliest_of(latest, following), pa.scalar(None, TIME))
        rows.insert(0, _rows(touch, people, reason=reason, not_before=instant, not_after=not_after))
        following = pc.if_else(planned, instant, following)
    return _interleaved(rows, people.num_rows)


def within_budget(plan: pa.Table, ranks: np.ndarray, offers: pa.Table, outstanding: Mapping[str, int]) -> pa.Table:
    """``plan`` with those planned touches skipped that an offer's budget or codes cannot carry.

    ``ranks`` stands beside the rows: the lowest is served first, rows of one rank by number. ``outstanding`` has, per
    offer_id, the touches that cost it already or still may.
    """
    planned = pc.equal(plan["state"], PLANNED)
    costing = _flat(pc.if_else(planned, plan["offer_id"], None))
    order = np.empty(plan.num_rows, dtype=np.int64)
    order[np.lexsort((plan["number"].to_numpy(), ranks))] = np.arange(plan.num_rows)
    beyond = beyond_budget(costing, order, offers, outstanding)
    reason = _first([(code, pa.array(rows)) for code, rows in beyond.items()], plan.num_rows)
    state = pc.if_else(pc.is_null(reason), plan["state"], SKIPPED)
    plan = plan.set_column(plan.schema.get_field_index("reason"), "reason", pc.coalesce(plan["reason"], reason))
    return plan.set_column(plan.schema.get_field_index("state"), "state", state)


def _skips(
    touch: Touch, offer: Mapping[str, Any] | None, people: pa.Table, instant: pa.Array, rules: TimingRules
) -> Skips:
    """Why a touch is skipped, in the order in which the reasons count."""
    out_of_range = pc.invert(pc.is_in(people["dormancy_range"], pa.array(touch.only_ranges, TEXT)))
    return [
        ("range", out_of_range if touch.only_ranges else False),
        ("no_template", touch.template is None),
        ("channel", pc.invert(pc.is_in(people["recommended_channel"], pa.array(touch.channels, TEXT)))),
        ("no_legal_instant", pc.is_null(instant)),
        *offer_skips(touch, offer, people, instant, rules),
        ("permission_expires", pc.fill_null(pc.less_equal(_permitted_until(people), instant), False)),
    ]


def _latest(
    touch: Touch, offer: Mapping[str, Any] | None, people: pa.Table, instant: pa.Array, rules: TimingRules
) -> pa.Array:
    """The end of the touch's window: its days, the permission, the offer, whichever ends first."""
    ends: list[Any] = [
        pc.add(instant, pa.scalar(timedelta(days=touch.window_days), pa.duration("us"))),
        _permitted_until(people),
    ]
    if offer is not None:
        ends.append(pa.scalar(last_send(offer, rules), TIME))
    return _earliest_of(*ends)


def _week_free(people: pa.Table, oldest: pa.Array) -> pa.Array:
    """When the rolling week has room for another SMS, given the oldest of as many as it may hold; null for e-mail."""
    week = pa.scalar(timedelta(days=7), pa.duration("us"))
    return pc.if_else(_by_sms(people), pc.add(oldest, week), pa.scalar(None, TIME))


def _by_sms(people: pa.Table) -> pa.Array:
    return _flat(pc.fill_null(pc.equal(people["recommended_channel"], "sms"), False))


def _permitted_until(people: pa.Table) -> pa.Array:
    """When the permission for the recommended channel ends; null for never."""
    return _flat(pc.if_else(_by_sms(people), people["sms_valid_until"], people["email_valid_until"]))


def _first(skips: Skips, rows: int) -> pa.Array:
    """The code of the first mask that is true or unknown, null where all are false."""
    masks = [
        pc.fill_null(_flat(mask), True) if isinstance(mask, (pa.Array, pa.ChunkedArray)) else pa.repeat(mask, rows)
        for _, mask in skips
    ]
    codes = [pa.scalar(code) for code, _ in skips]
    return pc.case_when(pc.make_struct(*masks), *codes, pa.scalar(None, TEXT))


def _rows(touch: Touch, people: pa.Table, *, reason: pa.Array, not_before: pa.Array, not_after: pa.Array) -> pa.Table:
    count, zone = people.num_rows, recipient_zone(people)
    preferred = pa.repeat(pa.scalar(touch.channels[0]), count)
    offered = pc.is_in(people["recommended_channel"], pa.array(touch.channels, TEXT))
    return pa.table(
        [
            people["customer_id"], pa.repeat(touch.number, count), pa.repeat(touch.pattern, count),
            pa.repeat(touch.purpose, count), _flat(pc.if_else(offered, people["recommended_channel"], preferred)),
            pa.repeat(touch.incentive, count), pa.repeat(pa.scalar(touch.offer, TEXT), count),
            pc.if_else(pc.is_null(reason), PLANNED, SKIPPED), reason, not_before, not_after, zone,
            local_time(not_before, zone),
        ],
        schema=SEQUENCE,
    )  # fmt: skip


def _interleaved(tables: Iterable[pa.Table], people: int) -> pa.Table:
    """Tables of one touch each, joined so that each person's rows stand together."""
    joined = pa.concat_tables(tables)
    order = np.arange(joined.num_rows).reshape(-1, max(people, 1)).T.ravel() if people else np.arange(0)
    return joined.combine_chunks().take(pa.array(order))


def _latest_of(*instants: pa.Array) -> pa.Array:
    """The latest of each row; null where any is."""
    return pc.max_element_wise(*(pc.cast(i, pa.int64()) for i in instants), skip_nulls=False).cast(TIME)


def _earliest_of(*instants: pa.Array) -> pa.Array:
    """The earliest of each row, of those that are known."""
    return pc.min_element_wise(*(pc.cast(i, pa.int64()) for i in instants)).cast(TIME)


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
