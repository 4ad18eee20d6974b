"""The touches of each candidate, computed whole: by which channel and when each may go out, and why one is skipped.

Grain of a plan (``SEQUENCE``): one row per candidate and touch of the playbook, sorted by customer_id and number. A
skipped row keeps the moment it would have had, and has no window. A touch goes by the first of its channels that the
person permits and can be reached by. Its wait is counted in days of the recipient's calendar from the planned touch
before it, as it will be from the real send; a window never reaches into the next planned touch, so that touches cannot
overtake each other.

Source: framework 003 (seven touches); PLAYBOOKS.md, section 1; RULES.md, Timing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT, TIME, WHOLE
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Touch
from reactivation.policy.accounts import ISSUE, OUTREACH
from reactivation.policy.adaptations import days_to_wait, skipped_by, who_prefer
from reactivation.policy.arrays import any_of, earliest_of, first_reason, flat, latest_of
from reactivation.policy.channels import KEY_OF, may_use
from reactivation.policy.rules import IncentiveRules
from reactivation.policy.rungs import HELD_BACK, held_back
from reactivation.policy.skips import AT_RANDOM, at_random
from reactivation.policy.timing import (
    PLACE_COLUMNS,
    Places,
    TimingRules,
    local_time,
    next_legal_instant,
    recipient_zone,
    start_of_day,
)
from reactivation.policy.touch_offers import (
    NOT_TRIED,
    RESTS_UNTIL,
    Skips,
    last_send,
    offer_skips,
    steps_below,
    whole_offers,
)

#: What a candidate's row must have: columns of ``decisions.parquet``, the place, the last messages any sender is known
#: to have sent (null for none), and until when earlier offers rest.
CANDIDATE_COLUMNS = (
    "customer_id", "dormancy_range", "email_basis", "sms_basis", "gate_reachable", "gate_offer_allowed",
    "offer_position", "offer_cap", "email_valid_until", "sms_valid_until", "last_sent_at", "last_sms_sent_at",
    "sms_sent_7d", "route", "adaptations", "rung", "skipped_touches", *RESTS_UNTIL.values(), *PLACE_COLUMNS,
)  # fmt: skip

PLANNED, SKIPPED = "planned", "skipped"

SEQUENCE = pa.schema([
    ("customer_id", TEXT), ("number", WHOLE), ("pattern", TEXT), ("purpose", TEXT), ("channel", TEXT),
    ("incentive", TEXT), ("offer_id", TEXT), ("state", TEXT), ("reason", TEXT), ("not_before", TIME),
    ("not_after", TIME), ("zone", TEXT), ("local_time", TEXT),
])  # fmt: skip

#: Offers that were really sent: the address key, the touch's incentive, and when the last one was.
OFFERED = pa.schema([("address_key", TEXT), ("incentive", TEXT), ("at", TIME)])

_WEEK = pa.scalar(timedelta(days=7), pa.duration("us"))


def candidates_for_sequence(
    decisions: pa.Table, contacts: pa.Table, offered: pa.Table, rules: IncentiveRules
) -> pa.Table:
    """The rows of ``decisions`` with ``CANDIDATE_COLUMNS``: places from the snapshot's contacts, the rest decided.

    ``offered`` (``OFFERED``): what earlier enrolments offered. An equal or better offer rests for as long as the rules
    say; a smaller one does not.
    """
    found = pc.index_in(decisions["customer_id"], contacts["customer_id"].combine_chunks())
    of_contact = {name: contacts[name].take(found) for name in ("country", "region", "phone_country")}
    of_evidence = {
        name: pc.struct_field(decisions["evidence"], name)
        for name in ("last_sent_at", "last_sms_sent_at", "sms_sent_7d")
    }
    rest, earlier = pa.scalar(timedelta(days=rules.equal_or_better_after_days), pa.duration("us")), []
    rests: dict[str, pa.Array] = {}
    for incentive, column in RESTS_UNTIL.items():
        mine = offered.filter(pc.equal(offered["incentive"], incentive))
        earlier += [flat(mine["at"].take(pc.index_in(decisions[key], mine["address_key"].combine_chunks())))
                    for key in KEY_OF.values()]  # fmt: skip
        rests[column] = pc.add(pc.max_element_wise(*(pc.cast(at, pa.int64()) for at in earlier)).cast(TIME), rest)
    of_decision = {name: decisions[name] for name in CANDIDATE_COLUMNS if name in decisions.column_names}
    return pa.table(of_decision | of_contact | of_evidence | rests).select(CANDIDATE_COLUMNS)


def plan_sequence(
    candidates: pa.Table, playbook: Playbook, offers: pa.Table, rules: TimingRules, now: datetime
) -> pa.Table:
    """Every touch of every candidate (``CANDIDATE_COLUMNS``) as ``SEQUENCE``, the first from ``now`` on.

    ``offers`` is the contract's table. Planned touches keep ``rules.caps``, the first ones also the distance from the
    messages any sender is known to have sent.
    """
    people = candidates.select(CANDIDATE_COLUMNS).sort_by("customer_id").combine_chunks()
    terms = whole_offers(offers)
    apart = pa.scalar(timedelta(hours=rules.caps.any_hours), pa.duration("us"))
    zone, places = recipient_zone(people), Places.of(people)
    start = pa.scalar(now, TIME)
    rested = pc.coalesce(pc.add(flat(people["last_sent_at"]), apart), start)
    waited = start_of_day(pa.repeat(start, people.num_rows), zone, days_to_wait(people, playbook))
    before = free = next_legal_instant(latest_of(rested, pc.coalesce(waited, start), start), places, rules)
    day = np.zeros(people.num_rows, dtype=np.int64)
    texts = _texts(people, rules.caps.sms_per_7d)
    windows: list[tuple[Touch, pa.Array, pa.Array, pa.Array, pa.Array]] = []
    tried: dict[int, pa.Array] = {}
    for touch in playbook.touches:
        channel, offer = _channel(touch, people, playbook), terms.get(touch.offer) if touch.offer else None
        by_sms = pc.fill_null(pc.equal(channel, "sms"), False)
        week_free = pc.if_else(by_sms, pc.coalesce(pc.add(texts[0], _WEEK), free), free)
        wish = latest_of(start_of_day(before, zone, touch.day - day), free, week_free)
        instant = next_legal_instant(wish, places, rules)
        until = _permitted_until(people, by_sms)
        skips = _skips(touch, offer, people, channel=channel, until=until, instant=instant, rules=rules)
        below = [tried[number] for number in sorted(steps_below(playbook, touch.number))]
        if below:
            skips.append((NOT_TRIED, pc.invert(any_of(below))))
        skips += [*skipped_by(touch, people, playbook), (HELD_BACK, held_back(touch, people))]
        skips.append((AT_RANDOM, at_random(touch, people)))
        reason = first_reason(skips, people.num_rows)
        windows.append((touch, channel, reason, instant, _latest(touch, offer, instant, until, rules)))
        planned = tried[touch.number] = pc.is_null(reason)
        sent_by_sms = pc.and_(planned, by_sms)
        texts = [pc.if_else(sent_by_sms, *pair) for pair in zip([*texts[1:], instant], texts, strict=True)]
        before = pc.if_else(planned, instant, before)
        free = pc.if_else(planned, pc.add(instant, apart), free)
        day = np.where(planned.to_numpy(False), touch.day, day)
    moments: list[_Moments] = []
    following = pa.nulls(people.num_rows, TIME)
    for touch, channel, reason, instant, latest in reversed(windows):
        planned = pc.is_null(reason)
        not_after = pc.if_else(planned, earliest_of(latest, following), pa.scalar(None, TIME))
        moments.insert(0, _Moments(touch, channel, reason, not_before=instant, not_after=not_after))
        following = pc.if_else(planned, instant, following)
    return _interleaved(people, zone, moments)


@dataclass(frozen=True)
class _Moments:
    """One touch of everybody: its channel, why it is skipped, and its window."""

    touch: Touch
    channel: pa.Array
    reason: pa.Array
    not_before: pa.Array
    not_after: pa.Array


def _skips(
    touch: Touch, offer: Mapping[str, Any] | None, people: pa.Table, *, channel: pa.Array, until: pa.Array,
    instant: pa.Array, rules: TimingRules,
) -> Skips:  # fmt: skip
    """Why a touch is skipped, in the order in which the reasons count."""
    out_of_range = pc.invert(pc.is_in(people["dormancy_range"], pa.array(touch.only_ranges, TEXT)))
    other_route = pc.not_equal(people["route"], ISSUE if touch.purpose == ISSUE else OUTREACH)
    return [
        ("route", other_route),
        ("range", out_of_range if touch.only_ranges else False),
        ("no_template", touch.template is None),
        ("channel", pc.is_null(channel)),
        ("no_legal_instant", pc.is_null(instant)),
        *offer_skips(touch, offer, people, instant, rules),
        ("permission_expires", pc.fill_null(pc.less_equal(until, instant), False)),
    ]


def _latest(
    touch: Touch, offer: Mapping[str, Any] | None, instant: pa.Array, until: pa.Array, rules: TimingRules
) -> pa.Array:
    """The end of the touch's window: its days, the permission, the offer, whichever ends first."""
    ends: list[Any] = [pc.add(instant, pa.scalar(timedelta(days=touch.window_days), pa.duration("us"))), until]
    if offer is not None:
        ends.append(pa.scalar(last_send(offer, rules), TIME))
    return earliest_of(*ends)


