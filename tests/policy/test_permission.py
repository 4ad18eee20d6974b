"""Permission: on which evidence, in which jurisdictions, until when; a flag is not consent and unknown is no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args

import pyarrow as pa
import pytest
from tests.policy.people import AT, Row, ago, consent, decide, one, person, rules, stories, together

from reactivation.contract.tables import FLAG, TEXT, TIME
from reactivation.policy.columns import frame_of
from reactivation.policy.permission import PEOPLE_COLUMNS, permissions
from reactivation.policy.rules import Accepted, Condition, EvidenceField, Regime

SOFT = ["obtained_in_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_every_message", "no_objection"]
MONTHS_24 = datetime(2024, 11, 17, 9, 0, tzinfo=UTC)  # 24 months before AT, to the second
MONTHS_18 = datetime(2025, 5, 17, 9, 0, tzinfo=UTC)
MONTHS_6 = datetime(2026, 5, 17, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PROOFS: tuple[EvidenceField, ...] = get_args(EvidenceField)
#: The columns of ``consent_rows.sql``, and those that are asked of people.
RECORDS = pa.schema(
    [(name, TEXT) for name in ("customer_id", "channel", "record_id", "state", "basis")]
    + [(name, TIME) for name in ("occurred_at", "event_date", "confirmed_at")]
    + [("right_purpose", FLAG), *((f"has_{name}", FLAG) for name in PROOFS)]
    + [(f"is_{name}", FLAG) for name in get_args(Condition)]
)
PEOPLE = pa.schema([(name, FLAG if name.endswith("_shared") else TEXT) for name in PEOPLE_COLUMNS])


def record(basis: str | None, country: str = "GB", **changes: Any) -> Row:
    """A person in that country with one e-mail record of that basis, evidenced unless said otherwise."""
    evidence: Row = {"basis": basis}
    if basis == "double_opt_in":
        evidence["confirmed_at"] = ago(299)
    if basis == "soft_opt_in":
        evidence |= {"conditions": SOFT, "affirmative_action": None}
    if basis is not None and basis.startswith("implied"):
        evidence |= {"event_date": ago(170), "method": None, "disclosure_version": None, "affirmative_action": None}
    return {"contact": {"country": country}, "consent": evidence | changes}


#: Story, why not (None: permitted).
STORIES: dict[str, tuple[Row, str | None]] = {
    # what each place accepts
    **{f"{c}-{b}": (record(b, c), None) for c in ("US", "CA", "GB", "FR", "NO", "AU")
       for b in ("express", "express_written", "double_opt_in")},
    "DE-double": (record("double_opt_in", "DE"), None),
    "DE-soft": (record("soft_opt_in", "DE"), None),
    "GB-soft": (record("soft_opt_in"), None),
    "CA-purchase": (record("implied_purchase", "CA"), None),
    "CA-inquiry": (record("implied_inquiry", "CA"), None),
    # and what it does not
    "DE-express": (record("express", "DE"), "basis_not_accepted"),
    "US-soft": (record("soft_opt_in", "US"), "basis_not_accepted"),
    "FR-soft": (record("soft_opt_in", "FR"), "basis_not_accepted"),
    "GB-purchase": (record("implied_purchase"), "basis_not_accepted"),
    "AU-purchase": (record("implied_purchase", "AU"), "basis_not_accepted"),
    "US-opt-out-regime": (record("opt_out_regime", "US"), "basis_not_accepted"),
    "CH": (record("double_opt_in", "CH"), "jurisdiction_not_configured"),
    "nowhere": (record("express", country=None), "jurisdiction_unknown"),  # type: ignore[arg-type]
    # a flag is not consent
    "bare-flag": (record("flag_only", evidence_ref=None, method=None), "unverified"),
    "flag-with-trimmings": (record("flag_only"), "unverified"),
    "nothing": ({"consents": []}, "no_record"),
    "unknown": (record("express", state="unknown"), "state_unknown"),
    # who, when, how, wording, act
    "no-method": (record("express", method=None), "no_evidence"),
    "no-wording": (record("express", disclosure_version=None), "no_evidence"),
    "no-proof": (record("express", evidence_ref=None), "no_evidence"),
    "no-act": (record("express", affirmative_action=None), "no_evidence"),
    "act-was-none": (record("express", affirmative_action=False), "no_evidence"),
    "collected-elsewhere": (record("express", collected_by_brand="finch_gardens"), "no_evidence"),
    "collected-by-nobody": (record("express", collected_by_brand=None), "no_evidence"),
    "another-brand": (record("express", brand="finch_gardens"), "no_record"),
    "another-purpose": (record("express", purpose="research"), "no_record"),
    "given-tomorrow": (record("express", occurred_at=ago(-1)), "no_record"),
    # conditions
    "not-confirmed": (record("double_opt_in", confirmed_at=None), "conditions_missing"),
    "confirmed-tomorrow": (record("double_opt_in", confirmed_at=ago(-1)), "conditions_missing"),
    **{f"soft-without-{gone}": (record("soft_opt_in", conditions=[c for c in SOFT if c != gone]), "conditions_missing")
       for gone in SOFT},
    "soft-without-any": (record("soft_opt_in", conditions=None), "conditions_missing"),
    "purchase-without-date": (record("implied_purchase", "CA", event_date=None), "conditions_missing"),
    # how long it holds; the last moment is outside
    "GB-24-months": (record("express", occurred_at=MONTHS_24), "expired"),
    "GB-a-second-less": (record("express", occurred_at=MONTHS_24 + SECOND), None),
    "US-18-months": (record("express", "US", occurred_at=MONTHS_18), "expired"),
    "US-a-second-less": (record("express", "US", occurred_at=MONTHS_18 + SECOND), None),
    "CA-never": (record("express", "CA", occurred_at=ago(3000)), None),
    "CA-purchase-2-years": (record("implied_purchase", "CA", event_date=MONTHS_24), "expired"),
    "CA-inquiry-6-months": (record("implied_inquiry", "CA", event_date=MONTHS_6), "expired"),
    "CA-inquiry-a-second-less": (record("implied_inquiry", "CA", event_date=MONTHS_6 + SECOND), None),
    "renewed-by-confirming": (record("double_opt_in", occurred_at=ago(800), confirmed_at=ago(700)), None),
}  # fmt: skip


@cache
def decided() -> dict[str, Row]:
    return stories({name: how for name, (how, _) in STORIES.items()})


@pytest.mark.parametrize("story", STORIES)
def test_one_record_in_one_place(story: str) -> None:
    """The table of RULES.md, and everything that must be on record."""
    row, why = decided()[story], STORIES[story][1]

    assert row["email_why"] == why
    assert row["gate_permission"] == ("pass" if why is None else f"fail:{why}")
    assert row["email_records"] == ([f"r-{story}"] if why is None else [])
    assert (row["email_basis"] is None) == (why is not None)
    assert row["evidence"]["consent_record_ids"] == ([] if story in ("nothing", "another-brand") else [f"r-{story}"])
    if why is not None:
        assert row["decision"] == "suppress"
        assert f"permission:{why}" in row["reason_codes"]


def test_until_when_it_holds() -> None:
    """24 calendar months after the last evidence in Britain; without end in Canada."""
    rows = stories({"british": record("express", occurred_at=datetime(2024, 12, 31, 8, tzinfo=UTC)),
                    "canadian": record("express", "CA")})  # fmt: skip

    assert rows["british"]["email_valid_until"] == datetime(2026, 12, 31, 8, tzinfo=UTC)
    assert rows["canadian"]["email_valid_until"] is None


def test_it_must_still_hold_on_the_planned_day() -> None:
    """A consent that ends before the day is none on that day."""
    tables = person(consent={"occurred_at": MONTHS_24 + timedelta(days=10)})

    assert one(tables, planned_on=AT + timedelta(days=9))["email_why"] is None
    assert one(tables, planned_on=AT + timedelta(days=10))["email_why"] == "expired"


PHONED: dict[str, tuple[Row, str | None]] = {
    "german-phone": ({"phone_country": "DE", "phone_problem": None, "phone_key": "p-1"}, "basis_not_accepted"),
    "french-phone": ({"phone_country": "FR", "phone_problem": None, "phone_key": "p-2"}, None),
    "french-landline": ({"phone_country": "FR", "phone_problem": "not_mobile", "phone_key": "p-3"}, None),
    "german-landline": (
        {"phone_country": "DE", "phone_problem": "not_mobile", "phone_key": "p-4"}, "basis_not_accepted"),
    "phone-of-nowhere": ({"phone_country": None, "phone_problem": None, "phone_key": "p-5"}, "jurisdiction_unknown"),
    "phone-of-Brazil": (
        {"phone_country": "BR", "phone_problem": None, "phone_key": "p-6"}, "jurisdiction_not_configured"),
    "no-number": ({"phone_problem": "missing"}, None),
    "unusable-number": ({"phone_problem": "invalid", "phone_country": None}, None),
}  # fmt: skip


@cache
def phoned() -> dict[str, Row]:
    return stories({name: {"contact": changes} for name, (changes, _) in PHONED.items()})


@pytest.mark.parametrize("story", PHONED)
def test_the_law_of_address_and_phone_both_apply(story: str) -> None:
    """The stricter wins; a number that cannot be used is in no country."""
    assert phoned()[story]["email_why"] == PHONED[story][1]


def test_the_countries_are_told() -> None:
    """The address's first, each once."""
    assert phoned()["french-phone"]["jurisdictions"] == ["GB", "FR"]
    assert phoned()["no-number"]["jurisdictions"] == ["GB"]


