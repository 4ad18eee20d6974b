"""The drafting step: what it writes, what it holds, and that it says the same twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, an_id
from tests.steps.drafting import LATER, REWARD, House, claim, contact, decision, offer, person, product

from reactivation.contract.digests import item_digest
from reactivation.ledger import touches
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import metadata, offer_codes, steps
from reactivation.messages.drafts import DRAFTS, Drafter, DueTouch
from reactivation.steps import draft as module
from reactivation.steps.draft import draft_run

AGAIN = an_id("another run")
ADA, BEN, CEM = {"customer": "c-ada"}, {"customer": "c-ben"}, {"customer": "c-cem"}
ADA_REWARD, BEN_REWARD = ADA | REWARD, BEN | REWARD


@pytest.fixture
def house(tmp_path: Path, ledger: Ledger) -> House:
    return House(tmp_path, ledger)


def drafts(house: House, run_id: str = RUN_ID) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = house.workspace.run_folder(run_id).read("drafts").to_pylist()
    return rows


def by_customer(house: House) -> dict[tuple[str, int], touches.Touch]:
    with house.ledger.begin() as conn:
        rows = conn.execute(touches.select_touches()).all()
    return {(row.customer_id, row.number): touches.Touch(**row._mapping) for row in rows}


def codes(house: House) -> dict[str, str]:
    with house.ledger.begin() as conn:
        return {row.touch_id: row.code for row in conn.execute(select(offer_codes))}


class TestDrafted:
    def test_bytes_go_to_the_file_and_digests_to_the_ledger(self, house: House) -> None:
        """One row per touch in order of its id; the ledger knows the digest and whose file has the bytes."""
        house.open(ADA, ADA_REWARD, BEN)
        counts = draft_run(house.workspace, RUN_ID, NOW)
        assert counts == {"due": 3, "drafted": 3, "held": 0, "codes": 1}
        rows = drafts(house)
        assert [row["touch_id"] for row in rows] == sorted(row["touch_id"] for row in rows)
        assert house.workspace.run_folder(RUN_ID).read("drafts").schema.equals(DRAFTS)
        for row in rows:
            touch = by_customer(house)[row["customer_id"], row["number"]]
            assert (touch.state, touch.draft_run_id, touch.draft_digest) == ("drafted", RUN_ID, row["digest"])
            assert item_digest(row) == row["digest"]
            assert row["basis_records"] == [f"r-{row['customer_id']}"]
            assert row["recipient"] == f"{row['customer_id'].removeprefix('c-')}@mail.test"

    def test_a_reward_has_its_code_reserved(self, house: House) -> None:
        """The code in the bytes is the code in the ledger, and touches without offer have none."""
        house.open(ADA, ADA_REWARD)
        draft_run(house.workspace, RUN_ID, NOW)
        with_code = {row["touch_id"]: row["code"] for row in drafts(house) if row["offer_id"]}
        assert codes(house) == with_code
        assert all(row["code"] in row["text"] for row in drafts(house) if row["offer_id"])

    def test_an_offer_that_needs_no_code_reserves_none(self, house: House) -> None:
        """``codes_available`` empty means that the reward is not redeemed by code."""
        house.offers = [offer(codes_available=None)]
        house.open(ADA_REWARD)
        assert draft_run(house.workspace, RUN_ID, NOW)["codes"] == 0
        assert codes(house) == {}
        assert drafts(house)[0]["code"] is None

    def test_the_step_is_recorded_with_its_counts(self, house: House) -> None:
        """What the next step asks for: success on the manifest that has the drafts; and every quality gate holds."""
        house.open(ADA)
        counts = draft_run(house.workspace, RUN_ID, NOW)
        with house.ledger.begin() as conn:
            step = conn.execute(select(steps).where(steps.c.step == "draft")).one()
        of_quality = {name: count for name, count in step.counts.items() if name.startswith("quality:")}
        assert (step.state, step.counts) == ("succeeded", counts | of_quality)
        assert len(of_quality) == 10
        assert set(of_quality.values()) == {0}
        assert step.manifest_digest == house.workspace.run_folder(RUN_ID).manifest_digest

    def test_nothing_due_is_an_empty_file(self, house: House) -> None:
        """A quiet day ends like any other."""
        house.open()
        assert draft_run(house.workspace, RUN_ID, NOW) == {"due": 0, "drafted": 0, "held": 0, "codes": 0}
        assert drafts(house) == []

    def test_the_deadline_can_still_be_kept(self, house: House) -> None:
        """A touch drafted when its window has begun counts from the next moment it may go out."""
        begun = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=3)}
        house.open(ADA_REWARD, BEN_REWARD | begun)
        draft_run(house.workspace, RUN_ID, NOW)
        deadline = {row["customer_id"]: row["deadline"] for row in drafts(house)}
        assert deadline == {
            "c-ada": REWARD["not_before"] + timedelta(hours=72), "c-ben": NOW + timedelta(hours=72),
        }  # fmt: skip


class TestManyAtOnce:
    TOUCHES = (ADA, ADA_REWARD, BEN, BEN_REWARD, CEM, {"customer": "c-dov"})

    def test_how_many_at_once_does_not_show(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """Looked up, rendered and entered by twos and ones: the same drafts, holds, codes and ledger."""
        house.people["c-ben"]["first_name"] = "{{ 6*7 }}"
        house.open(*self.TOUCHES)
        counts = draft_run(house.workspace, RUN_ID, NOW)
        whole, ledger, reserved = drafts(house), by_customer(house), codes(house)
        for name, rows in (("_LOOKED_UP_AT_ONCE", 4), ("_ROWS_AT_ONCE", 2), ("_ENTERED_AT_ONCE", 1)):
            monkeypatch.setattr(module, name, rows)
        house.open(run_id=AGAIN)
        assert draft_run(house.workspace, AGAIN, NOW) == counts
        assert (drafts(house, AGAIN), codes(house)) == (whole, reserved)
        again = {
            key: replace(touch, draft_run_id=ledger[key].draft_run_id) for key, touch in by_customer(house).items()
        }
        assert again == ledger

    def test_broken_off_it_leaves_nothing_and_may_be_done_again(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever was written before is neither in the folder nor in the ledger."""
        monkeypatch.setattr(module, "_ROWS_AT_ONCE", 2)
        house.open(*self.TOUCHES)
        before = by_customer(house)
        rendered = Drafter.draft

        def fails(drafter: Drafter, due: DueTouch) -> dict[str, Any]:
            if due.customer_id == "c-dov":
                raise MemoryError
            return rendered(drafter, due)

        monkeypatch.setattr(Drafter, "draft", fails)
        with pytest.raises(MemoryError):
            draft_run(house.workspace, RUN_ID, NOW)
        folder = house.workspace.run_folder(RUN_ID)
        assert not folder.has("drafts")
        assert [file.name for file in folder.path.iterdir() if "drafts" in file.name] == []
        assert (by_customer(house), codes(house)) == (before, {})
        monkeypatch.setattr(Drafter, "draft", rendered)
        assert draft_run(house.workspace, RUN_ID, NOW)["drafted"] == len(self.TOUCHES)


