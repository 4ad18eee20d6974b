"""Who each customer is: one small code per trait, drawn with stated shares, before any table is written.

The tables (people, history, records) are only ways of telling these traits; the hand-written cast overrides them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reactivation.sample.countries import COUNTRIES, COUNTRY
from reactivation.sample.dice import PER_MILLE, Dice, Flags, Whole
from reactivation.sample.world import BUSINESS, CARE_PLAN, HOUSEHOLD

WINDOWS = (90, 60, 120)
"""Days of silence that make a customer of each segment dormant (the playbook's windows)."""
HISTORY_DAYS = 1095

PERMISSIONS = {
    "valid": 480, "withdrawn": 90, "objected": 40, "condition_missing": 105, "no_evidence": 100, "expired": 100,
    "wrong_basis": 45, "flag_only": 15, "nothing": 6, "state_unknown": 4, "other_brand": 15,
}  # fmt: skip
FITS = {"good": 895, "bad": 50, "": 55}
RELATIONSHIPS = {"normal": 875, "sensitive": 26, "poor": 20, "dispute": 12, "legal": 5, "no_contact": 12, "": 50}
CASES = {
    "none": 755, "past_question": 75, "past_billing": 45, "past_complaint": 35, "past_other": 30,
    "open_billing": 22, "open_complaint": 14, "open_question": 24,
}  # fmt: skip
STOPS = {
    "none": 911, "opt_out": 28, "opt_out_by_address": 18, "complaint": 8, "hard_bounce": 18, "objection": 4,
    "internal": 4, "unsubscribed_elsewhere": 9,
}  # fmt: skip
MAILBOXES = {"good": 925, "missing": 30, "invalid": 15, "role": 18, "shared": 12}
LAST_SIGNALS = {"purchase": 560, "visit": 160, "click": 120, "login": 90, "reply": 40, "browse": 30}
ATTENTION = {"opens": 300, "clicks": 280, "dark": 280, "untracked": 140}
REASONS = {
    "": 720, "price": 60, "moved_away": 40, "seasonal": 60, "competitor": 40, "service_issue": 30, "no_need": 35,
    "billing_issue": 15,
}  # fmt: skip
NOTES = {"": 935, "hardship": 15, "builder": 25, "gate": 15, "bereavement": 10}
TIERS = {"": 900, "high": 20, "mid": 35, "low": 45}

_DORMANT_OF_SEGMENT = (555, 520, 600)
# Days of silence beyond the window: quiet bands (length in days, per mille). Nine months and more is the common case.
_QUIET_BANDS = ((0, 30, 230), (30, 60, 180), (60, 180, 250), (180, 330, 230), (330, 640, 110))
_SEGMENT_SHARES = (620, 230, 150)


@dataclass
class Traits:
    """One value per customer in each array; codes index the vocabularies above and in ``world``."""

    number: Whole
    segment: Whole
    country: Whole
    place: Whole
    quiet: Whole
    created: Whole
    """Days before as-of."""
    purchases: Whole
    permission: Whole
    fit: Whole
    relationship: Whole
    notes: Whole
    cases: Whole
    stop: Whole
    mailbox: Whole
    last_signal: Whole
    attention: Whole
    reason: Whole
    tier: Whole
    subscriber_only: Flags
    discount_buyer: Flags
    cancelled_plan: Flags
    price_objection: Flags
    prefetched_opens: Flags
    written_to_lately: Flags
    account: Whole
    """Number of the account of a business contact, else -1."""
    leads_account: Flags

    @property
    def dormant(self) -> Flags:
        return self.quiet >= np.asarray(WINDOWS)[self.segment]


def code(vocabulary: dict[str, int], word: str) -> int:
    """The number of a word in a vocabulary; ``ValueError`` names the word."""
    return list(vocabulary).index(word)


def draw_segments(dice: Dice, number: Whole) -> Whole:
    """The business segment of each customer."""
    return dice.spread("segment", number, _SEGMENT_SHARES)


def draw(dice: Dice, number: Whole, segment: Whole, business_before: int) -> Traits:
    """The traits of the customers with these consecutive numbers.

    ``business_before`` is how many business contacts have lower numbers: accounts are filled in order.
    """
    account, leads = _accounts(segment, business_before)
    country = dice.spread("country", number, [c.share for c in COUNTRIES])
    country = np.where(segment == BUSINESS, COUNTRY["GB"], country)
    # Colleagues of one account are quiet together; their account's number decides.
    fate = np.where(account >= 0, account + 1_000_000_000, number)
    dormant = np.where(
        account >= 0,
        dice.evenly("dormant account", account) < _DORMANT_OF_SEGMENT[BUSINESS],
        dice.spread("dormant", number, [1] * PER_MILLE) < np.asarray(_DORMANT_OF_SEGMENT)[segment],
    )
    window = np.asarray(WINDOWS)[segment]
    quiet = np.where(dormant, window + _quiet_beyond(dice, fate), dice.below("quiet", fate, window - 1))
    permission = dice.spread("permission", number, list(PERMISSIONS.values()))
    subscriber_only = dice.chance("subscriber", number, 40) & (segment != BUSINESS)
    last_signal = np.where(subscriber_only, code(LAST_SIGNALS, "click"), _signal(dice, number, dormant, account))
    created = quiet + 20 + dice.below("created", number, np.maximum(HISTORY_DAYS - quiet - 20, 1))
    created = np.where(permission == code(PERMISSIONS, "expired"), np.maximum(created, 1000), created)
    discount_buyer = dice.chance("discount buyer", number, 90) & (segment == HOUSEHOLD) & ~subscriber_only
    bought = _purchase_count(dice, number, segment, discount_buyer, (created - quiet) // 30 + 1)
    return Traits(
        number=number, segment=segment, country=country,
        place=dice.below("place", number, np.asarray([len(c.places) for c in COUNTRIES])[country]),
        quiet=quiet, created=created,
        purchases=np.where(subscriber_only, 0, bought),
        permission=permission,
        fit=dice.spread("fit", number, list(FITS.values())),
        relationship=dice.spread("relationship", number, list(RELATIONSHIPS.values())),
        notes=dice.pick("notes", number, list(NOTES.values())),
        cases=dice.spread("cases", number, list(CASES.values())),
        stop=dice.spread("stop", number, list(STOPS.values())),
        mailbox=dice.pick("mailbox", number, list(MAILBOXES.values())),
        last_signal=last_signal,
        attention=dice.pick("attention", number, list(ATTENTION.values())),
        reason=np.where(dormant, dice.pick("reason", number, list(REASONS.values())), 0),
        tier=dice.pick("tier", number, list(TIERS.values())),
        subscriber_only=subscriber_only, discount_buyer=discount_buyer,
        cancelled_plan=(segment == CARE_PLAN) & dormant & dice.chance("cancelled", number, 600),
        price_objection=dice.chance("price objection", number, 70),
        prefetched_opens=dice.chance("prefetched", number, 60) & (country <= COUNTRY["IE"]),
        written_to_lately=dice.chance("written lately", number, 25),
        account=account, leads_account=leads,
    )  # fmt: skip


def _accounts(segment: Whole, before: int) -> tuple[Whole, Flags]:
    """Account of each business contact: twelve contacts fill eight accounts of one to three people."""
    sizes = np.asarray((1, 1, 2, 1, 3, 1, 2, 1))
    account_of = np.repeat(np.arange(len(sizes)), sizes)
    leads_of = np.diff(account_of, prepend=-1) > 0
    business = segment == BUSINESS
    rank = before + np.cumsum(business) - 1
    turn, place = np.divmod(rank, len(account_of))
    account = np.where(business, turn * len(sizes) + account_of[place] + 1, -1)
    return account, business & leads_of[place]


def _quiet_beyond(dice: Dice, rows: Whole) -> Whole:
    band = dice.pick("quiet band", rows, [share for _, _, share in _QUIET_BANDS])
    low = np.asarray([low for low, _, _ in _QUIET_BANDS])[band]
    length = np.asarray([high - low for low, high, _ in _QUIET_BANDS])[band]
    return low + dice.below("quiet beyond", rows, length)


def _signal(dice: Dice, number: Whole, dormant: Flags, account: Whole) -> Whole:
    signal = dice.pick("last signal", number, list(LAST_SIGNALS.values()))
    return np.where(dormant & (account >= 0), code(LAST_SIGNALS, "purchase"), signal)


def _purchase_count(dice: Dice, number: Whole, segment: Whole, discount_buyer: Flags, months: Whole) -> Whole:
    """How often each bought; a plan is paid every month, for three years at most."""
    counts = np.asarray((1, 2, 3, 4, 6, 9, 13, 20))
    household = counts[dice.pick("bookings", number, (280, 160, 120, 110, 110, 100, 80, 40))]
    business = 4 + dice.below("visits", number, 38)
    chosen = np.select([segment == HOUSEHOLD, segment == CARE_PLAN], [household, np.minimum(months, 36)], business)
    return np.where(discount_buyer, 1, chosen)
