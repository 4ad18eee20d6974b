"""The beginning of a quarter of a company's life through all three playbooks, and whether the books balance at its end.

Customers and accounts buy, click, opt out, complain and are forgotten; owners answer at once, late and never
(``tests.quarter``). The days are played once; every check asks the ledger, the evidence and the
outbox anew, and holds them against what was true.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from tests.quarter.books import Books
from tests.quarter.forbidden import Forbidden
from tests.quarter.playing import ACCOUNTS, FIRST, PLAYBOOKS, REACTIVATION, quarter
from tests.quarter.proving import before_outreach, before_send
from tests.quarter.telling import told

from reactivation.ledger import seals
from reactivation.steps.pilot_report import PilotReport, pilot_report

#: Every morning has all its steps: much longer than any other test.
pytestmark = pytest.mark.timeout(7200)

#: Days, customers and accounts. A day costs seconds, hardly depending on how many they are, so that two weeks are
#: played with all other tests; the whole quarter is asked for as ``REACTIVATION_TEST_QUARTER=90,5000,300``.
SIZE = os.environ.get("REACTIVATION_TEST_QUARTER", "14,500,50")

#: So many days are enough for all that people do seldom.
_LONG = 60
#: A call takes its time, and the clock goes on meanwhile.
_MOMENT = timedelta(minutes=5)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """The quarter, played to its end."""
    days, customers, firms = map(int, SIZE.split(","))
    home = tmp_path_factory.mktemp("quarter")
    made = quarter(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}", customers=customers, accounts=firms)
    for number in range(days):
        made.day(number)
    yield Books(made)
    made.company.workspace.ledger.close()


def test_nobody_is_in_two_playbooks_at_once(books: Books) -> None:
    """Not by an address, whoever shares it, and no account by any of its contacts."""
    world, rows = books.quarter.world, []
    for one in books.enrolments.itertuples():
        people = world.contacts_of[one.account_id] if one.playbook == ACCOUNTS else [world.number[one.customer_id]]
        addresses = {world.email[who] for who in people if "@" in world.email[who]}
        rows += [(address, one.enrolled_at, one.until, one.playbook, one.enrolment_id) for address in addresses]
    held = pd.DataFrame(rows, columns=["address", "began", "until", "playbook", "enrolment_id"])
    held = held.sort_values(["address", "began", "until"])
    before = held.groupby("address")["until"].shift()
    assert held[held["began"] < before].to_dict("records") == []


def test_nobody_hears_from_us_against_his_will(books: Books) -> None:
    """For each message in the outbox: no opt-out, objection, complaint, dead address, open case or flag of anybody at
    its address held at that instant, and a consent for its channel did. So says the world, whatever the ledger says."""
    world, forbidden, wrong = books.quarter.world, Forbidden(books.quarter.world, books.quarter.people), []
    for one in books.sends.itertuples():
        customer = world.number[one.customer_id]
        why = forbidden.why_not(
            customer, one.channel, one.called_at.to_pydatetime(), about_issue=one.purpose == "issue_resolution"
        )
        if why:
            wrong.append((one.playbook, one.number, one.customer_id, str(one.called_at), sorted(why)))
    assert wrong == []


def test_every_message_went_to_its_own_customer(books: Books) -> None:
    """The address in the outbox is one of the customer of its enrolment, and every file is a send that was accepted."""
    world = books.quarter.world
    accepted = books.sends[books.sends["state"] == "accepted"]
    assert set(books.outbox) == set(accepted["send_id"])
    astray = [
        one.send_id for one in accepted.itertuples()
        if one.channel == "email" and one.address != world.email[world.number[one.customer_id]]
    ]  # fmt: skip
    assert astray == []


def test_every_candidate_of_every_day_is_decided_once(books: Books) -> None:
    """One decision each, in the evidence and in the ledger alike; and nobody may be written to by two playbooks."""
    decided = books.decisions
    assert set(decided["decision"]) <= {"enrol", "review", "hold", "suppress"}
    assert not decided.duplicated(["run_id", "customer_id"]).any()
    told_of = books.events[books.events["kind"] == "decision"]
    assert not told_of.duplicated(["run_id", "subject"]).any()
    in_evidence = set(zip(decided["run_id"], decided["customer_id"], strict=True))
    assert in_evidence == set(zip(told_of["run_id"], told_of["subject"], strict=True))
    both = decided.merge(told_of, left_on=["run_id", "customer_id"], right_on=["run_id", "subject"])
    differ = both[both["decision"] != both["outcome"]]
    assert set(differ["decision"]) <= {"enrol", "review"}, "only who may begin waits for a place, or is kept as holdout"
    assert set(differ["outcome"]) <= {"hold", "holdout"}
    may_go = decided[decided["decision"].isin(["enrol", "review"])]
    assert not may_go.duplicated(["day", "customer_id"]).any()


def test_nobody_who_was_active_is_a_candidate(books: Books) -> None:
    """Whoever bought within the shortest window was no candidate of any playbook that day, unless enrolled already."""
    bought = books.facts[books.facts["kind"] == "purchase"]
    decided = books.decisions[~books.decisions["enrolled"] & (books.decisions["playbook"] != ACCOUNTS)]
    seen = decided.merge(bought[["customer_id", "at"]], on="customer_id")
    as_of = FIRST + pd.to_timedelta(seen["day"], unit="D") + timedelta(hours=5)
    wrong = seen[(seen["at"] <= as_of) & (seen["at"] > as_of - timedelta(days=60))]
    assert wrong[["day", "playbook", "customer_id", "at"]].to_dict("records") == []


def test_every_touch_is_accounted_for(books: Books) -> None:
    """Sent with the signature that allows it, or not sent for a reason that holds, or still to come."""
    touches, now, wrong = books.touches, books.quarter.until, []
    active = set(books.enrolments.loc[books.enrolments["state"] == "active", "enrolment_id"])
    verdicts = books.verdicts.groupby("touch_id")["verdict"].agg(set).to_dict()
    sent = books.sends.set_index("touch_id")
    assert sent.index.is_unique
    for one in touches.itertuples():
        said, on = verdicts.get(one.touch_id, set()), one.enrolment_id in active
        fine = {
            "accepted": "signed" in said and one.touch_id in sent.index,
            "rejected": "rejected" in said,
            "expired": one.not_after <= now + _MOMENT * 3 and str(one.reason).startswith("was_"),
            "cancelled": bool(one.reason) and (not on or one.reason == "smaller_step_not_tried"),
            "held": on and one.not_after > now and bool(one.reason),
            "signed": on and one.not_after > now and "signed" in said,
            "planned": on and one.not_after > now, "drafted": on and one.not_after > now,
            "listed": on and one.not_after > now,
        }.get(one.state, False)  # fmt: skip
        if not fine or (one.state != "accepted") != (one.touch_id not in sent.index):
            wrong.append((one.playbook, one.number, one.state, one.reason, str(one.not_after), sorted(said), on))
    assert wrong == []


def test_every_planned_touch_has_come_or_is_to_come(books: Books) -> None:
    """Of each sequence, every touch that was not skipped stands in the ledger, or its enrolment ended before, or its
    day is beyond the horizon."""
    planned = books.plans
    assert planned.loc[planned["state"] == "skipped", "reason"].notna().all()
    planned = planned[planned["state"] == "planned"]
    entered = books.touches[["enrolment_id", "number", "touch_id"]]
    missing = planned.merge(entered, on=["enrolment_id", "number"], how="left")
    missing = missing[missing["touch_id"].isna() & (missing["state_of_enrolment"] == "active")]
    horizon = {name: one["approval"]["horizon_days"] for name, one in books.declared.items()}
    last_run = books.quarter.until.replace(hour=5, minute=5)
    beyond = last_run + pd.to_timedelta(missing["playbook"].map(horizon), unit="D")
    shifted = _late(books).reindex(missing["enrolment_id"]).fillna(pd.Timedelta(0)).to_numpy()
    wrong = missing[missing["not_before"] + shifted <= beyond]
    assert wrong[["playbook", "number", "customer_id", "not_before"]].to_dict("records") == []


def _late(books: Books) -> pd.Series:
    """By enrolment, how much later than planned its touches stand: what comes after a late one moves with it."""
    at = books.sends.set_index("touch_id")["called_at"]
    real = books.touches.assign(at=books.touches["touch_id"].map(at).fillna(books.touches["not_before"]))
    both = real.merge(books.plans[["enrolment_id", "number", "not_before"]], on=["enrolment_id", "number"],
                      suffixes=("", "_planned"))  # fmt: skip
    return (both["at"] - both["not_before_planned"]).groupby(both["enrolment_id"]).max().clip(lower=pd.Timedelta(0))


def test_what_was_sent_is_what_was_signed(books: Books) -> None:
    """Every message has a signature that counts of an owner, before its intent and within three days, over exactly
    these bytes; a message with an offer has another one over the offer, by its approver."""
    said = books.verdicts[(books.verdicts["verdict"] == "signed") & books.verdicts["accepted"].astype(bool)]
    assert (said["recorded_at"] < said["expires_at"]).all()
    both = books.sends.merge(said, on="touch_id", suffixes=("", "_of_list"))
    both = both[(both["draft_digest"] == both["draft_digest_of_list"]) & (both["recorded_at"] <= both["intended_at"])]
    content = both[(both["kind"] == "content") & both["responder"].isin(["ada", "ben"])]
    offers = both[(both["kind"] == "offer") & (both["responder"] == "olu")]
    assert set(content["touch_id"]) == set(books.sends["touch_id"])
    assert set(books.sends.loc[books.sends["offer_id"].notna(), "touch_id"]) <= set(offers["touch_id"])


def test_waits_and_caps_are_kept(books: Books) -> None:
    """Per person 48 hours between any two messages, one text a day and two a week; within a sequence the days its
    playbook declares, counted from what was really sent; never before the window of a touch or after it."""
    sends = books.sends
    assert ((sends["called_at"] >= sends["not_before"]) & (sends["called_at"] < sends["not_after"])).all()
    by_customer = sends.groupby("customer_id")["called_at"].diff().dropna()
    by_address = sends.groupby("address")["called_at"].diff().dropna()
    assert (by_customer >= timedelta(hours=48)).all() and (by_address >= timedelta(hours=48)).all()
    texts = sends[sends["channel"] == "sms"].groupby("address")["called_at"]
    assert (texts.diff(2).dropna() >= timedelta(days=7)).all()
    wrong = []
    for (playbook, enrolment_id), mine in sends.groupby(["playbook", "enrolment_id"]):
        days = {one["number"]: one["day"] for one in books.declared[str(playbook)]["touches"]}
        for earlier, later in pairwise(mine.sort_values("called_at").itertuples()):
            zone = ZoneInfo(later.zone)
            apart = later.called_at.astimezone(zone).date() - earlier.called_at.astimezone(zone).date()
            if later.number <= earlier.number or apart.days < days[later.number] - days[earlier.number]:
                wrong.append((playbook, enrolment_id, earlier.number, later.number, apart.days))
    assert wrong == []


def test_messages_arrive_in_working_hours(books: Books) -> None:
    """Between ten and five on a weekday where the customer lives, and not at Christmas or on New Year's day."""
    world = books.quarter.world
    contacts = world.tables["contacts"]
    zones = dict(zip(contacts["customer_id"].to_pylist(), contacts["timezone"].to_pylist(), strict=True))
    wrong = []
    for one in books.sends.itertuples():
        for zone in {one.zone, zones[one.customer_id]} - {None}:
            at = one.called_at.astimezone(ZoneInfo(zone))
            holiday = (at.month, at.day) in ((12, 25), (1, 1))
            if not 10 <= at.hour < 17 or at.weekday() > 4 or holiday:
                wrong.append((one.customer_id, zone, str(at)))
    assert wrong == []


