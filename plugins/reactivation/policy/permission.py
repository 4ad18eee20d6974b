"""Whether a person may be written to, on which evidence, and until when: per channel, as the rules' regimes say.

A flag is not consent. A grant needs a basis that is accepted in every jurisdiction of the person (country of the address
*and* of a usable phone), its evidence on record, and must still hold on the planned day. Any withdrawal or objection beats
every grant, and an address shared by several customers is permitted only if each of them permits it. Unknown is no.

Source: RULES.md, Permission; seed 000 (stop when consent is missing).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CHANNELS, CONSENT_BASES, TEXTS
from reactivation.policy.columns import (
    Instants, arrow, as_instants, choose, holds, instant, instants, plus_months, series,
)  # fmt: skip
from reactivation.policy.rules import Accepted, PermissionRules

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: From the best record to the worst; a customer is told the best of his records.
_ROW_WHY = ("", "expired", "conditions_missing", "basis_not_accepted", "no_evidence", "unverified", "state_unknown")
_EXPIRED, _CONDITIONS, _BASIS, _EVIDENCE, _UNVERIFIED, _STATE = range(1, 7)

#: A consent status that nobody can read; more than a few of them stop a run (seed 000: not ready if unclear).
UNCLEAR = ("no_record", "state_unknown", "unverified")
#: A no that the person said.
REFUSED = ("withdrawn", "objected")

_CONDITION_NAMES = (
    "obtained_in_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_every_message", "no_objection",
    "not_prechecked", "not_condition_of_purchase",
)  # fmt: skip
_EVIDENCE_NAMES = ("method", "disclosure_version", "evidence_ref", "affirmative_action", "collected_by_brand")
_UNKNOWN, _NOT_CONFIGURED = -1, -2
_NEVER_ENDS = np.datetime64("9999-12-31", "us")


def permissions(
    people: pd.DataFrame, consents: pa.Table, rules: PermissionRules, *, at: datetime, planned_on: datetime
) -> pd.DataFrame:
    """One row per row of ``people`` (customer_id, country, phone_country, phone_problem, email_key, phone_key).

    ``consents`` are rows of ``include/sql/consent_rows.sql``. Columns by channel: ``_ok``, ``_basis``, ``_records``,
    ``_valid_until`` (exclusive; empty = no end), ``_why`` (empty when ok); and consent_record_ids, jurisdictions.
    """
    home, phone = _regimes(people, rules)
    owner = pc.index_in(consents["customer_id"].combine_chunks(), value_set=arrow(people["customer_id"]))
    known = consents.filter(pc.is_valid(owner)).combine_chunks()
    of = pc.drop_null(owner).to_numpy(zero_copy_only=False).astype(np.int64)
    channel = np.asarray(known["channel"].to_pylist()) if not len(known) else _codes(known["channel"], CHANNELS)
    judged = _judge(known, channel, home[of], phone[of], rules, at, planned_on)
    columns = {"consent_record_ids": _lists(of, known["record_id"], len(people)), "jurisdictions": _places(people)}
    for number, name in enumerate(CHANNELS):
        mine = channel == number
        best = _best(of, mine, judged, len(people))
        columns |= _of_channel(people, name, known, of, mine, judged, best, home, phone)
    return pd.DataFrame(columns)
