"""What the ledger knows of each address key, as one small table for the gates.

Grain: one row per address key that was ever suppressed, enrolled or sent to, ordered by key. A tag of a customer holds
for every address they were enrolled with.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, case, false, func, select, true, union

from reactivation.ledger.among import among, checked
from reactivation.ledger.occupying import own_keys
from reactivation.ledger.redeemed import by_address
from reactivation.ledger.suppressions import EVERY
from reactivation.ledger.tables import enrolment_keys, enrolments, sends, suppressions, tags
from reactivation.policy.accounts import OWNER_EXIT

_TEXT, _WHOLE, _TIME = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")

#: ``redeemed_cost`` is null where nothing was redeemed, and where what was redeemed cost nobody knows what.
EXTRACT = pa.schema([
    ("address_key", _TEXT), ("suppressed_reason", _TEXT), ("suppressed_channel", _TEXT), ("active_playbook", _TEXT),
    ("last_ended_at", _TIME), ("last_ended_playbook", _TEXT), ("last_ended_as", _TEXT), ("enrolments_total", _WHOLE),
    ("last_sent_at", _TIME), ("last_sms_sent_at", _TIME), ("sms_sent_7d", _WHOLE), ("sent_48h", _WHOLE),
    ("redeemed_incentives", _WHOLE), ("last_redeemed_at", _TIME), ("redeemed_cost", pa.decimal128(18, 4)),
    ("redeemed_currency", _TEXT), ("tags", pa.list_(_TEXT)),
])  # fmt: skip

#: A send in one of these states reached, or may have reached, the person.
MAY_HAVE_REACHED = ("called", "accepted", "unknown")


def ledger_extract(
    conn: Connection, *, brand: str, now: datetime, excluding_enrolments: Collection[str] = (),
    address_keys: Collection[str] | None = None,
) -> pa.Table:  # fmt: skip
    """The extract at ``now`` for one brand, as a table of ``EXTRACT``.

    ``excluding_enrolments`` neither occupy nor count (their sends do); ``address_keys`` narrows it to those.
    A key suppressed in several channels apart counts as suppressed in every one (``*``).
    """
    said_no, occupied = _suppressed(brand, address_keys), _enrolled(excluding_enrolments, address_keys)
    ended, reached = _last_ended(excluding_enrolments, address_keys), _sent(now, address_keys)
    redeemed, tag_rows = by_address(address_keys), _tag_rows(address_keys)
    tagged = _tagged(conn, tag_rows)
    parts = (said_no, occupied, reached, redeemed, tag_rows.subquery())
    keys = union(*(select(part.c.address_key) for part in parts)).subquery()
    query = select(
        keys.c.address_key, said_no.c.suppressed_reason, said_no.c.suppressed_channel, occupied.c.active_playbook,
        ended.c.last_ended_at, ended.c.last_ended_playbook, ended.c.last_ended_as,
        func.coalesce(occupied.c.enrolments_total, 0), reached.c.last_sent_at, reached.c.last_sms_sent_at,
        func.coalesce(reached.c.sms_sent_7d, 0), func.coalesce(reached.c.sent_48h, 0),
        func.coalesce(redeemed.c.redeemed_incentives, 0), redeemed.c.last_redeemed_at,
        redeemed.c.redeemed_cost, redeemed.c.redeemed_currency,
    )  # fmt: skip
    joined: Any = keys
    for part in (said_no, occupied, ended, reached, redeemed):
        joined = joined.outerjoin(part, part.c.address_key == keys.c.address_key)
    query = query.select_from(joined).order_by(keys.c.address_key)
    columns = zip(*conn.execute(query).all(), strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, EXTRACT, strict=False)]
    if not arrays:
        return EXTRACT.empty_table()
    own = pc.index_in(arrays[0], tagged["address_key"].combine_chunks())
    return pa.table([*arrays, tagged["tag_list"].combine_chunks().take(own)], schema=EXTRACT)


def of_any_version(stored: pa.Table) -> pa.Table:
    """An extract kept by a run of an earlier version, as a table of ``EXTRACT``: what was not asked then is null."""
    return pa.concat_tables([EXTRACT.empty_table(), stored], promote_options="default")


def _asked(address_key: ColumnElement[str], address_keys: Collection[str] | None) -> ColumnElement[bool]:
    """Each part is narrowed by itself: a database reads all of a part that it is to group or rank first."""
    return true() if address_keys is None else among(address_key, address_keys)


def _tag_rows(address_keys: Collection[str] | None) -> Select[tuple[str, str]]:
    return (
        select(enrolment_keys.c.address_key, tags.c.tag)
        .join(enrolments, enrolments.c.enrolment_id == enrolment_keys.c.enrolment_id)
        .join(tags, tags.c.customer_id == enrolments.c.customer_id)
        .where(tags.c.removed_at.is_(None), own_keys, _asked(enrolment_keys.c.address_key, address_keys))
        .distinct()
    )


def _tagged(conn: Connection, tag_rows: Select[tuple[str, str]]) -> pa.Table:
    """address_key, tag_list: the tags that stand for each key that has any, sorted."""
    query = tag_rows.order_by(enrolment_keys.c.address_key, tags.c.tag)
    keys, standing = tuple(zip(*conn.execute(query).all(), strict=True)) or ((), ())
    rows = pa.table({"address_key": pa.array(keys, _TEXT), "tag": pa.array(standing, _TEXT)})
    return (
        rows.group_by("address_key", use_threads=False)
        .aggregate([("tag", "list")])
        .rename_columns(["address_key", "tag_list"])
    )


def _suppressed(brand: str, address_keys: Collection[str] | None) -> Subquery:
    channel = suppressions.c.channel
    one_only = and_(func.min(channel) == func.max(channel), func.min(channel) != EVERY)
    return (
        select(
            suppressions.c.address_key, func.min(suppressions.c.reason).label("suppressed_reason"),
            case((one_only, func.min(channel)), else_=EVERY).label("suppressed_channel"),
        )
        .where(suppressions.c.brand.in_((EVERY, brand)), _asked(suppressions.c.address_key, address_keys))
        .group_by(suppressions.c.address_key)
        .subquery()
    )  # fmt: skip


def _counted(excluding: Collection[str]) -> ColumnElement[bool]:
    """What an account's owner ended was no sequence: nobody cools down after it."""
    by_owner = enrolments.c.exit_reason.startswith(OWNER_EXIT, autoescape=True)
    return enrolments.c.enrolment_id.not_in(sorted(excluding)) & ~func.coalesce(by_owner, false())