REFUSALS: dict[str, Row] = {
    "years-before": {"state": "withdrawn", "occurred_at": ago(2000)},
    "of-the-newsletter": {"state": "withdrawn", "purpose": "newsletter"},
    "dated-tomorrow": {"state": "withdrawn", "occurred_at": ago(-5)},
    "of-every-brand": {"state": "withdrawn", "brand": "*"},
    "objected": {"state": "objected", "basis": "flag_only"},
}


@cache
def refused() -> dict[str, Row]:
    """Everybody with a good grant beside the refusal."""
    return stories({
        name: {"consents": [consent(f"r-{name}", name), consent(f"s-{name}", name, **refusal)]}
        for name, refusal in REFUSALS.items()
    })  # fmt: skip


@pytest.mark.parametrize("story", REFUSALS)
def test_any_refusal_beats_every_grant(story: str) -> None:
    """Older or newer, for whatever purpose, however badly documented."""
    row = refused()[story]

    assert row["email_why"] == REFUSALS[story]["state"]
    assert row["evidence"]["consent_record_ids"] == [f"r-{story}", f"s-{story}"]


def test_a_refusal_of_another_brand_is_not_ours() -> None:
    """Permission and its withdrawal are per brand."""
    other = consent("r-2", state="withdrawn", brand="finch_gardens")

    assert one(person(consents=[consent(), other]))["email_why"] is None


