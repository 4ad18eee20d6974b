"""Whether a person may be written to, on which evidence, and until when: per channel.

A flag is not consent. A grant must be accepted in every jurisdiction of the person (country of the address *and* of a
usable phone) and still hold on the planned day. Any withdrawal or objection beats every grant, and an address shared by
several customers is permitted only if each of them permits it. Unknown is no.

Source: RULES.md, Permission; seed 000 (stop when consent is missing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CHANNELS, TEXTS
from reactivation.policy.columns import arrow, as_instants, choose, holds_or_unknown, listed, series
from reactivation.policy.consents import NEVER_ENDS, WHY, Flags, Judged, Whole, codes, judge
from reactivation.policy.rules import SETTING_OF, PermissionRules

#: A consent status that nobody can read; more than a few of them stop a run (seed 000, not ready if).
UNCLEAR = ("no_record", "state_unknown", "unverified")
#: A no that the person said himself.
REFUSED = ("withdrawn", "objected")

#: What is asked of people; columns of ``candidates.sql``.
PEOPLE_COLUMNS = (
    "customer_id", "country", "phone_country", "phone_problem", "email_key", "email_shared", "phone_key",
    "phone_shared",
)  # fmt: skip

_ADDRESS_OF = {"email": "email", "sms": "phone"}
_UNKNOWN, _NOT_CONFIGURED = -1, -2


def permissions(
    people: pd.DataFrame, consents: pa.Table, rules: PermissionRules, *, at: datetime, planned_on: datetime,
    signed: Mapping[str, str],
) -> pd.DataFrame:  # fmt: skip
    """One row per row of ``people``, which has ``PEOPLE_COLUMNS``.

    ``consents`` are rows of ``include/sql/consent_rows.sql``; ``signed`` has the settings in force, each with the id of
    its signature, which stands among the records of whoever is permitted by it. Columns by channel: ``_ok``,
    ``_basis``, ``_records``, ``_valid_until`` (exclusive; empty = no end), ``_why`` (empty when ok); and
    consent_record_ids, jurisdictions.
    """
    home, phone = _regimes(people, rules)
    owner = pc.index_in(consents["customer_id"], value_set=arrow(people["customer_id"]))
    rows = consents.filter(pc.is_valid(owner)).combine_chunks()
    of = pc.drop_null(owner).to_numpy().astype(np.int64)
    channel = codes(rows["channel"], CHANNELS)
    verdict = judge(rows, channel, (home[of], phone[of]), rules, at=at, planned_on=planned_on, signed=signed)
    records = _Records(rows, of, verdict, _signatures(rows, signed), len(people))
    place = _jurisdiction_problem(home, phone)
    columns = {"consent_record_ids": _lists(of, rows["record_id"], len(people)), "jurisdictions": _places(people)}
    for number, name in enumerate(CHANNELS):
        address = _ADDRESS_OF[name]
        shared = people[f"{address}_key"].where(people[f"{address}_shared"])
        columns |= _channel(name, records, channel == number, place, shared)
    return pd.DataFrame(columns)


@dataclass(frozen=True)
class _Records:
    """Consent rows, the number of the person each belongs to, its verdict, and the signature that lets it count."""

    rows: pa.Table
    of: Whole
    verdict: Judged
    signatures: pa.Array
    people: int

    def anybody(self, says: Flags) -> pd.Series:
        """Whether a person has a record that says so."""
        found = np.zeros(self.people, bool)
        found[self.of[says]] = True
        return series(found)

    def best(self, grants: Flags) -> Whole:
        """Each person's best grant: least wrong, then longest valid, then first; one past the end without any."""
        rows = np.flatnonzero(grants)
        order = np.lexsort((rows, -self.verdict.until[rows].astype(np.int64), self.verdict.why[rows], self.of[rows]))
        owners, first = np.unique(self.of[rows][order], return_index=True)
        best = np.full(self.people, len(self.of))
        best[owners] = rows[order][first]
        return best

    def take(self, column: str, which: pa.Array) -> pa.Array:
        """The texts of the records; empty for one past the end."""
        return _taken(self.rows[column].combine_chunks(), which)

    def evidence(self, which: pa.Array) -> pd.Series:
        """Of each person, the ids of the record chosen for him and of the signature it counts by; empty for none."""
        ids = pa.concat_arrays([self.take("record_id", which), _taken(self.signatures, which)])
        there = ids.is_valid().to_numpy(zero_copy_only=False)
        return _lists(np.tile(np.arange(self.people), 2)[there], ids.drop_null(), self.people)


