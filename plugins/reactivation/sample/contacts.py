"""The contacts: who the customers are, as the CRM spells them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from reactivation.contract.tables import CONTACTS
from reactivation.sample import columns as col
from reactivation.sample.addresses import NumbersGiven, telephones
from reactivation.sample.countries import COUNTRIES
from reactivation.sample.crowd import Crowd
from reactivation.sample.dice import Dice, Whole
from reactivation.sample.engagements import Signals
from reactivation.sample.rows import DAY
from reactivation.sample.traits import FITS, NOTES, PERMISSIONS, REASONS, RELATIONSHIPS, TIERS, Traits, code
from reactivation.sample.world import ACQUISITION, BUSINESS, SEGMENTS

_NOTE_TEXTS = {
    "": None, "hardship": "Asked for time to pay after losing a job.\nPlease be gentle.",
    "builder": "Having building work done; was going to ring back.", "gate": "Side gate sticks, dog in the garden.",
    "bereavement": "Husband passed away in the spring.",
}  # fmt: skip
_STAGES = ("active", "lapsing", "lapsed", "subscriber")
_OWNERS = ("own-ada", "own-ben")
# The last is the tag of an earlier two-e-mail win-back that nobody answered (seed document 002).
_TAGS = ((), ("landlord",), ("vip",), ("newsletter", "garden-club"), ("customer_not-active_after-reactivation",))


def contacts(crowd: Crowd, signals: Signals, given: NumbersGiven) -> pa.Table:
    """The contacts table of a crowd, with the last signals of its engagement."""
    dice, traits, life = crowd.dice, crowd.traits, crowd.life
    country = np.where(dice.chance("no country", traits.number, 8), -1, traits.country)
    places = [place for c in COUNTRIES for place in c.places]
    place = np.cumsum([0] + [len(c.places) for c in COUNTRIES[:-1]])[traits.country] + traits.place
    zone = np.where(dice.chance("zone", traits.number, 600), place, -1)
    stage = np.where(traits.subscriber_only, 3, np.where(traits.dormant, 2, np.where(traits.quiet > 30, 1, 0)))
    tags = dice.pick("tags", traits.number, (875, 40, 15, 60, 10))
    # An import set the flag long ago: it is still TRUE for some who withdrew, and empty where nobody asked.
    flag = traits.permission != code(PERMISSIONS, "objected")
    unknown = np.isin(traits.permission, [code(PERMISSIONS, "nothing"), code(PERMISSIONS, "state_unknown")])
    updated = np.minimum(life.last_activity + dice.below("updated", traits.number, 5 * DAY), crowd.as_of - 60)
    return col.table_of(
        CONTACTS,
        {
            "customer_id": crowd.customer_id,
            "account_id": col.ids("acc-", traits.account, 6),
            "first_name": crowd.first,
            "last_name": crowd.last,
            "email": crowd.email,
            "phone": telephones(dice, traits, given),
            "country": crowd.cast.override("country", col.words([c.code for c in COUNTRIES], country), traits),
            "region": col.words([name for name, _ in places], place),
            "timezone": col.words([name for _, name in places], zone),
            "language": col.words([c.language for c in COUNTRIES], traits.country),
            "business_segment": col.words(SEGMENTS, traits.segment),
            "lifecycle_stage": col.words(_STAGES, stage),
            "acquisition_channel": col.words(
                list(ACQUISITION), dice.pick("acquired", traits.number, list(ACQUISITION.values()))
            ),
            "fit": col.words(list(FITS), traits.fit),
            "relationship": col.words(list(RELATIONSHIPS), traits.relationship),
            "relationship_notes": crowd.cast.override("notes", _notes(traits), traits),
            "inactivity_reason": col.words(list(REASONS), traits.reason),
            "owner_id": crowd.cast.override("owner", col.words(_OWNERS, _owner(dice, traits)), traits),
            "value_tier": col.words(list(TIERS), traits.tier),
            "consent_email": col.flags(flag, unknown),
            "tags": col.lists(_TAGS, tags),
            "is_subscriber_only": col.flags(traits.subscriber_only),
            "created_at": col.instants(life.created),
            "last_seen": col.instants(signals.seen),
            "last_email_opened": col.instants(signals.opened),
            "last_email_link_clicked": col.instants(signals.clicked),
            "updated_at": col.instants(updated),
        },
    )


def _notes(traits: Traits) -> pa.Array:
    return col.words([_NOTE_TEXTS[note] for note in NOTES], traits.notes)


def _owner(dice: Dice, traits: Traits) -> Whole:
    """Ben has the business contacts and some households he knows; the rest fall to their segment's owner."""
    business = traits.segment == BUSINESS
    private = np.asarray((col.EMPTY, 0, 1))[dice.pick("owner", traits.number, (580, 300, 120))]
    return np.where(business, np.where(dice.chance("ada's", traits.number, 20), 0, 1), private)