def test_the_best_record_is_used_and_the_longest_of_equals() -> None:
    """A record that does not count harms nobody, however new it is; of two that do, the one that holds longer."""
    records = [
        consent("r-1", method=None, occurred_at=ago(10)), consent("r-2", occurred_at=ago(400)),
        consent("r-3", occurred_at=ago(200)), consent("r-4", occurred_at=ago(200)),
    ]  # fmt: skip

    assert one(person(consents=records))["email_records"] == ["r-3"]


#: Story, why not once both settings are signed (None: permitted).
SIGNED: dict[str, tuple[Row, str | None]] = {
    "bare-flag": (record("flag_only", "US", evidence_ref=None, method=None, collected_by_brand=None), None),
    "bare-flag-18-months": (record("flag_only", "US", occurred_at=MONTHS_18), "expired"),
    "bare-flag-in-Britain": (record("flag_only"), "unverified"),
    "opt-out-regime": (record("opt_out_regime", "US"), None),
    "opt-out-regime-unproven": (record("opt_out_regime", "US", evidence_ref=None), "no_evidence"),
    "opt-out-regime-in-Canada": (record("opt_out_regime", "CA"), "basis_not_accepted"),
    "evidenced": (record("express", "US"), None),
    "nothing": ({"contact": {"country": "US"}, "consents": []}, "no_record"),
    "unclear": (record("flag_only", "US", state="unknown"), "state_unknown"),
    "withdrawn": (record("flag_only", "US", state="withdrawn"), "withdrawn"),
    "unread": (record(None, "US"), "basis_not_accepted"),
}
SIGNATURES: dict[str, str] = {"flag_only_email": "set-1", "opt_out_email": "set-2"}