def test_enrolments_ended_for_what_really_happened(books: Books) -> None:
    """Who bought is *reactivated*, who came back otherwise *re-engaged*, who had not been written to came by himself;
    who said no has not responded; and whoever is still active did none of it."""
    wrong: list[Any] = []
    first = books.sends.groupby("enrolment_id")["called_at"].min()
    noes = _noes_by_customer(books)
    for one in books.enrolments.itertuples():
        kinds = books.exits(one.playbook)
        counted = kinds if one.state == "ended" else kinds - {"open"}
        until = None if one.state == "ended" else books.quarter.until
        did = books.did(one, counted, until)
        bought = (did["kind"] == "purchase").any()
        contacted = one.enrolment_id in first.index and first[one.enrolment_id] <= one.until
        said_no = any(at <= one.until for at in noes.get(one.customer_id, ()))
        by_itself = did["kind"].ne("open").any()
        fine = {
            "reactivated": bought and contacted,
            "re_engaged": len(did) > 0 and not bought and contacted,
            "returned_unprompted": len(did) > 0 and not contacted,
            "no_response": contacted and not by_itself, "cut_short": contacted and not by_itself,
            "not_contacted": not contacted and not by_itself,
            "opted_out": said_no, "complained": said_no, "unreachable": said_no, "suppressed": said_no,
            "owner_to_decide": said_no,
        }.get(one.exit_reason, True) if one.state == "ended" else did.empty  # fmt: skip
        if not fine:
            wrong.append((one.playbook, one.customer_id, one.exit_reason, str(one.enrolled_at), str(one.until),
                          did[["kind", "at"]].astype(str).to_numpy().tolist()))  # fmt: skip
    assert wrong == []


