"""What one consent record is worth in one jurisdiction: nothing, or a permission until an instant.

Grain here: rows of ``include/sql/consent_rows.sql``. The terms are data (``permission.yaml``); what is not on record is
missing. Source: RULES.md, Permission.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CHANNELS, CONSENT_BASES
from reactivation.policy.columns import Instants, instant, instants, plus_months, series
from reactivation.policy.rules import SETTING_OF, Accepted, PermissionRules

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: What is wrong with a record, from nothing to worst; a person is told the best of his records.
WHY = ("", "expired", "conditions_missing", "basis_not_accepted", "no_evidence", "unverified", "state_unknown")
NEVER_ENDS = np.datetime64("9999-12-31", "us")

_CONDITIONS = (
    "obtained_in_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_every_message", "no_objection",
    "not_prechecked", "not_condition_of_purchase",
)  # fmt: skip
_EVIDENCE = ("method", "disclosure_version", "evidence_ref", "affirmative_action", "collected_by_brand")
_NO_MONTHS = -1


@dataclass(frozen=True)
class Terms:
    """The terms of every (regime, channel, basis) as arrays of that shape."""

    accepted: Flags
    months: Whole
    from_event: Flags
    confirmed: Flags
    conditions: Whole


@dataclass(frozen=True)
class Judged:
    """One verdict per record: an index into ``WHY``, until when (exclusive), and whether it is a grant at all."""

    why: Whole
    until: Instants
    grant: Flags


def terms_of(rules: PermissionRules, signed: Collection[str]) -> Terms:
    """The rules as arrays, regimes in their declared order. ``signed``: the settings in force."""
    shape = (len(rules.regimes), len(CHANNELS), len(CONSENT_BASES))
    terms = Terms(np.zeros(shape, bool), np.full(shape, _NO_MONTHS), np.zeros(shape, bool), np.zeros(shape, bool),
                  np.zeros(shape, np.int64))  # fmt: skip
    for number, regime in enumerate(rules.regimes.values()):
        for channel, bases in enumerate((regime.email, regime.sms)):
            for basis, accepted in bases.items():
                if basis in SETTING_OF and SETTING_OF[basis] not in signed:
                    continue
                _write(terms, (number, channel, CONSENT_BASES.index(basis)), accepted)
    return terms


def judge(
    rows: pa.Table, channel: Whole, regimes: tuple[Whole, ...], rules: PermissionRules, *, at: datetime,
    planned_on: datetime, signed: Collection[str],
) -> Judged:  # fmt: skip
    """Each record's verdict in all of its person's ``regimes`` (one array of regime numbers per jurisdiction).

    The worst jurisdiction counts. A negative regime number is judged as the first regime: whoever has one is refused
    for the jurisdiction itself. ``signed``: the settings in force.
    """
    terms = terms_of(rules, signed)
    basis = codes(rows["basis"], CONSENT_BASES)
    bare = basis == CONSENT_BASES.index("flag_only")
    occurred, event = instants(series(rows["occurred_at"])), instants(series(rows["event_date"]))
    confirmed = instants(series(rows["confirmed_at"]))
    now = instant(at)
    confirmed[~(confirmed <= now)] = np.datetime64("NaT")
    event[~(event <= now)] = np.datetime64("NaT")
    last_evidence = np.fmax(occurred, confirmed)
    there = _bits(rows, "is_", _CONDITIONS)
    unproven = (_needed_evidence(rules)[basis] & ~_bits(rows, "has_", _EVIDENCE)) != 0
    state = codes(rows["state"], ("granted", "unknown"))

    why = np.zeros(len(rows), np.int64)
    until = np.full(len(rows), NEVER_ENDS)
    for regime in regimes:
        place = (np.maximum(regime, 0), channel, basis)
        accepted = terms.accepted[place] & (basis >= 0)  # a basis nobody can read has no place of its own
        from_event, months = terms.from_event[place], terms.months[place]
        missing = (
            ((terms.conditions[place] & ~there) != 0)
            | (terms.confirmed[place] & np.isnat(confirmed))
            | (from_event & np.isnat(event))
        )
        ends = plus_months(np.where(from_event, event, last_evidence), np.maximum(months, 0))
        ends = np.where(months == _NO_MONTHS, NEVER_ENDS, ends)
        here = np.select(
            [state == 1, bare & ~accepted, unproven, ~accepted, missing,
             ~(instant(planned_on) < ends)],
            [WHY.index(w) for w in ("state_unknown", "unverified", "no_evidence", "basis_not_accepted",
                                    "conditions_missing", "expired")],
            0,
        )  # fmt: skip
        why, until = np.maximum(why, here), np.minimum(until, ends)
    right_purpose = _flags(rows["right_purpose"])
    return Judged(why, until, (state >= 0) & right_purpose & (occurred <= now))


def codes(column: pa.ChunkedArray, values: tuple[str, ...]) -> Whole:
    """The index of each text among ``values``; -1 for any other."""
    found = pc.index_in(column, value_set=pa.array(values))
    numbers: Whole = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return numbers


def _write(terms: Terms, place: tuple[int, int, int], accepted: Accepted) -> None:
    terms.accepted[place] = True
    terms.months[place] = _NO_MONTHS if accepted.months is None else accepted.months
    terms.from_event[place] = accepted.counted_from == "event_date"
    terms.confirmed[place] = accepted.confirmed
    terms.conditions[place] = sum(1 << _CONDITIONS.index(name) for name in accepted.conditions)


def _needed_evidence(rules: PermissionRules) -> Whole:
    """Per basis, the evidence that must be on record; for a basis without rules all of it."""
    everything = (1 << len(_EVIDENCE)) - 1
    needed = {basis: sum(1 << _EVIDENCE.index(f) for f in fields) for basis, fields in rules.evidence.items()}
    return np.asarray([needed.get(basis, everything) for basis in CONSENT_BASES])  # type: ignore[call-overload]


def _bits(rows: pa.Table, prefix: str, names: tuple[str, ...]) -> Whole:
    bits = np.zeros(len(rows), np.int64)
    for number, name in enumerate(names):
        bits |= _flags(rows[prefix + name]).astype(np.int64) << number
    return bits


def _flags(column: pa.ChunkedArray) -> Flags:
    flags: Flags = pc.fill_null(column, False).to_numpy().astype(bool)
    return flags
