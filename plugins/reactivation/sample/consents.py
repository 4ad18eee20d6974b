"""The consents: who may be written to, on which basis, with which evidence, and who took it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CONSENT_BASES, CONSENTS
from reactivation.sample import columns as col
from reactivation.sample.countries import COUNTRIES, COUNTRY
from reactivation.sample.crowd import Crowd
from reactivation.sample.dice import Flags, Whole
from reactivation.sample.rows import DAY, between
from reactivation.sample.traits import PERMISSIONS, code
from reactivation.sample.world import BRAND

_BASIS = {basis: number for number, basis in enumerate(CONSENT_BASES)}
_GRANTED, _WITHDRAWN, _OBJECTED, _UNKNOWN = range(4)
_STATES = ("granted", "withdrawn", "objected", "unknown")
SOFT_OPT_IN = (
    "obtained_in_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_every_message", "no_objection",
)  # fmt: skip
# Condition lists: none, all of a soft opt-in, of an express one, then a soft opt-in with one missing.
_NONE, _SOFT, _EXPRESS, _SOFT_WITH_ONE_MISSING = range(4)
_CONDITIONS = (
    (), SOFT_OPT_IN, ("not_prechecked", "not_condition_of_purchase"),
    *(tuple(c for c in SOFT_OPT_IN if c != gone) for gone in SOFT_OPT_IN),
)  # fmt: skip
_SOURCES = ("web_form", "checkout", "engineer_tablet", "phone", "import")
_METHODS = ("checkbox", "confirmed_link", "sale")
_WORDINGS = ("2023-05", "2024-02", "2025-01")
# A basis that the customers' country does not accept for e-mail; elsewhere an opt-out regime is refused.
_REFUSED_BASIS = {
    "DE": "express", "FR": "soft_opt_in", "IE": "soft_opt_in", "AU": "implied_purchase",
}  # fmt: skip


def consents(crowd: Crowd, first_row: int) -> pa.Table:
    """E-mail records of everybody who has one, the *no* that followed for some, and SMS records of a quarter."""
    permission = crowd.traits.permission
    has = ~np.isin(permission, [code(PERMISSIONS, "flag_only"), code(PERMISSIONS, "nothing")])
    said_no = np.isin(permission, [code(PERMISSIONS, "withdrawn"), code(PERMISSIONS, "objected")])
    sms = crowd.dice.chance("sms", crowd.traits.number, 250) & ~crowd.traits.subscriber_only
    tables = [
        _granted(crowd, np.flatnonzero(has)),
        _refused(crowd, np.flatnonzero(said_no)),
        _text_messages(crowd, np.flatnonzero(sms)),
    ]
    together = pa.concat_tables(tables)
    numbers = np.arange(first_row + 1, first_row + 1 + together.num_rows)
    return together.set_column(0, CONSENTS.schema.field("record_id"), col.ids("con-", numbers, 8))


def _granted(crowd: Crowd, who: Whole) -> pa.Table:
    dice, traits, life, as_of = crowd.dice, crowd.traits, crowd.life, crowd.as_of
    number = traits.number[who]
    story = {word: traits.permission[who] == code(PERMISSIONS, word) for word in PERMISSIONS}
    buyer = traits.purchases[who] > 0
    basis = _basis(crowd, who, story, buyer)
    soft = basis == _BASIS["soft_opt_in"]
    double = basis == _BASIS["double_opt_in"]
    of_sale = soft | (basis == _BASIS["implied_purchase"])
    recent = np.minimum(np.maximum(life.created[who], as_of - 620 * DAY), life.last_activity[who] - 1)
    given = between(dice, "consented", number, recent, life.last_activity[who])
    given = np.where(of_sale & buyer, life.last_purchase[who], given)
    old = as_of - (760 + dice.below("expired", number, 200)) * DAY
    given = np.where(story["expired"], np.maximum(old, life.created[who]), given)
    missing = story["condition_missing"]
    incomplete = _SOFT_WITH_ONE_MISSING + dice.below("which condition", number, len(SOFT_OPT_IN))
    conditions = np.where(soft, np.where(missing, incomplete, _SOFT), np.where(of_sale, _NONE, _EXPRESS))
    method = np.where(of_sale, 2, np.where(double, 1, 0))
    return _Records(
        crowd, who, channel="email", basis=basis, given=given, conditions=conditions,
        state=np.where(story["state_unknown"], _UNKNOWN, _GRANTED), proven=~story["no_evidence"],
        source=dice.below("consent source", number, len(_SOURCES)),
        method=np.where(story["no_evidence"], col.EMPTY, method),
        act_known=~of_sale & (double | ~missing), elsewhere=story["other_brand"],
        confirmed=np.where(double & ~missing, given + 900, col.EMPTY),
        event=np.where(of_sale & (soft | ~missing), given, col.EMPTY),
    ).table()  # fmt: skip


def _refused(crowd: Crowd, who: Whole) -> pa.Table:
    number = crowd.traits.number[who]
    withdrawn = crowd.traits.permission[who] == code(PERMISSIONS, "withdrawn")
    return _Records(
        crowd, who, channel="email",
        given=between(crowd.dice, "refused", number, crowd.life.last_activity[who], crowd.as_of),
        state=np.where(withdrawn, _WITHDRAWN, _OBJECTED), source=np.full(len(who), _SOURCES.index("phone")),
    ).table()  # fmt: skip


def _text_messages(crowd: Crowd, who: Whole) -> pa.Table:
    dice, life = crowd.dice, crowd.life
    number = crowd.traits.number[who]
    country = crowd.traits.country[who]
    written = (country == COUNTRY["US"]) & dice.chance("written", number, 700)
    double = country == COUNTRY["DE"]
    basis = np.select([written, double], [_BASIS["express_written"], _BASIS["double_opt_in"]], _BASIS["express"])
    recent = np.minimum(np.maximum(life.created[who], crowd.as_of - 620 * DAY), life.last_activity[who] - 1)
    given = between(dice, "sms given", number, recent, life.last_activity[who])
    proven = dice.chance("sms proven", number, 800)
    return _Records(
        crowd, who, channel="sms", basis=basis, given=given, proven=proven, act_known=proven,
        state=np.where(dice.chance("sms no", number, 120), _WITHDRAWN, _GRANTED),
        method=np.where(proven, 0, col.EMPTY), confirmed=np.where(double, given + 600, col.EMPTY),
        conditions=np.where(proven, _EXPRESS, _NONE),
    ).table()  # fmt: skip


def _basis(crowd: Crowd, who: Whole, story: dict[str, Flags], buyer: Flags) -> Whole:
    """The basis each country's customers usually give, or one that their country does not accept."""
    country = crowd.traits.country[who]
    at_sale = crowd.dice.chance("at the sale", crowd.traits.number[who], 560) & ~story["no_evidence"]
    usual = np.select(
        [
            (country == COUNTRY["GB"]) & (at_sale | story["condition_missing"]) & buyer & ~story["expired"],
            country == COUNTRY["DE"],
            (country == COUNTRY["CA"]) & (at_sale | story["expired"]) & buyer,
        ],
        [_BASIS["soft_opt_in"], _BASIS["double_opt_in"], _BASIS["implied_purchase"]],
        _BASIS["express"],
    )
    refused = np.asarray([_BASIS[_REFUSED_BASIS.get(c.code, "opt_out_regime")] for c in COUNTRIES])
    return np.where(story["wrong_basis"], refused[country], usual)