def _noes_by_customer(books: Books) -> dict[str, list[Any]]:
    """When each customer said no in the quarter, shared addresses and colleagues included."""
    world, found = books.quarter.world, {}
    for no in world.noes:
        if no.how == "case":
            continue
        account = world.account[no.customer]
        of_account = world.contacts_of[account] if account is not None else []
        for who in {no.customer, *world.by_email[world.email[no.customer]], *of_account}:
            found.setdefault(world.ids[who], []).append(no.at)
    return found


def test_tags_are_on_those_who_did_not_respond(books: Books) -> None:
    """Whoever got the last message of a sequence and did not come back bears its tag, and nobody else; it is taken off
    from who bought afterwards."""
    declared = {name: one["no_response_tag"] for name, one in books.declared.items()}
    sent = set(zip(books.sends["enrolment_id"], books.sends["number"], strict=True))
    planned = books.plans[books.plans["state"] == "planned"]
    last = planned.groupby("enrolment_id")["number"].max()
    tags = books.table("tags")
    borne = {(one.customer_id, one.tag, one.set_at): one.removed_at for one in tags.itertuples()}
    expected, wrong = {}, []
    for one in books.enrolments[books.enrolments["exit_reason"] == "no_response"].itertuples():
        if one.playbook != ACCOUNTS and (one.enrolment_id, last[one.enrolment_id]) not in sent:
            wrong.append(("not the last message", one.playbook, one.customer_id))
        after = books.did(one, {"purchase"}, books.quarter.until)
        expected[one.customer_id, declared[one.playbook], one.ended_at] = after["at"].min()
    assert wrong == []
    assert borne.keys() == expected.keys()
    for key, bought in expected.items():
        assert pd.notna(borne[key]) == pd.notna(bought), key
        assert pd.isna(bought) or borne[key] >= bought, key