@pytest.mark.parametrize("story", SIGNED)
def test_a_signed_setting_accepts_its_basis_where_its_terms_say(story: str) -> None:
    """Nothing else: no other place, no missing or refused record, nothing past its months."""
    how, why = SIGNED[story]
    rows = stories({story: how}, signed=SIGNATURES)

    assert rows[story]["email_why"] == why


@pytest.mark.parametrize(("basis", "signature"), [("flag_only", "set-1"), ("opt_out_regime", "set-2")])
def test_the_signature_stands_among_the_evidence(basis: str, signature: str) -> None:
    """Beside the record it lets count; whoever needs no signature has none."""
    told = {"accepted": record(basis, "US"), "evidenced": record("express", "US")}
    rows = stories(told, signed=SIGNATURES)

    assert rows["accepted"]["email_records"] == ["r-accepted", f"setting:{signature}"]
    assert rows["evidenced"]["email_records"] == ["r-evidenced"]


@pytest.mark.parametrize("signed", [{}, {"opt_out_email": "set-2"}])
def test_one_signature_is_not_the_other(signed: dict[str, str]) -> None:
    """A flag is unverified until the setting about flags is signed."""
    assert one(person(**record("flag_only", "US")), signed=signed)["email_why"] == "unverified"


def test_no_signature_accepts_a_flag_for_a_text_message() -> None:
    """Prior express written consent stays the only one."""
    text = consent(channel="sms", basis="flag_only")
    row = one(person(contact={"country": "US"}, consents=[text]), signed=SIGNATURES)

    assert row["sms_why"] == "unverified"


def test_one_channel_says_nothing_about_the_other() -> None:
    """A text message consent permits no e-mail, and the other way round."""
    row = one(person(consents=[consent(channel="sms")]))

    assert (row["sms_basis"], row["sms_why"]) == ("express", None)
    assert (row["email_basis"], row["email_why"]) == (None, "no_record")


#: By text message: country, basis, conditions on record, why not.
TEXTED: dict[str, tuple[str, str, list[str], str | None]] = {
    "US-written": ("US", "express_written", ["not_condition_of_purchase"], None),
    "US-written-to-buy": ("US", "express_written", ["not_prechecked"], "conditions_missing"),
    "US-express": ("US", "express", ["not_condition_of_purchase"], "basis_not_accepted"),
    "US-double": ("US", "double_opt_in", ["not_condition_of_purchase"], "basis_not_accepted"),
    "CA-express": ("CA", "express", [], None),
    "CA-purchase": ("CA", "implied_purchase", [], None),
    "CA-inquiry": ("CA", "implied_inquiry", [], None),
    "GB-express": ("GB", "express", [], None),
    "GB-soft": ("GB", "soft_opt_in", SOFT, None),
    "GB-purchase": ("GB", "implied_purchase", [], "basis_not_accepted"),
    "DE-double": ("DE", "double_opt_in", [], None),
    "DE-express": ("DE", "express", [], "basis_not_accepted"),
    "DE-soft": ("DE", "soft_opt_in", SOFT, "basis_not_accepted"),
    "FR-express": ("FR", "express", [], None),
    "AU-express": ("AU", "express", [], None),
    "AU-soft": ("AU", "soft_opt_in", SOFT, "basis_not_accepted"),
    "CH": ("CH", "double_opt_in", [], "jurisdiction_not_configured"),
}


@cache
def texted() -> dict[str, Row]:
    return stories({
        name: {"contact": {"country": country}, "consents": [
            consent(f"r-{name}", name, channel="sms", basis=basis, conditions=conditions, confirmed_at=ago(299),
                    event_date=ago(170))
        ]}
        for name, (country, basis, conditions, _) in TEXTED.items()
    })  # fmt: skip


