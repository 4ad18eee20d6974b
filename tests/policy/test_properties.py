"""What must hold of any customers whatsoever: no is never turned into yes, and only facts count.

Whole groups of people are generated and decided in one snapshot, changed, and decided again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.people import AT, Row, Tables, ago, consent, decide, known, person, suppression, together

from reactivation.evidence.parquet import write_parquet
from reactivation.policy import candidates
from reactivation.policy.candidates import Decided
from reactivation.policy.rules import SETTING_OF

SOFT = ["obtained_in_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_every_message", "no_objection"]
GROUP = 14

#: Decisions cost a second however many people there are: few examples, each of a whole group.
thorough = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Nineteen times in twenty the usual value, so that many people are in order."""
    return st.sampled_from([usual] * 19 * len(others) + list(others))


CONTACTS = st.fixed_dictionaries({
    "country": mostly("GB", "DE", "FR", "US", "CA", "CH", None),
    "phone_country": mostly(None, "GB", "DE", "BR"),
    "phone_problem": mostly("missing", "invalid", "not_mobile", None),
    "phone_key": mostly(None, "phone-1", "phone-2"),
    "business_segment": mostly("household", "care_plan", "business", "wholesale"),
    "fit": mostly("good", "bad", None),
    "relationship": mostly("normal", "sensitive", "poor", "legal", None),
    "has_notes": mostly(False, True, None),
    "is_subscriber_only": mostly(False, True, None),
    "consent_email": mostly(True, False, None),
    "value_tier": mostly("mid", "high", None),
    "owner_id": mostly(None, "own-ben", "own-gone"),
    "email_problem": mostly(None, "role"),
    "lifecycle_stage": mostly("customer", "deactivated"),
    "zones": mostly(["Europe/London"], ["Etc/Unknown"], []),
    "last_seen": mostly(None, ago(3), ago(110)),
})  # fmt: skip
PURCHASES = st.fixed_dictionaries({
    "last_order_at": mostly(ago(130), ago(91), ago(20), ago(700)),
    "purchases": mostly(4, 1, 0),
    "margin_24m": mostly(Decimal(240), Decimal(-1), None),
    "margin_known_rows": mostly(4, 0),
    "discounted_purchases": mostly(0, 4),
    "currency": mostly("GBP", "EUR", None),
    "period_end": mostly(None, ago(-30)),
})  # fmt: skip
ENGAGEMENTS = st.fixed_dictionaries({
    "last_click_at": mostly(None, ago(120), ago(2)),
    "last_email_sent_at": mostly(None, ago(1), ago(30)),
    "last_bounce_at": mostly(None, ago(200)),
    "last_complaint_at": mostly(None, ago(100)),
    "last_unsubscribe_at": mostly(None, ago(-3)),
})  # fmt: skip
RECORDS = st.fixed_dictionaries({
    "channel": mostly("email", "sms"),
    "state": mostly("granted", "withdrawn", "objected", "unknown"),
    "basis": mostly("express", "double_opt_in", "soft_opt_in", "implied_purchase", "flag_only", "opt_out_regime"),
    "occurred_at": mostly(ago(300), ago(900), ago(-2)),
    "confirmed_at": mostly(ago(299), None),
    "event_date": mostly(ago(170), None),
    "method": mostly("checkbox", None),
    "evidence_ref": mostly("forms/1", None),
    "affirmative_action": mostly(True, False, None),
    "collected_by_brand": mostly("harbour_finch", "finch_gardens", None),
    "conditions": mostly(SOFT, SOFT[:3], None),
})  # fmt: skip
ACCOUNTS = st.none() | st.none() | st.fixed_dictionaries({
    "fit": mostly("good", "bad", None),
    "relationship": mostly("normal", "dispute", None),
    "has_notes": mostly(False, True, None),
    "owner_id": mostly("own-ben", None),
    "status": mostly("active", "cancelled"),
})  # fmt: skip
CASES = mostly(None, {}, {"closed_at": ago(5), "status": "closed"}, {"closed_at": ago(5), "status": "reopened"})
SUPPRESSIONS = mostly(None, {}, {"brand": "finch_gardens"}, {"channel": "sms"})


@st.composite
def customers(draw: st.DrawFn) -> Tables:
    """The tables of a group, some of whom share an address."""
    return together(*(draw(_customer(f"c-{number:02}")) for number in range(GROUP)))