def test_offer_codes_balance(books: Books) -> None:
    """Each code stands once: given out with a message that has it in its words, kept for one still to come, or back;
    no more were given out than there are, nor more than the budget pays; and only these were redeemed."""
    codes = books.table("offer_codes").merge(books.touches[["touch_id", "state"]], on="touch_id", suffixes=("", "_of"))
    assert codes["code"].is_unique
    assert len(codes) == len(books.table("offer_codes"))
    by_state = {
        "committed": {"accepted"}, "released": {"expired", "cancelled", "rejected"},
        "reserved": {"planned", "drafted", "listed", "signed", "held"},
    }  # fmt: skip
    wrong = [
        (one.code, one.state, one.state_of) for one in codes.itertuples() if one.state_of not in by_state[one.state]
    ]
    assert wrong == []
    sent = codes[codes["state"] == "committed"].merge(books.sends[["touch_id", "send_id"]], on="touch_id")
    assert [one.code for one in sent.itertuples() if one.code not in books.body(one.send_id)] == []
    offers = {row["offer_id"]: row for row in books.quarter.world.tables["offers"].to_pylist()}
    for offer_id, used in Counter(codes.loc[codes["state"] != "released", "offer_id"]).items():
        assert used <= (offers[offer_id]["codes_available"] or used)
        assert used * offers[offer_id]["unit_cost"] <= offers[offer_id]["budget"]
    redeemed = books.quarter.world.tables["purchases"].to_pandas()
    redeemed = redeemed[redeemed["purchase_id"].str.startswith("pur-q") & redeemed["offer_code"].notna()]
    assert set(redeemed["offer_code"]) <= set(sent["code"])


