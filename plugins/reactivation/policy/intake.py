"""How many enrolments may begin: best priority first, as many as the day and the owners' review capacity carry.

Who may not begin now is held with the reason and decided afresh at the next run.

Source: PLAYBOOKS.md, Across playbooks (intake, duplicate guard); ARCHITECTURE.md, invariant 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT, WHOLE

BEGIN, HOLD, HOLDOUT = "begin", "hold", "holdout"

#: One row per candidate, sorted by customer_id; ``rank`` is the place in the order of service, 0 first.
INTAKE = pa.schema([("customer_id", TEXT), ("outcome", TEXT), ("reason", TEXT), ("rank", WHOLE)])

_KEYS = ("email_key", "phone_key")
_OF_CONTACTS = tuple(f"account_{key}s" for key in _KEYS)
_SERVED_FIRST = [
    ("holdout", "descending", "at_end"), ("priority", "descending", "at_end"), ("customer_id", "ascending", "at_end"),
]  # fmt: skip


@dataclass(frozen=True)
class Room:
    """What may begin today: enrolments of the playbook, items per owner, and the run's own limits. ``kept_out``: by
    customer, why a pilot, or a pause of their variant, does not let them begin. ``nobody_signs``: by owner, why nobody
    could be asked about the items today."""

    enrolments: int
    items_by_owner: Mapping[str, int]
    segment: str | None = None
    sample_size: int | None = None
    kept_out: Mapping[str, str] = field(default_factory=dict)
    nobody_signs: Mapping[str, str] = field(default_factory=dict)


def take_in(candidates: pa.Table, room: Room, occupied: pa.Array) -> pa.Table:
    """Who begins (``INTAKE``), among candidates decided ``enrol`` or ``review``.

    ``candidates``: customer_id, business_segment, owner_id, priority, holdout, email_key, phone_key,
    account_email_keys and account_phone_keys (lists: of an account, every contact's), ``touches`` (that are planned at
    all), ``items`` (those of them an owner would have to look at now) and ``contact_occupied`` (of an account: another
    contact is enrolled).
    ``occupied``: address keys in an active enrolment of any playbook. Of several customers behind one address one
    begins, and none when one of them is held out; an account is behind the addresses of all its contacts.
    """
    order = pc.sort_indices(candidates, sort_keys=_SERVED_FIRST)
    people = candidates.drop_columns(["priority", *_OF_CONTACTS]).take(order).to_pandas()
    reason = pd.Series(None, index=people.index, dtype=object)

    def hold(rows: pd.Series, code: str) -> None:
        reason[reason.isna() & rows] = code

    hold(people["holdout"], HOLDOUT)
    outside = people["customer_id"].map(dict(room.kept_out))
    for code in sorted(set(room.kept_out.values())):
        hold(outside == code, code)
    if room.segment is not None:
        hold(people["business_segment"] != room.segment, "segment_not_in_run")
    hold(people["touches"] == 0, "nothing_to_send")
    for key in _KEYS:
        hold(people[key].isin(set(occupied.to_pylist())), "in_another_playbook")
    hold(people["contact_occupied"], "in_another_playbook")
    asks = reason.isna() | people["holdout"]
    asked = people[[*_KEYS]].where(asks)
    for key in _KEYS:
        hold(asked[key].notna() & asked[key].duplicated(), "same_person")
    hold(_behind_an_earlier_one(asked, _contacts(candidates, order, asks)), "same_person")
    hold(~people["owner_id"].isin(set(room.items_by_owner)), "owner_unknown")
    unsigned = people["owner_id"].map(dict(room.nobody_signs))
    for code in sorted(set(room.nobody_signs.values())):
        hold(unsigned == code, code)
    wanted = people["items"].where(reason.isna(), 0).groupby(people["owner_id"], dropna=False).cumsum()
    hold(wanted > people["owner_id"].map(dict(room.items_by_owner)).astype("float64"), "capacity")
    hold(reason.isna().cumsum() > room.enrolments, "capacity")
    if room.sample_size is not None:
        hold(reason.isna().cumsum() > room.sample_size, "sample_size")

    outcome = reason.where(reason.isin([HOLDOUT]) | reason.isna(), HOLD).fillna(BEGIN)
    ranked = {"customer_id": people["customer_id"], "outcome": outcome, "reason": reason, "rank": people.index}
    return pa.Table.from_pydict(ranked, schema=INTAKE).sort_by("customer_id")


def _contacts(candidates: pa.Table, order: pa.Array, asks: pd.Series) -> pd.Series:
    """The address keys of the contacts of those who ask, each under its account's place in the order of service."""
    place = np.empty(len(order), dtype=np.int64)
    place[order.to_numpy()] = np.arange(len(order))
    keys = []
    for column in _OF_CONTACTS:
        lists = candidates[column].combine_chunks()
        of_account = place[pc.list_parent_indices(lists).to_numpy()]
        keys.append(pd.Series(pc.list_flatten(lists).to_pandas(), dtype=object).set_axis(of_account))
    found = pd.concat(keys)
    return found[asks.to_numpy()[found.index]]


def _behind_an_earlier_one(asked: pd.DataFrame, contacts: pd.Series) -> pd.Series:
    """Whether an address of somebody, his own or a contact's, is one of somebody before him; false where nobody has
    contacts: the own addresses of ``asked`` are compared channel by channel before."""
    if contacts.empty:
        return pd.Series(False, index=asked.index)
    keys = pd.concat([*(asked[key].dropna() for key in _KEYS), contacts])
    first = keys.index.to_series().groupby(keys.to_numpy()).min()
    earlier = keys.index[keys.map(first).to_numpy() < keys.index.to_numpy()]
    return pd.Series(asked.index.isin(earlier), index=asked.index)