@st.composite
def _customer(draw: st.DrawFn, name: str) -> Tables:
    optional = {"account": draw(ACCOUNTS), "case": draw(CASES), "suppression": draw(SUPPRESSIONS)}
    records = [consent(f"r-{name}-{n}", name, **draw(RECORDS)) for n in range(draw(mostly(1, 2, 0)))]
    contact = draw(CONTACTS) | {"email_key": draw(mostly(f"mail-{name}", "mail-shared", "mail-desk", None))}
    return person(
        name, contact=contact, purchases=draw(PURCHASES), engagement=draw(ENGAGEMENTS), consents=records,
        **{key: value for key, value in optional.items() if value is not None},
    )  # fmt: skip


def decided(tables: Tables, **options: Any) -> dict[str, str]:
    """What became of whom where everything is accepted that a signature can accept: the widest there is."""
    table = decide(tables, signed=dict.fromkeys(SETTING_OF.values(), "set-1"), **options).table
    return dict(zip(table["customer_id"].to_pylist(), table["decision"].to_pylist(), strict=True))


def sendable(decisions: dict[str, str]) -> set[str]:
    return {name for name, decision in decisions.items() if decision in ("enrol", "review")}


def test_the_groups_have_people_of_every_fate() -> None:
    """Else the properties below would hold of nobody."""
    fates: set[str] = set()

    @settings(max_examples=6, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(customers())
    def look(tables: Tables) -> None:
        fates.update(decided(tables).values())

    look()

    assert fates == {"enrol", "review", "hold", "suppress"}


#: For what looks at many changes of one group in one snapshot.
side_by_side = settings(thorough, max_examples=3)
_NAMES = ("customer_id", "account_id", "email_key", "phone_key", "address_key", "record_id", "case_id",
          "suppression_id")  # fmt: skip


def decided_apart(groups: Sequence[Tables]) -> list[dict[str, str]]:
    """What becomes of several groups with the same offers, strangers to one another, in one snapshot.

    As of each alone, but for the ranks of value, which only choose between *enrol* and *review*.
    """
    found: list[dict[str, str]] = [{} for _ in groups]
    for name, decision in decided(together(*map(_as_strangers, range(len(groups)), groups))).items():
        number, _, of = name.partition("/")
        found[int(number)][of] = decision
    return found


def _as_strangers(number: int, tables: Tables) -> Tables:
    """The group under names that no other group has; the offers are the same for all."""
    return {
        table: rows if table == "offers" else [
            row | {name: f"{number}/{row[name]}" for name in _NAMES if row.get(name) is not None} for row in rows
        ]
        for table, rows in tables.items()
    }  # fmt: skip


#: Whatever is said, of whichever channel, and whether of the customer or of the address.
SAID = [
    (reason, channel, by)
    for reason in ("opt_out", "objection", "complaint", "hard_bounce", "internal", "deactivated")
    for channel in (None, "email", "sms")
    for by in ("customer", "address")
]


def _suppressed(tables: Tables, reason: str, channel: str | None, by: str) -> Tables:
    """Everybody suppressed, by the address where there is one and it is asked for."""
    subjects = [
        {"customer_id": row["customer_id"]} if by == "customer" or row["email_key"] is None
        else {"address_key": row["email_key"]}
        for row in tables["contacts"]
    ]  # fmt: skip
    said = [
        suppression(f"s-all-{number}", reason=reason, channel=channel, occurred_at=ago(-1), **subject)
        for number, subject in enumerate(subjects)
    ]
    return tables | {"suppressions": [*tables.get("suppressions", ()), *said]}


@side_by_side
@given(customers())
def test_a_suppression_makes_unsendable_whatever_else(tables: Tables) -> None:
    """By customer or by address, for whatever reason and channel, before the as-of or after it."""
    for said, decisions in zip(SAID, decided_apart([_suppressed(tables, *said) for said in SAID]), strict=True):
        assert sendable(decisions) == set(), said


@side_by_side
@given(customers())
def test_a_refusal_makes_unsendable_whatever_else(tables: Tables) -> None:
    """A consent record that says no, however old and without any evidence."""
    refused = [
        tables | {"consents": [*tables["consents"], *(
            consent(f"r-no-{row['customer_id']}", row["customer_id"], state=state, occurred_at=ago(4000),
                    evidence_ref=None)
            for row in tables["contacts"]
        )]}
        for state in ("withdrawn", "objected")
    ]  # fmt: skip

    assert [sendable(decisions) for decisions in decided_apart(refused)] == [set(), set()]


@thorough
@given(customers(), st.data())
def test_taking_a_consent_away_permits_nobody(tables: Tables, data: st.DataObject) -> None:
    """The set of those who may be written to never grows, whichever are taken."""
    grants = [row["record_id"] for row in tables["consents"] if row["state"] == "granted"]
    taken = data.draw(st.lists(st.sets(st.sampled_from(grants)), min_size=12, max_size=12)) if grants else []
    fewer = [
        tables | {"consents": [row for row in tables["consents"] if row["record_id"] not in gone]} for gone in taken
    ]
    before, *after = decided_apart([tables, *fewer])

    assert all(sendable(decisions) <= sendable(before) for decisions in after)


#: Fields whose emptiness is no knowledge; an empty owner, account, phone or activity date has a meaning of its own.
BLANKABLE = [
    *(("contacts", column) for column in ("country", "email_key", "business_segment", "has_notes", "is_subscriber_only",
                                          "fit", "relationship", "value_tier", "zones", "zone_sources")),
    *(("accounts", column) for column in ("fit", "relationship", "has_notes")),
    *(("purchase_summary", column) for column in ("purchases", "currency", "margin_known_rows", "revenue")),
    *(("consents", column) for column in ("occurred_at", "confirmed_at", "event_date", "method", "disclosure_version",
                                          "evidence_ref", "affirmative_action", "collected_by_brand", "conditions",
                                          "purpose", "basis", "jurisdiction")),
    *(("cases", column) for column in ("closed_at", "status")),
    *(("suppressions", column) for column in ("brand", "channel")),
    *(("offers", column) for column in ("value", "unit_cost", "margin_floor", "budget", "ends_at")),
]  # fmt: skip


def _blanked(tables: Tables, table: str, column: str) -> Tables:
    return tables | {table: [row | {column: None} for row in tables.get(table, ())]}


def _permits_nobody_more(before: dict[str, str], after: dict[str, str], column: str) -> None:
    """Unknown fit or relationship asks a person; anything else unknown does not even that."""
    forbidden = set(before) - sendable(before)
    assert not {name for name in forbidden if after.get(name) == "enrol"}, column
    if column not in ("fit", "relationship"):
        assert sendable(after) <= sendable(before), column


@thorough
@given(customers())
def test_an_empty_field_never_turns_a_no_into_a_yes(tables: Tables) -> None:
    """Nobody who may not be written to may be once something is unknown, whichever field it is."""
    fields = [(table, column) for table, column in BLANKABLE if table != "offers"]
    before, *after = decided_apart([tables, *(_blanked(tables, *field) for field in fields)])
    for (_, column), decisions in zip(fields, after, strict=True):
        _permits_nobody_more(before, decisions, column)


#: What alone keeps a customer who is in order otherwise from being enrolled.
ONE_WRONG: list[dict[str, Any]] = [
    *({"contact": wrong} for wrong in (
        {"fit": "bad"}, {"relationship": "poor"}, {"relationship": "legal"}, {"country": "CH"},
        {"is_subscriber_only": True}, {"business_segment": "wholesale"}, {"zones": ["Etc/Unknown"]},
        {"email_problem": "role"}, {"lifecycle_stage": "deactivated"}, {"consent_email": False},
    )),
    *({"consent": wrong} for wrong in (
        {"state": "withdrawn"}, {"state": "objected"}, {"evidence_ref": None}, {"affirmative_action": False},
        {"collected_by_brand": "finch_gardens"}, {"occurred_at": ago(-2)},
    )),
    {"purchases": {"margin_24m": Decimal(-1)}}, {"suppression": {}}, {"account": {"fit": "bad"}},
    {"case": {}}, {"case": {"closed_at": ago(5), "status": "reopened"}},
]  # fmt: skip


def test_an_empty_field_never_hides_the_one_thing_that_is_wrong() -> None:
    """Among many noes a lost one does not show: here everybody has a single one."""
    tables = together(*(person(f"c-{number:02}", **wrong) for number, wrong in enumerate(ONE_WRONG)))
    fields = [(table, column) for table, column in BLANKABLE if table != "offers"]
    before, *after = decided_apart([tables, *(_blanked(tables, *field) for field in fields)])
    for (_, column), decisions in zip(fields, after, strict=True):
        _permits_nobody_more(before, decisions, column)


@settings(thorough, max_examples=3)
@given(customers())
def test_an_empty_field_of_the_offers_permits_nobody_more(tables: Tables) -> None:
    """They are one for all, so that each field takes decisions of its own."""
    before = decided(tables)
    for table, column in BLANKABLE:
        if table == "offers":
            _permits_nobody_more(before, decided(_blanked(tables, table, column)), column)


#: What the ledger knows of an address from which one incentive was redeemed long ago.
REDEEMED = st.fixed_dictionaries({
    "redeemed_incentives": st.sampled_from([1, 1, 1, 0]), "last_redeemed_at": mostly(ago(400), ago(300)),
    "redeemed_cost": st.sampled_from([Decimal("9.50"), Decimal(47), Decimal(0), Decimal(60), None]),
    "redeemed_currency": mostly("GBP", "EUR", None),
})  # fmt: skip
#: Whose emptiness nobody may get an offer by.
OF_INCENTIVES = [
    ("contacts", "has_notes"), ("accounts", "has_notes"),
    *(("purchase_summary", column) for column in ("purchases", "currency", "revenue", "margin_24m",
                                                  "margin_revenue_24m")),
    *(("ledger", column) for column in ("redeemed_cost", "redeemed_currency")),
]  # fmt: skip


@st.composite
def redeemers(draw: st.DrawFn) -> Tables:
    """A group with what the ledger knows of each of its addresses, and value tiers that do not depend on others."""
    tables = _tiered(draw(customers()), ["mid", "low", "high"])
    keys = sorted({row["email_key"] for row in tables["contacts"] if row["email_key"] is not None})
    return tables | {"ledger": [known(key, **draw(REDEEMED)) for key in keys]}


def offered(groups: Sequence[Tables]) -> list[set[str]]:
    """Who of each group would be given an incentive that costs money."""
    tables = together(*map(_as_strangers, range(len(groups)), groups))
    rows = decide(tables, *tables.pop("ledger")).table.to_pylist()
    given = [row["customer_id"] for row in rows if row["offer_position"] != "none"]
    return [{name for name in given if name.startswith(f"{number}/")} for number in range(len(groups))]


def _unnumbered(names: set[str]) -> set[str]:
    return {name.partition("/")[2] for name in names}


def test_some_who_redeemed_are_offered_more_and_some_are_not() -> None:
    """Else the property below would hold of nobody."""
    counts: set[bool] = set()

    @settings(max_examples=6, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(redeemers())
    def look(tables: Tables) -> None:
        redeemed = {row["address_key"].removeprefix("mail-") for row in tables["ledger"] if row["redeemed_incentives"]}
        (some,) = map(_unnumbered, offered([tables]))
        counts.update(name in some for name in redeemed)

    look()

    assert counts == {True, False}


@side_by_side
@given(redeemers())
def test_an_empty_field_never_gives_anybody_an_offer(tables: Tables) -> None:
    """Whatever is unknown of margins, money and what was redeemed, the set of those with an offer never grows."""
    before, *after = map(_unnumbered, offered([tables, *(_blanked(tables, *field) for field in OF_INCENTIVES)]))
    for field, some in zip(OF_INCENTIVES, after, strict=True):
        assert some <= before, field


def test_a_used_phone_without_a_country_is_no() -> None:
    """The one field that may be empty because there is no phone."""
    usable = {"phone_key": "p", "phone_problem": None}

    assert sendable(decided(person(contact=usable | {"phone_country": "GB"})))
    assert not sendable(decided(person(contact=usable)))


def _bytes(made: Decided) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "decisions.parquet"
        write_parquet(file, made.table, made.table.schema)
        return file.read_bytes()


@thorough
@given(customers(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_number_of_threads_do_not_show(tables: Tables, chance: random.Random) -> None:
    """The same facts give the same bytes."""
    shuffled = deepcopy(tables)
    for rows in shuffled.values():
        chance.shuffle(rows)

    assert _bytes(decide(shuffled, threads=1)) == _bytes(decide(tables, threads=2))


@thorough
@given(customers(), st.sampled_from([1, 7, 40]))
def test_a_later_as_of_makes_nobody_less_dormant(tables: Tables, days: int) -> None:
    """Who was a candidate by silence stays silent without new activity."""

    def quiet(at: Any) -> dict[str, tuple[str, int | None]]:
        everybody = decide(tables, at=at)
        rows: list[Row] = everybody.table.to_pylist() + everybody.others.to_pylist()
        return {row["customer_id"]: (row["gate_dormant"], row["dormant_days"]) for row in rows}

    now, later = quiet(AT), quiet(AT + timedelta(days=days))

    for name, (gate, since) in now.items():
        assert gate != "pass" or later[name][0] == "pass"
        assert since is None or later[name][1] >= since


@thorough
@given(customers(), st.sampled_from([3, 5, GROUP]))
def test_the_size_of_a_share_does_not_show(tables: Tables, size: int) -> None:
    """Customers are decided in shares of some size; one share of everybody gives the same bytes, others and counts."""
    whole = decide(tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "_SHARE", size)
        shared = decide(tables)

    assert _bytes(shared) == _bytes(whole)
    assert shared.others.equals(whole.others)
    assert shared.counts == whole.counts


def _bucket(row: Row, buckets: int) -> int:
    """The same customer falls into the same bucket everywhere."""
    return int(sha256(row["customer_id"].encode()).hexdigest(), 16) % buckets


def _in_buckets(tables: Tables, buckets: int) -> list[Row]:
    """The rows of customers decided bucket by bucket, each with those who share an address."""
    rows: list[Row] = []
    for number in range(buckets):
        mine = {row["customer_id"] for row in tables["contacts"] if _bucket(row, buckets) == number}
        made = decide(_with_peers(tables, *mine)).table.to_pylist() if mine else []
        rows += [row for row in made if row["customer_id"] in mine]
    return sorted(rows, key=lambda row: row["customer_id"])


def _tiered(tables: Tables, tiers: Sequence[str | None]) -> Tables:
    """The customers with these value tiers, over and over."""
    contacts = [row | {"value_tier": tiers[n % len(tiers)]} for n, row in enumerate(tables["contacts"])]
    return tables | {"contacts": contacts}


@thorough
@given(customers(), st.sampled_from([2, 3, 5]))
def test_the_number_of_buckets_does_not_show(tables: Tables, buckets: int) -> None:
    """As long as the source gives value tiers, every row is the row of all decided at once."""
    tables = _tiered(tables, ["high", "mid", "low"])

    assert _in_buckets(tables, buckets) == decide(tables).table.to_pylist()


#: What follows from a value tier, and from nothing else that a bucket cannot know.
OF_VALUE = {
    "value_tier", "population", "priority", "priority_value", "decision", "reason_codes", "review_reasons",
    "review_flags", "reviewed", "gate_offer_allowed", "offer_position", "next_best_action",
}  # fmt: skip


@thorough
@given(customers(), st.sampled_from([2, 3, 5]))
def test_a_rank_among_fewer_moves_only_what_follows_from_value(tables: Tables, buckets: int) -> None:
    """A tier that no source gives is the rank by margin among everybody, which needs the whole; it permits nobody."""
    tables = _tiered(tables, [None])
    whole, apart = decide(tables).table.to_pylist(), _in_buckets(tables, buckets)

    assert [row["customer_id"] for row in apart] == [row["customer_id"] for row in whole]
    for one, other in zip(whole, apart, strict=True):
        assert {name for name in one if one[name] != other[name]} <= OF_VALUE
        assert (one["decision"] in ("enrol", "review")) == (other["decision"] in ("enrol", "review"))


def _with_peers(tables: Tables, *names: str) -> Tables:
    """What a source asked by ids answers: the customers and everybody behind the same addresses, with their rows."""
    contacts = {row["customer_id"]: row for row in tables["contacts"]}
    keys = {contacts[name].get(key) for name in names for key in ("email_key", "phone_key")} - {None}
    ids = {other for other, row in contacts.items() if keys & {row.get("email_key"), row.get("phone_key")}} | {*names}
    accounts = {contacts[one].get("account_id") for one in ids} - {None}

    def mine(row: Row) -> bool:
        return row.get("customer_id") in ids or row.get("account_id") in accounts

    kept = {table: [row for row in rows if mine(row)] for table, rows in tables.items() if table != "offers"}
    return kept | {"offers": tables["offers"]}


@side_by_side
@given(customers())
def test_what_is_asked_again_by_id_is_answered_the_same(tables: Tables) -> None:
    """The sender decides a few customers from the same facts; the rest of the snapshot does not matter."""
    names = [row["customer_id"] for row in tables["contacts"]]
    whole, *alone = decided_apart([tables, *(_with_peers(tables, name) for name in names)])

    for name, decisions in zip(names, alone, strict=True):
        assert (name in sendable(decisions)) == (name in sendable(whole)), name


@pytest.mark.parametrize("order", [1, -1])
def test_decisions_are_sorted_by_customer(order: int) -> None:
    """Byte-identical files need one order."""
    people = [person(f"c-{n}") for n in (3, 1, 2)][::order]

    assert list(decided(together(*people))) == ["c-1", "c-2", "c-3"]
