"""What metrics are counted from: the ledger's facts about one playbook, as columns, and counts of what was decided.

Everything as it was known at ``until``: what was recorded later is left out, so that the figures of a day can be made
again. A send that was unknown then and settled since is the one thing the ledger does not keep twice: it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from reactivation.ledger.runs import Run
from reactivation.ledger.tables import (
    enrolments,
    events,
    item_verdicts,
    list_items,
    lists,
    measurement_events,
    sends,
    touches,
)

_TEXT, _TIME, _MONEY = pa.string(), pa.timestamp("us", tz="UTC"), pa.decimal128(18, 4)

#: What people were when they were enrolled (framework 003), as the enrolment's ``dimensions`` name it.
_DIMENSIONS = (
    "dormancy_range", "value_tier", "margin_class", "purchase_kind", "purchase_repeat", "aov_tier",
    "engagement_pattern", "product_affinity", "acquisition_channel",
)  # fmt: skip
#: One row per message a provider accepted; ``unit_cost`` is what was signed for one redemption of its offer. Segment
#: and dimensions are those of the enrolment.
SENT = pa.schema([
    ("touch_id", _TEXT), ("enrolment_id", _TEXT), ("customer_id", _TEXT), ("number", pa.int64()), ("channel", _TEXT),
    ("sent_at", _TIME), ("incentive", _TEXT), ("offer_id", _TEXT), ("unit_cost", _MONEY), ("unit_currency", _TEXT),
    ("segment", _TEXT), ("variant", _TEXT), *((name, _TEXT) for name in _DIMENSIONS),
])  # fmt: skip
#: One row per event of a customer who was written to.
TOLD = pa.schema([
    ("event_id", _TEXT), ("customer_id", _TEXT), ("touch_id", _TEXT), ("kind", _TEXT), ("occurred_at", _TIME),
    ("amount", _MONEY), ("currency", _TEXT), ("discount", _MONEY), ("about", _TEXT),
])  # fmt: skip
#: One row per candidate: the first time a decision was made about them, and by which run.
FIRST_DECIDED = pa.schema([("customer_id", _TEXT), ("first_at", _TIME), ("run_id", _TEXT)])


def sent(conn: Connection, playbook: str, until: datetime) -> pa.Table:
    """The messages of a playbook that a provider accepted, as ``SENT``, oldest first."""
    per_item = (
        select(list_items.c.list_id, func.count().label("listed")).group_by(list_items.c.list_id).subquery()
    )  # fmt: skip
    latest = func.row_number().over(
        partition_by=list_items.c.touch_id, order_by=(lists.c.closed_at.desc(), lists.c.list_id)
    )
    signed = (
        select(list_items.c.touch_id, lists.c.cost, per_item.c.listed, lists.c.currency, latest.label("latest"))
        .join(lists, lists.c.list_id == list_items.c.list_id)
        .join(per_item, per_item.c.list_id == lists.c.list_id)
        .join(item_verdicts, (item_verdicts.c.list_id == lists.c.list_id)
              & (item_verdicts.c.touch_id == list_items.c.touch_id) & (item_verdicts.c.verdict == "signed"))
        .where(lists.c.kind == "offer", lists.c.playbook == playbook, lists.c.closed_at <= until)
        .subquery()
    )  # fmt: skip
    columns: tuple[ColumnElement[Any], ...] = (
        touches.c.touch_id, touches.c.enrolment_id, enrolments.c.customer_id, touches.c.number, sends.c.channel,
        sends.c.finished_at, touches.c.incentive, touches.c.offer_id, signed.c.cost, signed.c.listed, signed.c.currency,
        enrolments.c.segment, enrolments.c.variant, enrolments.c.dimensions,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .outerjoin(signed, (signed.c.touch_id == touches.c.touch_id) & (signed.c.latest == 1))
        .where(touches.c.playbook == playbook, sends.c.state == "accepted", sends.c.finished_at <= until)
        .order_by(sends.c.finished_at, touches.c.touch_id)
    )  # fmt: skip
    rows = (
        (
            *row[:8],
            None if row.cost is None else round(row.cost / row.listed, 4),
            row.currency,
            row.segment,
            row.variant,
            *(row.dimensions.get(name) for name in _DIMENSIONS),
        )
        for row in conn.execute(query)
    )
    return columns_of(rows, SENT)


def told(conn: Connection, playbook: str, until: datetime) -> pa.Table:
    """The events of everybody a playbook has written to, as ``TOLD``, in the order they happened."""
    written_to = (
        select(enrolments.c.customer_id)
        .join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
        .join(sends, sends.c.touch_id == touches.c.touch_id)
        .where(enrolments.c.playbook == playbook, sends.c.state == "accepted", sends.c.finished_at <= until)
    )
    query = (
        select(*(events.c[name] for name in TOLD.names))
        .where(events.c.customer_id.in_(written_to), events.c.recorded_at <= until)
        .order_by(events.c.occurred_at, events.c.event_id)
    )
    return columns_of(conn.execute(query), TOLD)


def first_decided(conn: Connection, playbook: str, until: datetime) -> pa.Table:
    """Every candidate a playbook ever decided about, as ``FIRST_DECIDED``, by customer."""
    event = measurement_events.c
    place = func.row_number().over(partition_by=event.subject, order_by=(event.occurred_at, event.event_id))
    first = (
        select(event.subject, event.occurred_at, event.run_id, place.label("place"))
        .where(event.playbook == playbook, event.kind == "decision", event.occurred_at <= until)
        .subquery()
    )
    query = (
        select(first.c.subject, first.c.occurred_at, first.c.run_id)
        .where(first.c.place == 1)
        .order_by(first.c.subject)
    )  # fmt: skip
    return columns_of(conn.execute(query), FIRST_DECIDED)


#: By which columns messages that somebody was asked about, and enrolments that have ended, can be divided.
ASKED_BY = {"segment": lists.c.segment, "channel": lists.c.channel, "touch": lists.c.touch_number}
ENDED_BY = {"segment": enrolments.c.segment}
_VERDICTS = ("signed", "rejected", "held")


def verdicts(conn: Connection, playbook: str, until: datetime) -> dict[str, int]:
    """How many messages were signed, rejected or held, each by the best that was said of it; a list that nobody
    answered holds its messages."""
    return verdicts_of_parts(conn, playbook, until, literal("")).get("", dict.fromkeys(_VERDICTS, 0))


def verdicts_of_parts(
    conn: Connection, playbook: str, until: datetime, by: ColumnElement[Any]
) -> dict[str, dict[str, int]]:
    """``verdicts`` of each part of the messages; ``by``: one of ``ASKED_BY``."""
    said = func.coalesce(item_verdicts.c.verdict, lists.c.state)
    rank = case((said == "signed", 0), (said == "rejected", 1), else_=2)
    best = (
        select(list_items.c.touch_id, by.label("part"), func.min(rank).label("rank"))
        .join(lists, lists.c.list_id == list_items.c.list_id)
        .outerjoin(item_verdicts, (item_verdicts.c.list_id == list_items.c.list_id)
                   & (item_verdicts.c.touch_id == list_items.c.touch_id))
        .where(lists.c.playbook == playbook, lists.c.kind == "content", lists.c.state != "open",
               lists.c.closed_at <= until)
        .group_by(list_items.c.touch_id, by)
        .subquery()
    )  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for part, rank_, count in conn.execute(
        select(best.c.part, best.c.rank, func.count()).group_by(best.c.part, best.c.rank)
    ):
        found.setdefault(str(part), dict.fromkeys(_VERDICTS, 0))[_VERDICTS[rank_]] = int(count)
    return found


def suppressed_since(conn: Connection, playbook: str, until: datetime) -> dict[str, int]:
    """How many people the playbook enrolled may not be written to any more, by reason."""
    told = (measurement_events.c.playbook == playbook) & (measurement_events.c.kind == "suppression")
    people = func.count(measurement_events.c.subject.distinct())
    query = (
        select(measurement_events.c.outcome, people)
        .where(told, measurement_events.c.occurred_at <= until)
        .group_by(measurement_events.c.outcome)
    )
    return _counts(conn, query)


def send_states(conn: Connection, playbook: str, until: datetime) -> dict[str, int]:
    """The playbook's sends by state."""
    query = (
        select(sends.c.state, func.count())
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .where(touches.c.playbook == playbook, func.coalesce(sends.c.finished_at, sends.c.intended_at) <= until)
        .group_by(sends.c.state)
    )
    return _counts(conn, query)


