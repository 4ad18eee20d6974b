"""The accounts: firms with an owner, a leading contact and a value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import ACCOUNTS
from reactivation.sample import columns as col
from reactivation.sample.crowd import Crowd
from reactivation.sample.rows import DAY
from reactivation.sample.traits import FITS, REASONS, RELATIONSHIPS
from reactivation.sample.world import FIRM_PLACES, FIRM_TRADES


def accounts(crowd: Crowd) -> pa.Table:
    """One row for each account whose leading contact is among these customers."""
    dice, traits, cast, life, as_of = crowd.dice, crowd.traits, crowd.cast, crowd.life, crowd.as_of
    lead = np.flatnonzero(traits.leads_account)
    account = traits.account[lead]
    dormant = traits.dormant[lead]
    cancelled = dormant & dice.chance("account cancelled", account, 120)
    name = pc.binary_join_element_wise(
        col.words(FIRM_PLACES, dice.below("firm place", account, len(FIRM_PLACES))),
        col.words(FIRM_TRADES, dice.below("firm trade", account, len(FIRM_TRADES))),
        " ",
    )
    value = np.where(dice.chance("no value", account, 30), col.EMPTY, life.yearly[lead])
    status = np.where(cancelled, 2, np.where(dormant, 1, 0))
    status = np.where(dice.chance("no status", account, 60), -1, status)
    interval = np.asarray((30, 60, 90, 0))[dice.pick("interval", account, (150, 200, 350, 300))]
    cancelled_at = np.where(cancelled, life.last_activity[lead] + 20 * DAY, col.EMPTY)
    notes = col.words(("Prefers a call to an e-mail.",), np.where(account % 3 == 0, 0, col.EMPTY))
    updated = np.minimum(life.last_activity[lead] + DAY, as_of - 60)
    return col.table_of(
        ACCOUNTS,
        {
            "account_id": col.ids("acc-", account, 6),
            "name": cast.override_account("account", name, account),
            "business_segment": col.constant("business", len(lead)),
            "status": col.words(("active", "dormant", "cancelled"), status),
            "expected_interval_days": pa.array(interval, mask=interval == 0),
            "owner_id": col.words(("own-ben",), np.where(dice.chance("no owner", account, 20), -1, 0)),
            "primary_contact_id": crowd.customer_id.take(pa.array(lead)),
            "tier": col.words(("gold", "silver", "bronze"), dice.pick("account tier", account, (150, 350, 500))),
            "annual_value": col.money(value),
            "currency": col.constant(crowd.shop.currency, len(lead)),
            "health": col.words(("green", "amber", "red"), np.where(dormant, 1 + account % 2, 0)),
            "fit": col.words(list(FITS), traits.fit[lead]),
            "relationship": col.words(list(RELATIONSHIPS), traits.relationship[lead]),
            "relationship_notes": cast.override_account("account_notes", notes, account),
            "inactivity_reason": col.words(list(REASONS), traits.reason[lead]),
            "next_step": col.words(("Offer a winter plant check.", "Call the practice manager."), account % 4 - 2),
            "renewal_at": col.instants(np.where(account % 5 == 0, as_of + 40 * DAY, col.EMPTY)),
            "open_deal": col.flags(account % 11 == 0),
            "cancelled_at": col.instants(cancelled_at),
            "cancellation_reason": col.words(
                ("budget", "moved premises"), np.where(cancelled, dice.below("why cancelled", account, 2), -1)
            ),
            "updated_at": col.instants(updated),
        },
    )