def _channel(name: str, records: _Records, mine: Flags, place: pd.Series, address: pd.Series) -> dict[str, pd.Series]:
    best = records.best(mine & records.verdict.grant)
    wrong = np.append(records.verdict.why, 0)[best]
    state = codes(records.rows["state"], REFUSED)
    why = choose(
        [
            *((records.anybody(mine & (state == number)), word) for number, word in reversed(list(enumerate(REFUSED)))),
            (series(best == len(records.of)), "no_record"),
            (place.notna(), place),
        ],
        choose([(series(wrong == number), word) for number, word in enumerate(WHY) if word], None),
    )
    shared = _shared_with_a_no(address, why.notna().to_numpy(dtype=bool))
    why = choose([(why.isna() & series(shared), "shared_address")], why)
    ok = why.isna().to_numpy(dtype=bool)
    chosen = pa.array(best, mask=~ok)
    until = np.append(records.verdict.until, NEVER_ENDS)[best]
    return {
        f"{name}_ok": series(ok),
        f"{name}_basis": series(records.take("basis", chosen)),
        f"{name}_records": records.evidence(chosen),
        f"{name}_valid_until": as_instants(np.where(ok & (until < NEVER_ENDS), until, np.datetime64("NaT"))),
        f"{name}_why": why,
    }


def _signatures(rows: pa.Table, signed: Mapping[str, str]) -> pa.Array:
    """By which signature each record counts; empty for one that needs none."""
    by_basis = {basis: f"setting:{signed[name]}" for basis, name in SETTING_OF.items() if name in signed}
    known = pc.index_in(rows["basis"].combine_chunks(), value_set=pa.array(list(by_basis), pa.string()))
    return pa.array(list(by_basis.values()), pa.string()).take(known)


def _taken(texts: pa.Array, which: pa.Array) -> pa.Array:
    return pa.concat_arrays([texts, pa.nulls(1, pa.string())]).take(which)


def _regimes(people: pd.DataFrame, rules: PermissionRules) -> tuple[Whole, Whole]:
    """The regime of the address and of the phone; the address's again where there is no usable phone."""
    home = _regime_of(people["country"], rules)
    usable = ~people["phone_problem"].isin(["missing", "invalid"]).to_numpy(dtype=bool)
    return home, np.where(usable, _regime_of(people["phone_country"], rules), home)


def _regime_of(countries: pd.Series, rules: PermissionRules) -> Whole:
    law = {country: number for number, regime in enumerate(rules.regimes.values()) for country in regime.countries}
    found = pc.index_in(arrow(countries), value_set=pa.array(law.keys(), pa.string()))
    numbers = pa.array(law.values(), pa.int64()).take(found)
    filled = pc.if_else(pc.is_null(arrow(countries)), _UNKNOWN, pc.fill_null(numbers, _NOT_CONFIGURED))
    regimes: Whole = filled.to_numpy(zero_copy_only=False).astype(np.int64)
    return regimes


def _jurisdiction_problem(home: Whole, phone: Whole) -> pd.Series:
    unknown = (home == _UNKNOWN) | (phone == _UNKNOWN)
    foreign = (home == _NOT_CONFIGURED) | (phone == _NOT_CONFIGURED)
    return choose([(series(unknown), "jurisdiction_unknown"), (series(foreign), "jurisdiction_not_configured")], None)


def _shared_with_a_no(address: pd.Series, refused: Flags) -> Flags:
    """Whether another customer behind the same address (empty where nobody shares it) does not permit it."""
    encoded = arrow(address).dictionary_encode()
    code = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    refusals = np.bincount(code[(code >= 0) & refused], minlength=len(encoded.dictionary) + 1)
    shared: Flags = (code >= 0) & (refusals[np.maximum(code, 0)] > 0)
    return shared


def _lists(of: Whole, values: pa.Array | pa.ChunkedArray, people: int) -> pd.Series:
    """One list per person of the values that are his, in their order."""
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    order = np.argsort(of, kind="stable")
    offsets = np.zeros(people + 1, np.int32)
    np.cumsum(np.bincount(of, minlength=people), out=offsets[1:])
    return series(pa.ListArray.from_arrays(pa.array(offsets), flat.take(pa.array(order))).cast(TEXTS))


def _places(people: pd.DataFrame) -> pd.Series:
    """The countries whose law applies, the address's first."""
    home, phone = people["country"], people["phone_country"]
    usable = ~people["phone_problem"].isin(["missing", "invalid"])
    return listed(home, phone.where(usable & holds_or_unknown(phone != home)))
