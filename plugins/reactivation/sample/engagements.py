"""The engagements: what other systems recorded of opens, clicks, visits and replies, and what they sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from reactivation.contract.tables import ENGAGEMENT_KINDS, ENGAGEMENTS
from reactivation.sample import columns as col
from reactivation.sample.crowd import Crowd
from reactivation.sample.dice import Dice, Flags, Whole, ladder
from reactivation.sample.rows import DAY, Rows, by_daylight
from reactivation.sample.traits import ATTENTION, LAST_SIGNALS, STOPS, Traits

_KINDS = {kind: number for number, kind in enumerate(ENGAGEMENT_KINDS)}
_WEB_KINDS = ("visit", "login", "usage", "browse", "cart_add", "cart_abandon")


@dataclass(frozen=True)
class Signals:
    """The last instant of each kind that a contact row repeats, -1 for never."""

    opened: Whole
    clicked: Whole
    seen: Whole


def engagements(crowd: Crowd, first_row: int) -> tuple[pa.Table, Signals]:
    """Engagement of these customers and the last signals their contact rows repeat."""
    dice, traits, life, as_of = crowd.dice, crowd.traits, crowd.life, crowd.as_of
    counts = 5 + dice.below("events", traits.number, 31)
    rows = Rows.of(traits.number, counts)
    kind = _kinds(dice, traits, rows)
    ours = np.isin(kind, [_KINDS["sent"], _KINDS["delivered"], *_no_kinds()])
    created = life.created[rows.owner]
    latest = np.where(ours, as_of - 4 * DAY, life.last_activity[rows.owner])
    latest = np.maximum(latest, created + 1)
    at = created + dice.below("when", rows.number, latest - created)
    at = np.clip(by_daylight(dice, "hour of day", rows.number, at, 14), created, latest)
    at = np.where(rows.place == 0, life.last_activity[rows.owner], at)
    # Whoever said no did so at some time of two years: a sender whose month has all of them is blocked.
    said_no = latest - (20 + dice.below("when they said no", rows.number, 700)) * DAY
    at = np.where((rows.place == 1) & np.isin(kind, _no_kinds()), np.maximum(said_no, created), at)
    lately = traits.written_to_lately[rows.owner] & (rows.place == 2)
    kind = np.where(lately, _KINDS["sent"], kind)
    at = np.where(lately, as_of - DAY, at)
    # A mail client that fetches images opens for a person who is not there.
    prefetched = traits.prefetched_opens[rows.owner] & (rows.place == 3)
    kind = np.where(prefetched, _KINDS["open"], kind)
    at = np.where(prefetched, as_of - 6 * DAY, at)

    web = np.isin(kind, [_KINDS[k] for k in _WEB_KINDS])
    texted = np.isin(kind, [_KINDS["sent"], _KINDS["reply"]]) & dice.chance("texted", rows.number, 50)
    looks = np.isin(kind, [_KINDS[k] for k in ("browse", "cart_add", "cart_abandon")])
    looked = np.where(looks, dice.below("looked at", rows.number, len(crowd.shop.products)), -1)
    objects = traits.price_objection[rows.owner] & (kind == _KINDS["reply"])
    size = len(at)
    table = col.table_of(
        ENGAGEMENTS,
        {
            "event_id": col.ids("evt-", np.arange(first_row + 1, first_row + 1 + size), 9),
            "customer_id": crowd.customer_id.take(pa.array(rows.owner)),
            "occurred_at": col.instants(at),
            "kind": col.words(ENGAGEMENT_KINDS, kind),
            "channel": col.words(("email", "web", "sms"), np.where(texted, 2, web.astype(np.int64))),
            "category": col.words(crowd.shop.categories, looked),
            "product": col.words(crowd.shop.products, looked),
            "objection": col.words(("price",), np.where(objects, 0, -1)),
            "touch_id": col.nothing(size),
        },
    )
    return table, Signals(
        opened=_latest(rows, at, kind == _KINDS["open"]),
        clicked=_latest(rows, at, kind == _KINDS["click"]),
        seen=_latest(rows, at, web),
    )


def _latest(rows: Rows, at: Whole, of_kind: Flags) -> Whole:
    return np.maximum.reduceat(np.where(of_kind, at, col.EMPTY), rows.starts)


def _no_kinds() -> list[int]:
    return [_KINDS["bounce"], _KINDS["complaint"], _KINDS["unsubscribe"]]


def _kinds(dice: Dice, traits: Traits, rows: Rows) -> Whole:
    """Kinds by attention: place 0 is the last activity, place 1 the stop if there is one, the rest is ordinary."""
    mixes = {
        "opens": {"sent": 330, "delivered": 240, "open": 260, "visit": 60, "login": 60, "browse": 50},
        "clicks": {"sent": 270, "delivered": 200, "open": 160, "click": 120, "visit": 90, "login": 50, "browse": 60,
                   "cart_add": 20, "cart_abandon": 20, "reply": 10},
        "dark": {"sent": 540, "delivered": 440, "login": 20},
        "untracked": {"sent": 480, "delivered": 0, "visit": 220, "login": 160, "usage": 100, "reply": 40},
    }  # fmt: skip
    tables = np.stack([_mix(mixes[attention]) for attention in ATTENTION])
    kind = tables[traits.attention[rows.owner], dice.below("kind", rows.number, 1000)]
    signals = np.asarray([_KINDS.get(signal, _KINDS["delivered"]) for signal in LAST_SIGNALS])
    stops = {"complaint": "complaint", "hard_bounce": "bounce", "unsubscribed_elsewhere": "unsubscribe"}
    stop_kinds = np.asarray([_KINDS[stops[stop]] if stop in stops else -1 for stop in STOPS])
    stop = stop_kinds[traits.stop[rows.owner]]
    kind = np.where((rows.place == 1) & (stop >= 0), stop, kind)
    return np.where(rows.place == 0, signals[traits.last_signal[rows.owner]], kind)


def _mix(shares: dict[str, int]) -> Whole:
    return ladder(tuple(shares.get(kind, 0) for kind in ENGAGEMENT_KINDS))