def _channel(touch: Touch, people: pa.Table, playbook: Playbook) -> pa.Array:
    """The first channel of the touch that each person permits and can be reached by, or the one that is preferred for
    him; null for none."""
    usable = [flat(pc.fill_null(may_use(people, channel), False)) for channel in touch.channels]
    wanted = [
        pc.and_(may, who_prefer(channel, people, playbook)) for may, channel in zip(usable, touch.channels, strict=True)
    ]
    names = [pa.scalar(channel) for channel in touch.channels]
    return pc.case_when(pc.make_struct(*wanted, *usable), *names, *names, pa.scalar(None, TEXT))


def _texts(people: pa.Table, most: int) -> list[pa.Array]:
    """When the last texts were sent, as many as a week may hold, the oldest first. Only the time of the very last is
    known, so that an earlier one counts as if it had been sent then, too."""
    last, known = flat(people["last_sms_sent_at"]), pc.fill_null(flat(people["sms_sent_7d"]), 0)
    nothing = pa.scalar(None, TIME)
    return [pc.if_else(pc.greater_equal(known, most - place), last, nothing) for place in range(most)]


def _permitted_until(people: pa.Table, by_sms: pa.Array) -> pa.Array:
    """When the permission for the touch's channel ends; null for never."""
    return flat(pc.if_else(by_sms, people["sms_valid_until"], people["email_valid_until"]))