class TestHeld:
    @pytest.mark.parametrize(("change", "reason"), [
        (lambda h: h.decisions.update({"c-ada": decision("c-ada", decision="hold")}), "decision:hold"),
        (lambda h: h.decisions.pop("c-ada"), "decision:none"),
        (lambda h: h.decisions["c-ada"].update(email_basis=None), "channel_not_permitted"),
        (lambda h: h.decisions["c-ada"].update(gate_reachable="drop:email"), "channel_dropped"),
        (lambda h: h.contacts.update({"c-ada": contact("c-ada", email_key="f" * 64)}), "address_changed"),
        (lambda h: h.contacts.update({"c-ada": contact("c-ada", zones=[], zone_sources=[])}), "no_legal_instant"),
        (lambda h: h.people.pop("c-ada"), "recipient_missing"),
        (lambda h: h.people.update({"c-ada": person("c-ada", first_name="A\nBcc: b@c")}), "personalisation_unsafe"),
        (lambda h: h.people.update({"c-ada": person("c-ada", first_name="{{ 6*7 }}")}), "personalisation_unsafe"),
        (lambda h: h.offers.clear(), "offer_unknown"),
        (lambda h: h.offers[0].update(ends_at=LATER), "offer_not_running"),
        (lambda h: h.offers[0].update(terms="15% of a usual visit"), "lint:percent_in_reward"),
        (lambda h: h.offers[0].update(codes_available=0), "offer_used_up"),
        (lambda h: h.offers[0].update(budget=9), "offer_used_up"),
    ])  # fmt: skip
    def test_what_cannot_be_drafted_whole_is_held(
        self, house: House, change: Callable[[House], Any], reason: str
    ) -> None:
        """No half-drafted touch: not in the file, no code, no digest; the reason is counted and in the ledger."""
        change(house)
        house.open(ADA_REWARD, BEN)
        counts = draft_run(house.workspace, RUN_ID, NOW)
        assert counts == {"due": 2, "drafted": 1, "held": 1, "codes": 0, f"held:{reason}": 1}
        assert [row["customer_id"] for row in drafts(house)] == ["c-ben"]
        touch = by_customer(house)["c-ada", 3]
        assert (touch.state, touch.reason, touch.draft_digest) == ("held", reason, None)
        assert codes(house) == {}

    def test_a_window_that_ends_first_is_held(self, house: House) -> None:
        """Nothing is asked that could not be sent any more."""
        evening = NOW.replace(hour=18)
        house.open(ADA | {"not_before": NOW - timedelta(days=4), "not_after": evening + timedelta(hours=1)})
        assert draft_run(house.workspace, RUN_ID, evening)["held:window_over"] == 1

    def test_who_rests_from_the_last_message_is_drafted(self, house: House) -> None:
        """The cap of this moment says nothing about the moment the touch is due."""
        house.decisions["c-ada"] |= {"decision": "hold", "reason_codes": ["timing:cap"]}
        house.decisions["c-ben"] |= {"decision": "hold", "reason_codes": ["open_issue:open_case", "timing:cap"]}
        house.open(ADA, BEN)
        counts = draft_run(house.workspace, RUN_ID, NOW)
        assert (counts["drafted"], counts["held:decision:hold"]) == (1, 1)

    def test_codes_go_to_the_earliest(self, house: House) -> None:
        """With one code left, whoever is due first has it."""
        house.offers = [offer(codes_available=1)]
        house.open(ADA_REWARD, BEN_REWARD | {"not_before": REWARD["not_before"] - timedelta(hours=1)})
        draft_run(house.workspace, RUN_ID, NOW)
        assert [row["customer_id"] for row in drafts(house)] == ["c-ben"]

    def test_a_held_touch_is_drafted_when_mended(self, house: House) -> None:
        """The next run begins afresh; a hold is no verdict."""
        house.open(ADA | {"state": "held", "reason": "address_changed"})
        draft_run(house.workspace, RUN_ID, NOW)
        touch = by_customer(house)["c-ada", 1]
        assert (touch.state, touch.reason) == ("drafted", None)