def _enrolled(excluding: Collection[str], address_keys: Collection[str] | None) -> Subquery:
    active = case((enrolment_keys.c.active, enrolments.c.playbook))
    return (
        select(
            enrolment_keys.c.address_key, func.min(active).label("active_playbook"),
            func.count().label("enrolments_total"),
        )
        .join(enrolments, enrolments.c.enrolment_id == enrolment_keys.c.enrolment_id)
        .where(_counted(excluding), _asked(enrolment_keys.c.address_key, address_keys))
        .group_by(enrolment_keys.c.address_key)
        .subquery()
    )  # fmt: skip


def _last_ended(excluding: Collection[str], address_keys: Collection[str] | None) -> Subquery:
    newest_first = (enrolments.c.ended_at.desc(), enrolments.c.playbook)
    ranked = (
        select(
            enrolment_keys.c.address_key, enrolments.c.ended_at.label("last_ended_at"),
            enrolments.c.playbook.label("last_ended_playbook"), enrolments.c.exit_reason.label("last_ended_as"),
            func.row_number().over(partition_by=enrolment_keys.c.address_key, order_by=newest_first).label("rank"),
        )
        .join(enrolments, enrolments.c.enrolment_id == enrolment_keys.c.enrolment_id)
        .where(
            enrolments.c.state == "ended", _counted(excluding), _asked(enrolment_keys.c.address_key, address_keys)
        )
        .subquery()
    )  # fmt: skip
    return select(ranked).where(ranked.c.rank == 1).subquery()


def _sent(now: datetime, address_keys: Collection[str] | None) -> Subquery:
    at = func.coalesce(sends.c.called_at, sends.c.intended_at, type_=sends.c.intended_at.type)
    sms = sends.c.channel == "sms"
    state = sends.c.state if address_keys is None else checked(sends.c.state)
    return (
        select(
            sends.c.address_key, func.max(at, type_=sends.c.intended_at.type).label("last_sent_at"),
            func.max(case((sms, at)), type_=sends.c.intended_at.type).label("last_sms_sent_at"),
            func.sum(case((and_(sms, at > now - timedelta(days=7)), 1), else_=0)).label("sms_sent_7d"),
            func.sum(case((at > now - timedelta(hours=48), 1), else_=0)).label("sent_48h"),
        )
        .where(state.in_(MAY_HAVE_REACHED), _asked(sends.c.address_key, address_keys))
        .group_by(sends.c.address_key)
        .subquery()
    )  # fmt: skip