@dataclass(frozen=True)
class _Records:
    """Consent records as codes; a column left out is empty in every row (basis: express; source: a web form)."""

    crowd: Crowd
    who: Whole
    channel: str
    given: Whole
    state: Whole
    basis: Whole | None = None
    conditions: Whole | None = None
    source: Whole | None = None
    method: Whole | None = None
    proven: Flags | None = None
    act_known: Flags | None = None
    elsewhere: Flags | None = None
    confirmed: Whole | None = None
    event: Whole | None = None

    def table(self) -> pa.Table:
        """The records in the contract's shape, their ids still to be given."""
        size = len(self.who)
        number = self.crowd.traits.number[self.who]
        proven = self._flags(self.proven)
        evidence = pc.binary_join_element_wise(f"consent-{self.channel}/", col.ids("", number + 1, 7), "")
        acted = self._flags(self.act_known)
        return col.table_of(
            CONSENTS,
            {
                "record_id": col.constant("", size),
                "customer_id": self.crowd.customer_id.take(pa.array(self.who)),
                "channel": col.constant(self.channel, size),
                "purpose": col.constant("marketing", size),
                "state": col.words(_STATES, self.state),
                "basis": col.words(CONSENT_BASES, self._codes(self.basis, _BASIS["express"])),
                "occurred_at": col.instants(self.given),
                "source": col.words(_SOURCES, self._codes(self.source, 0)),
                "method": col.words(_METHODS, self._codes(self.method, col.EMPTY)),
                "disclosure_version": col.words(_WORDINGS, np.where(proven, number % len(_WORDINGS), col.EMPTY)),
                "evidence_ref": pc.if_else(pa.array(proven), evidence, pa.scalar(None, pa.string())),
                "affirmative_action": col.flags(acted, ~acted),
                "brand": col.constant(BRAND, size),
                "collected_by_brand": col.words((BRAND, "finch_gardens"), self._flags(self.elsewhere).astype(np.int64)),
                "jurisdiction": col.words([c.code for c in COUNTRIES], self.crowd.traits.country[self.who]),
                "confirmed_at": col.instants(self._codes(self.confirmed, col.EMPTY)),
                "event_date": col.instants(self._codes(self.event, col.EMPTY)),
                "conditions": col.lists(_CONDITIONS, self._codes(self.conditions, _NONE)),
            },
        )

    def _codes(self, given: Whole | None, otherwise: int) -> Whole:
        return np.full(len(self.who), otherwise, dtype=np.int64) if given is None else given

    def _flags(self, given: Flags | None) -> npt.NDArray[np.bool_]:
        return np.zeros(len(self.who), dtype=np.bool_) if given is None else given