class TestAgain:
    @pytest.mark.parametrize("state", ["listed", "signed", "rejected", "claimed", "accepted", "expired", "cancelled"])
    def test_what_is_asked_signed_or_over_is_left_alone(self, house: House, state: str) -> None:
        """A signature is for bytes that nobody replaces."""
        house.open(ADA | {"state": state, "draft_digest": "d" * 64})
        assert draft_run(house.workspace, RUN_ID, NOW)["due"] == 0
        touch = by_customer(house)["c-ada", 1]
        assert (touch.state, touch.draft_digest) == (state, "d" * 64)

    def test_a_later_run_drafts_afresh_with_the_same_code(self, house: House) -> None:
        """Existing enrolments are drafted by every run, and nobody gets a second code."""
        house.open(ADA_REWARD)
        draft_run(house.workspace, RUN_ID, NOW)
        before = codes(house)
        house.open(run_id=AGAIN)
        counts = draft_run(house.workspace, AGAIN, NOW)
        assert (counts["drafted"], codes(house)) == (1, before)
        assert by_customer(house)["c-ada", 3].draft_run_id == AGAIN
        assert drafts(house, AGAIN) == drafts(house, RUN_ID)

    def test_a_step_is_done_once(self, house: House) -> None:
        """Running it again on the same run is refused."""
        house.open(ADA)
        draft_run(house.workspace, RUN_ID, NOW)
        with pytest.raises(StepError):
            draft_run(house.workspace, RUN_ID, NOW)


