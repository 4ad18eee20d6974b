"""Suppressions and cases: who must not be contacted, and what is or was unresolved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CASES as CASES_TABLE
from reactivation.contract.tables import SUPPRESSIONS
from reactivation.sample import columns as col
from reactivation.sample.crowd import Crowd
from reactivation.sample.rows import DAY, between
from reactivation.sample.traits import CASES, STOPS, code
from reactivation.sample.world import BRAND

_SOURCES = ("crm", "newsletter_tool", "support_desk")


def suppressions(crowd: Crowd, first_row: int) -> pa.Table:
    """A row for everybody who must not be contacted; some are known by their address alone."""
    dice, traits, life, email = crowd.dice, crowd.traits, crowd.life, crowd.email
    listed = np.asarray([stop not in ("none", "unsubscribed_elsewhere") for stop in STOPS])
    # An address that nobody can read would name nobody: a source with such a row is not ready at all.
    has_address = np.asarray(pc.fill_null(pc.match_substring(email, "@"), False))
    by_address = traits.stop == code(STOPS, "opt_out_by_address")
    who = np.flatnonzero(listed[traits.stop] & (has_address | ~by_address))
    stop = traits.stop[who]
    only_address = by_address[who]
    reasons = [stop.removesuffix("_by_address") for stop in STOPS]
    size = len(who)
    mail_only = (stop == code(STOPS, "opt_out")) & dice.chance("mail only", traits.number[who], 300)
    shown = pa.array(only_address | (stop == code(STOPS, "hard_bounce")))
    return col.table_of(
        SUPPRESSIONS,
        {
            "suppression_id": col.ids("sup-", np.arange(first_row + 1, first_row + 1 + size), 7),
            "customer_id": crowd.customer_id.take(pa.array(who, mask=only_address)),
            "address": pc.if_else(shown, pc.utf8_upper(email.take(pa.array(who))), pa.scalar(None, pa.string())),
            "brand": col.words((BRAND,), np.where(dice.chance("any brand", traits.number[who], 200), -1, 0)),
            "channel": col.words(("email",), np.where(mail_only, 0, -1)),
            "reason": col.words(reasons, stop),
            "occurred_at": col.instants(between(dice, "stopped", traits.number[who], life.created[who], crowd.as_of)),
            "source": col.words(_SOURCES, dice.below("stopped by", traits.number[who], len(_SOURCES))),
        },
    )


def cases(crowd: Crowd, first_row: int) -> pa.Table:
    """Past and open cases; a few belong to the account and name no person."""
    dice, traits, life, as_of = crowd.dice, crowd.traits, crowd.life, crowd.as_of
    who = np.flatnonzero(traits.cases != code(CASES, "none"))
    number = traits.number[who]
    story = traits.cases[who]
    names = list(CASES)
    is_open = np.asarray([name.startswith("open_") for name in names])[story]
    kinds = [name.partition("_")[2] for name in names]
    closing = dice.chance("about leaving", number, 120) & ~is_open & traits.dormant[who]
    opened = np.where(
        is_open,
        np.minimum(life.last_activity[who] + DAY, as_of - 2 * DAY),
        between(dice, "opened", number, life.created[who], life.last_activity[who]),
    )
    closed = np.where(is_open, col.EMPTY, np.minimum(opened + DAY + dice.below("took", number, 9 * DAY), as_of))
    of_account = (traits.account[who] >= 0) & dice.chance("account's", number, 500)
    size = len(who)
    severity = np.where(dice.chance("severity", number, 800), dice.below("how severe", number, 3), -1)
    pending = dice.below("pending", number, 2)
    return col.table_of(
        CASES_TABLE,
        {
            "case_id": col.ids("cas-", np.arange(first_row + 1, first_row + 1 + size), 7),
            "customer_id": crowd.customer_id.take(pa.array(who, mask=of_account)),
            "account_id": col.ids("acc-", traits.account[who], 6),
            "opened_at": col.instants(opened),
            "closed_at": col.instants(closed),
            "kind": col.words((*kinds, "cancellation"), np.where(closing, len(kinds), story)),
            "severity": col.words(("low", "medium", "high"), severity),
            "objection": col.words(("price",), np.where(traits.price_objection[who], 0, -1)),
            "status": col.words(("open", "pending", "closed"), np.where(is_open, pending, 2)),
        },
    )