@pytest.mark.parametrize("playbook", [REACTIVATION, ACCOUNTS])
def test_a_pilots_proof_is_what_anybody_can_count(books: Books, playbook: str) -> None:
    """Threshold, counter-examples and verdict, counted out of the tables by other hands, are those of the report."""
    report = _report(books, playbook)
    proof = report.threshold
    expected = before_send(books) if playbook == REACTIVATION else before_outreach(books)
    assert {row.subject: row.sends for row in proof.rows} == {one: sends for one, (_, sends) in expected.items()}
    assert {row.subject for row in proof.counter_examples} == {
        one for one, (passes, _) in expected.items() if not passes
    }
    passed = sum(passes for passes, _ in expected.values())
    assert (proof.passed, proof.of) == (passed, len(expected))
    assert proof.verdict == ("proven" if expected and passed >= proof.threshold * len(expected) else proof.verdict)


def _report(books: Books, playbook: str) -> PilotReport:
    return pilot_report(books.quarter.company.workspace, playbook, books.quarter.until + _MOMENT)


def test_the_trail_is_whole(books: Books) -> None:
    with books.quarter.company.workspace.ledger.begin() as conn:
        assert seals.verify(conn).intact


def test_something_of_everything_happened(books: Books, record_property: Any) -> None:
    """Else the other checks would prove nothing. Prints what happened."""
    pilots = {playbook: _report(books, playbook).threshold for playbook in (REACTIVATION, ACCOUNTS)}
    record_property("table", told(books, pilots))
    assert set(books.enrolments["playbook"]) == set(PLAYBOOKS)
    assert set(books.sends["playbook"]) == set(PLAYBOOKS)
    assert set(books.sends["channel"]) == {"email", "sms"}
    exits = {"reactivated", "re_engaged", "opted_out", "no_response"}
    assert exits <= set(books.enrolments["exit_reason"].dropna())
    assert {"accepted", "expired", "cancelled"} <= set(books.touches["state"])
    decided = set(books.table("account_decisions")["decision"])
    assert {"approve", "hold_until", "monitor"} <= decided
    if len(books.quarter.runs) >= _LONG:  # what hardly happens in two weeks
        assert "rejected" in set(books.touches["state"])
        assert "close" in decided
        assert books.table("tags")["removed_at"].notna().any()