def _interleaved(people: pa.Table, zone: pa.Array, moments: Sequence[_Moments]) -> pa.Table:
    """The touches as ``SEQUENCE``, each person's rows together."""
    if not moments:
        return SEQUENCE.empty_table()
    count, touches = people.num_rows, [one.touch for one in moments]
    person = pa.array(np.repeat(np.arange(count, dtype=np.int32), len(touches)))
    number = pa.array(np.tile(np.arange(len(touches), dtype=np.int32), count))

    def of_touch(values: Sequence[Any], kind: pa.DataType = TEXT) -> pa.Array:
        return pa.array(values, kind).take(number)

    def texts(columns: Sequence[pa.Array]) -> pa.Array:
        """Few texts come again and again: their codes are interleaved, and each is looked up in the end."""
        encoded = pa.chunked_array(columns, TEXT).dictionary_encode().combine_chunks()
        return encoded.dictionary.take(_woven(encoded.indices, len(columns)))

    def instants(columns: Sequence[pa.Array]) -> pa.Array:
        return _woven(pa.concat_arrays(columns).view(pa.int64()), len(columns)).view(TIME)

    reasons = texts([one.reason for one in moments])
    return pa.table(
        [
            people["customer_id"].combine_chunks().take(person), of_touch([touch.number for touch in touches], WHOLE),
            of_touch([touch.pattern for touch in touches]), of_touch([touch.purpose for touch in touches]),
            texts([pc.coalesce(one.channel, pa.scalar(one.touch.channels[0])) for one in moments]),
            of_touch([touch.incentive for touch in touches]), of_touch([touch.offer for touch in touches]),
            pc.if_else(pc.is_null(reasons), PLANNED, SKIPPED), reasons,
            instants([one.not_before for one in moments]), instants([one.not_after for one in moments]),
            zone.take(person), texts([local_time(one.not_before, zone) for one in moments]),
        ],
        schema=SEQUENCE,
    )  # fmt: skip


def _woven(values: pa.Array, columns: int) -> pa.Array:
    """Numbers that stand column after column, row after row instead."""
    shape = (columns, -1)
    whole = pc.fill_null(values, 0).to_numpy(False).reshape(shape).T.ravel()
    empty = pc.is_null(values).to_numpy(False).reshape(shape).T.ravel()
    return pa.array(whole, mask=empty)