@pytest.mark.parametrize("story", TEXTED)
def test_text_messages_have_their_own_terms(story: str) -> None:
    """In the United States only prior express written consent, which no purchase was made to depend on."""
    assert texted()[story]["sms_why"] == TEXTED[story][3]


def test_an_address_of_two_needs_the_permission_of_both() -> None:
    """Merged contacts: the intersection of consents, by e-mail address and by phone number."""
    texts = {name: [consent(f"t-{name}", name, channel="sms")] for name in ("text-1", "text-2", "talk-1")}
    told: dict[str, Row] = {
        "both-1": {"contact": {"email_key": "both"}}, "both-2": {"contact": {"email_key": "both"}},
        "one-1": {"contact": {"email_key": "one"}}, "one-2": {"contact": {"email_key": "one"}, "consents": []},
        "text-1": {"contact": {"phone_key": "text"}, "consents": texts["text-1"]},
        "text-2": {"contact": {"phone_key": "text"}, "consents": texts["text-2"]},
        "talk-1": {"contact": {"phone_key": "talk"}, "consents": texts["talk-1"]},
        "talk-2": {"contact": {"phone_key": "talk"}, "consents": []},
    }  # fmt: skip
    rows = stories(told)

    assert {name: rows[name]["email_why"] for name in ("both-1", "both-2", "one-1", "one-2")} == {
        "both-1": None, "both-2": None, "one-1": "shared_address", "one-2": "no_record",
    }  # fmt: skip
    assert {name: rows[name]["sms_why"] for name in ("text-1", "text-2", "talk-1", "talk-2")} == {
        "text-1": None, "text-2": None, "talk-1": "shared_address", "talk-2": "no_record",
    }  # fmt: skip
    assert rows["one-1"]["evidence"]["shares_address_with"] == ["one-2"]


@pytest.mark.parametrize("condition", get_args(Condition))
def test_any_condition_may_be_demanded(condition: Condition) -> None:
    """Every one that the rules may name is asked of the records: without it a grant is none, with it it is."""
    terms = Accepted(conditions=(condition,))
    assert [why for why in ("", condition) if _permits(terms, PROOFS, [why])] == [condition]


@pytest.mark.parametrize("field", get_args(EvidenceField))
def test_any_evidence_may_be_demanded(field: EvidenceField) -> None:
    """Every one that the rules may name must be on record."""
    assert _permits(Accepted(), PROOFS, [])
    assert _permits(Accepted(), (field,), [])
    assert not _permits(Accepted(), (field,), [], **{field: None})


@pytest.mark.parametrize(("months", "permitted"), [(1, False), (9, False), (10, True), (None, True)])
def test_a_term_may_be_of_any_length(months: int | None, permitted: bool) -> None:
    """A grant of 300 days ago is over after nine months, not after ten; without months it has no end."""
    assert _permits(Accepted(months=months), PROOFS, []) is permitted


def _permits(accepted: Accepted, evidence: tuple[EvidenceField, ...], conditions: list[str], **changes: Any) -> bool:
    """Whether an express grant permits an e-mail where the rules accept it on these terms and with this evidence."""
    regime = Regime(countries=("GB",), email={"express": accepted}, sms={})
    declared = rules().permission.model_copy(update={"regimes": {"gb": regime}, "evidence": {"express": evidence}})
    row = consent() | changes
    asked = {f"is_{name}": name in conditions for name in get_args(Condition)}
    asked |= {f"has_{name}": row[name] is not None for name in PROOFS}
    records = pa.Table.from_pylist([row | asked | {"right_purpose": True}], schema=RECORDS)
    briton = {"customer_id": "c-1", "country": "GB", "email_shared": False, "phone_shared": False}
    people = frame_of(pa.Table.from_pylist([briton | {"phone_problem": "missing"}], schema=PEOPLE))
    return bool(permissions(people, records, declared, at=AT, planned_on=AT, signed={})["email_ok"][0])


def test_no_records_at_all_is_no_for_everybody() -> None:
    """An empty table of consents permits nobody."""
    decided = decide(together(person(consents=[]), person("c-2", consents=[])))

    assert decided.table["email_why"].to_pylist() == ["no_record", "no_record"]
    assert decided.counts["decisions"] == {"suppress": 2}