class TestDryRun:
    def test_writes_evidence_and_nothing_else(self, house: House) -> None:
        """Same rendering and checks; no touch, no code, no enrolment."""
        house.people["c-ben"]["first_name"] = "B\x00"
        house.open(ADA, ADA_REWARD, BEN, CEM | {"in_horizon": False}, dry=True)
        counts = draft_run(house.workspace, RUN_ID, NOW)
        assert counts == {"due": 3, "drafted": 2, "held": 1, "codes": 1, "held:personalisation_unsafe": 1}
        assert {row["customer_id"] for row in drafts(house)} == {"c-ada"}
        assert (by_customer(house), codes(house)) == ({}, {})


class TestRefusals:
    def test_the_plan_must_have_ended(self, house: House) -> None:
        """A step reads in the ledger that the one before it succeeded."""
        house.open(ADA)
        with house.ledger.begin() as conn:
            conn.execute(steps.delete())
        with pytest.raises(StepError, match="step plan has not ended"):
            draft_run(house.workspace, RUN_ID, NOW)

    def test_the_files_must_be_those_the_plan_left(self, house: House) -> None:
        """A file slipped into the folder stops the run."""
        house.open(ADA)
        house.workspace.run_folder(RUN_ID).add_file("more.json", {"a": 1})
        with pytest.raises(StepError, match="not those that step plan left"):
            draft_run(house.workspace, RUN_ID, NOW)

    def test_the_playbook_must_be_the_one_the_run_began_with(self, house: House) -> None:
        """An edit in the middle of a run would be signed under the wrong digest."""
        house.open(ADA)
        file = house.workspace.settings.playbooks / f"{PLAYBOOK}.yaml"
        file.write_text(file.read_text() + "# edited\n")
        with pytest.raises(StepError, match="was changed since the run began"):
            draft_run(house.workspace, RUN_ID, NOW)
        assert not house.workspace.run_folder(RUN_ID).has("drafts")


def test_no_name_or_address_enters_the_ledger(house: House) -> None:
    """Ids, codes and counts only, drafted or held."""
    house.people["c-ben"]["first_name"] = "Zebedee https://x.test"
    house.people["c-ada"]["first_name"] = "Philippa"
    house.open(ADA, BEN)
    draft_run(house.workspace, RUN_ID, NOW)
    with house.ledger.begin() as conn:
        said = " ".join(str(conn.execute(select(table)).all()) for table in metadata.sorted_tables)
    assert "drafted" in said
    for personal in ("Philippa", "Zebedee", "mail.test", "Hello"):
        assert personal not in said


RELEVANCE: dict[str, Any] = {"number": 2, "pattern": "relevance", "purpose": "recommendation"}
TRUST: dict[str, Any] = {"number": 4, "pattern": "trust", "purpose": "proof"}


def reasons(house: House) -> set[str | None]:
    return {touch.reason for touch in by_customer(house).values()}


class TestRecommendations:
    @pytest.mark.parametrize(("products", "bought", "named"), [
        ([product("p-2"), product("p-1")], "", "Boiler p-1"),
        ([product("p-1", in_stock=False), product("p-2")], "", "Boiler p-2"),
        ([product("p-1", in_stock=None), product("p-2")], "", "Boiler p-2"),
        ([product("p-1", url=None), product("p-2")], "", "Boiler p-2"),
        ([product("p-1"), product("p-2")], "p-1", "Boiler p-2"),
        ([product("p-1"), product("p-2")], "Boiler p-1", "Boiler p-2"),
        ([product("p-1")], "p-1", "Boiler p-1"),
        ([product("p-1", category="gardens"), product("p-2", category=" Heating ")], "", "Boiler p-2"),
    ])  # fmt: skip
    def test_is_the_first_in_stock_of_what_the_customer_likes(
        self, house: House, *, products: list[dict[str, Any]], bought: str, named: str
    ) -> None:
        """With a page before without, another than was bought last where there is one, then by id."""
        house.products = products
        house.bought_last = {"c-ada": bought} if bought else {}
        house.open(ADA | RELEVANCE)
        draft_run(house.workspace, RUN_ID, NOW)
        [draft] = drafts(house)
        assert draft["subject"] == f"{named}, if it helps"

    @pytest.mark.parametrize(("changes", "products"), [
        ({"product_affinity": "unknown"}, [product("p-1")]), ({"product_affinity": "gutters"}, [product("p-1")]),
        ({}, [product("p-1", in_stock=False)]), ({}, []),
    ])  # fmt: skip
    def test_nothing_that_fits_is_held(
        self, house: House, changes: dict[str, Any], products: list[dict[str, Any]]
    ) -> None:
        """No affinity, another shelf, out of stock: the touch waits for a reason, not for a guess."""
        house.products = products
        house.decisions["c-ada"].update(changes)
        house.open(ADA | RELEVANCE)
        draft_run(house.workspace, RUN_ID, NOW)
        assert drafts(house) == []
        assert reasons(house) == {"product_missing"}