def exit_reasons(conn: Connection, playbook: str, until: datetime) -> dict[str, int]:
    """The playbook's ended enrolments by why they ended."""
    ended = (enrolments.c.playbook == playbook) & (enrolments.c.ended_at <= until)
    query = select(enrolments.c.exit_reason, func.count()).where(ended).group_by(enrolments.c.exit_reason)
    return _counts(conn, query)


def exits_of_parts(
    conn: Connection, playbook: str, until: datetime, by: ColumnElement[Any]
) -> dict[str, dict[str, int]]:
    """``exit_reasons`` of each part; ``by``: one of ``ENDED_BY``."""
    ended = (enrolments.c.playbook == playbook) & (enrolments.c.ended_at <= until)
    query = select(by.label("part"), enrolments.c.exit_reason, func.count()).where(ended)
    found: dict[str, dict[str, int]] = {}
    for part, reason, count in conn.execute(query.group_by(by, enrolments.c.exit_reason)):
        found.setdefault(str(part), {})[reason] = int(count)
    return found


def with_open_issue(conn: Connection, playbook: str, until: datetime) -> set[str]:
    """The customers whom a run of the playbook ever held for an open issue."""
    event = measurement_events.c
    told = (event.playbook == playbook) & (event.kind == "decision") & (event.occurred_at <= until)
    held = event.reason.like("open_issue:%")
    return set(conn.scalars(select(event.subject).where(told, held).distinct()))


def decided_in(conn: Connection, run: Run) -> int:
    """How many decisions of a run have their measurement event."""
    event = measurement_events.c  # the index has playbook, kind and time
    told = (event.playbook == run.playbook) & (event.kind == "decision") & (event.occurred_at >= run.started_at)
    told &= event.run_id == run.run_id
    return int(conn.scalar(select(func.count(measurement_events.c.subject.distinct())).where(told)) or 0)


def customers_ended(conn: Connection, playbook: str, until: datetime, reason: str | None = None) -> set[str]:
    """The customers with a sequence of the playbook that ended, of those that ended for ``reason`` if it is given."""
    ended = (enrolments.c.playbook == playbook) & (enrolments.c.ended_at <= until)
    if reason is not None:
        ended &= enrolments.c.exit_reason == reason
    return set(conn.scalars(select(enrolments.c.customer_id).where(ended).distinct()))


def _counts(conn: Connection, query: Select[Any]) -> dict[Any, int]:
    return {word: int(count) for word, count in conn.execute(query)}


def columns_of(rows: Iterable[Any], schema: pa.Schema) -> pa.Table:
    """Rows of a query as columns of these types."""
    columns = tuple(zip(*rows, strict=True)) or ((),) * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
