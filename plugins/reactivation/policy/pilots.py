"""Who is in a pilot: one segment, or the best of a list, and of customers only one owner's. Pure.

Source: seeds 000 and 001 (minimum viable pilot: one inactive segment, or the top 50 dormant accounts, and one owner).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

OUTSIDE, OVER = "outside_pilot", "pilot_over"
#: Which column of a candidate names what a playbook is about.
SUBJECT_COLUMN = {"customer": "customer_id", "account": "account_id"}


@dataclass(frozen=True)
class Sample:
    """What a pilot is tried on: ``segment``, or the ``subjects`` by id where there is none. ``owner_id``: whose they
    are; ``None`` where each account has its own owner. ``is_over``: its days have passed."""

    subject: Literal["customer", "account"]
    segment: str | None
    subjects: Collection[str]
    owner_id: str | None
    is_over: bool = False


def in_sample(candidates: pa.Table, sample: Sample) -> pa.Array:
    """Which candidates (customer_id, account_id, business_segment, owner_id) the pilot is of."""
    if sample.segment is not None:
        inside = pc.equal(candidates["business_segment"], sample.segment)
    else:
        named = candidates[SUBJECT_COLUMN[sample.subject]]
        inside = pc.is_in(named, pa.array(sorted(sample.subjects), pa.string()))
    if sample.owner_id is not None:
        inside = pc.and_(inside, pc.equal(candidates["owner_id"], sample.owner_id))
    flags = pc.fill_null(inside, False)
    return flags.combine_chunks() if isinstance(flags, pa.ChunkedArray) else flags


def kept_out(candidates: pa.Table, sample: Sample | None) -> dict[str, str]:
    """By customer, why a pilot does not let them begin: everybody outside its sample, and all once it is over."""
    if sample is None:
        return {}
    why = pc.if_else(in_sample(candidates, sample), OVER if sample.is_over else pa.scalar(None, pa.string()), OUTSIDE)
    kept = pc.is_valid(why)
    return dict(zip(candidates["customer_id"].filter(kept).to_pylist(), why.filter(kept).to_pylist(), strict=True))


def top(decisions: pa.Table, count: int, *, subject: Literal["customer", "account"], owner_id: str | None) -> list[str]:
    """The ``count`` best subjects of a run by priority, ids where that is equal: customers who may be contacted, or
    accounts whatever was decided (leaving one alone is an outcome, too). ``owner_id`` narrows customers to one owner.

    ``decisions``: customer_id, account_id, owner_id, decision, priority.
    """
    rows = decisions
    if subject == "customer":
        rows = rows.filter(pc.is_in(rows["decision"], pa.array(["enrol", "review"])))
        if owner_id is not None:
            rows = rows.filter(pc.equal(rows["owner_id"], owner_id))
    named = SUBJECT_COLUMN[subject]
    rows = rows.filter(pc.is_valid(rows[named]))
    best = rows.group_by(named).aggregate([("priority", "max")])
    order = [("priority_max", "descending", "at_end"), (named, "ascending", "at_end")]
    ranked = best.take(pc.sort_indices(best, sort_keys=order))
    return list(ranked[named].to_pylist()[:count])