class TestClaims:
    @pytest.mark.parametrize(("claims", "chosen"), [
        ([claim("m-2"), claim("m-1")], "m-1"),
        ([claim("m-1"), claim("m-2", audience_category="heating")], "m-2"),
        ([claim("m-1", audience_category="gardens"), claim("m-2")], "m-2"),
        ([claim("m-1", captured_at=NOW - timedelta(days=9)), claim("m-2")], "m-2"),
        ([claim("m-1", valid_until=LATER), claim("m-2", captured_at=NOW - timedelta(days=9))], "m-2"),
        ([claim("m-1", rights_ok=False), claim("m-2", reviewed_at=None), claim("m-3", kind="review")], "m-3"),
    ])  # fmt: skip
    def test_is_about_what_the_customer_likes_or_about_everybody(
        self, house: House, claims: list[dict[str, Any]], chosen: str
    ) -> None:
        """The own category first, then the latest evidence, then the id; reviewed, with rights, and true till then."""
        house.claims = claims
        house.open(ADA | TRUST)
        draft_run(house.workspace, RUN_ID, NOW)
        [draft] = drafts(house)
        assert [one["claim_id"] for one in draft["claims"]] == [chosen]
        assert item_digest({**draft, "claims": []}) != draft["digest"]

    @pytest.mark.parametrize(("claims", "reason"), [
        ([], "claim_missing"), ([claim("m-1", audience_category="gardens")], "claim_missing"),
        ([claim("m-1", text_ref="texts/clm-unwritten.txt")], "claim_text_missing"),
        ([claim("m-1", text_ref="../owners.yaml")], "claim_text_missing"),
    ])  # fmt: skip
    def test_nothing_proven_is_held(self, house: House, claims: list[dict[str, Any]], reason: str) -> None:
        """No claim that fits, or one without words."""
        house.claims = claims
        house.open(ADA | TRUST)
        draft_run(house.workspace, RUN_ID, NOW)
        assert drafts(house) == []
        assert reasons(house) == {reason}


class TestTextMessages:
    def test_goes_to_the_number_on_its_own_permission(self, house: House) -> None:
        """Recipient, key and consent records are those of the channel."""
        house.decisions["c-ada"].update(sms_basis="express_written", sms_records=["s-ada"])
        house.open(ADA | {"channel": "sms", "address_key": house.contacts["c-ada"]["phone_key"]})
        draft_run(house.workspace, RUN_ID, NOW)
        [draft] = drafts(house)
        assert (draft["channel"], draft["recipient"], draft["basis_records"]) == ("sms", "+447700900456", ["s-ada"])
        assert [draft["subject"], draft["html"]] == [None, None]

    @pytest.mark.parametrize(("changes", "reason"), [
        ({"sms_basis": None}, "channel_not_permitted"), ({"gate_reachable": "drop:sms"}, "channel_dropped"),
    ])  # fmt: skip
    def test_without_its_own_permission_is_held(self, house: House, changes: dict[str, Any], reason: str) -> None:
        """A permission for e-mail is none for text messages."""
        house.decisions["c-ada"].update({"sms_basis": "express_written", "sms_records": ["s-ada"]} | changes)
        house.open(ADA | {"channel": "sms", "address_key": house.contacts["c-ada"]["phone_key"]})
        draft_run(house.workspace, RUN_ID, NOW)
        assert drafts(house) == []
        assert reasons(house) == {reason}
