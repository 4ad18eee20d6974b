"""An erased person is unsendable from then on, and gone from every file that had a name, an address or a message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from tests.builders import account, case, contact
from tests.sending import NOW, Ready, source_tables
from tests.steps.six import NOW as SIX_NOW
from tests.steps.six import Six

from reactivation.ledger import erasures, holds, seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import audit, metadata, suppressions
from reactivation.steps.audit import verify_audit
from reactivation.steps.dispatch import dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.erase import Erased, erase
from reactivation.steps.explain import explain_customer
from reactivation.steps.folders import all_folders
from reactivation.steps.plan import plan_run
from reactivation.steps.purge import purge
from reactivation.steps.snapshot import take_snapshot
from reactivation.steps.workspace import Workspace

ANN = "ann.hart@gmail.com"


def forget(ready: Ready, customer_id: str | None = None, address: str | None = None, **how: Any) -> Erased:
    asked = {"user": "cleo", "reason": "person_asked", "now": NOW, **how}
    return erase(ready.workspace, customer_id=customer_id, address=address, **asked)


def personal(workspace: Workspace) -> str:
    """Everything the personal files say, as text; each is checked against its manifest on the way."""
    names = [(folder, name) for folder in all_folders(workspace) for name in ("people", "drafts") if folder.has(name)]
    return "\n".join(str(folder.read(name).to_pylist()) for folder, name in names).lower()


def trail(workspace: Workspace, *actions: str) -> list[Any]:
    query = select(audit.c.actor, audit.c.subject, audit.c.action, audit.c.details).where(audit.c.action.in_(actions))
    with workspace.ledger.begin() as conn:
        return list(conn.execute(query.order_by(audit.c.seq)))


def table_counts(workspace: Workspace) -> dict[str, int]:
    with workspace.ledger.begin() as conn:
        return {
            name: conn.scalar(select(func.count()).select_from(table)) or 0 for name, table in metadata.tables.items()
        }


def key_of(workspace: Workspace, address: str) -> str:
    return workspace.keys.key_of(address)


class TestWhatGoes:
    @pytest.mark.parametrize("asked", [{"customer_id": "c-ann"}, {"address": f" <{ANN.upper()}> \n"}])
    def test_name_address_and_messages_are_gone_from_every_file(self, ready: Ready, asked: dict[str, str]) -> None:
        """By id and by address alike; nobody else's, and every folder verifies."""
        before = personal(ready.workspace)
        assert "ann.hart" in before
        forget(ready, **asked)
        after = personal(ready.workspace)
        assert "c-ann" not in after
        assert "ann.hart" not in after
        assert after.count("bob.hart") == before.count("bob.hart") > 0
        for folder in all_folders(ready.workspace):
            folder.verify()

    def test_dry_run_says_what_would_go_and_what_would_stay_and_changes_nothing(self, ready: Ready) -> None:
        """The same files, rows and counts as the erasure after it; not a row of the ledger."""
        dispatch(ready.workspace, NOW)
        before = personal(ready.workspace), table_counts(ready.workspace)
        would = forget(ready, "c-ann", dry=True)
        assert (personal(ready.workspace), table_counts(ready.workspace)) == before
        assert would.stays == {"addresses as HMACs": would.addresses, "enrolments": 1, "sends": 1}
        assert replace(would, dry=False, stays=None) == forget(ready, "c-ann")
        assert forget(ready, "c-ann", dry=True).taken_out == ()

    def test_old_digest_new_digest_and_reason_are_on_record_and_sealed(self, ready: Ready) -> None:
        """For each file, with who erased."""
        forget(ready, "c-ann")
        rows = trail(ready.workspace, "evidence_rewritten")
        assert {row.actor for row in rows} == {"cleo"}
        told = {json.loads(row.details)["file"]: json.loads(row.details) for row in rows}
        assert set(told) == {"people.parquet", "drafts.parquet"}
        for folder in all_folders(ready.workspace):
            for made in folder.rewrites:
                assert (told[made.file]["old"], told[made.file]["new"]) == (folder.files[made.file], made.new)
                assert told[made.file]["reason"] == "erasure"
        report = verify_audit(ready.workspace)
        assert (report.intact, report.unsealed_rows) == (True, 0)

    def test_rows_set_aside_are_gone_when_they_name_the_person(self, tmp_path: Path, ledger: Ledger) -> None:
        """By id or by address, however it was written; those of others stay."""
        six = Six(tmp_path / "home", ledger)
        broken = {"country": "Nowhere", "language": None}
        six.write(contacts=[
            contact("c-ada", phone="+447400123456"), contact("c-ben"),
            contact("c-x", email="ADA.HART@GMAIL.COM", **broken),
            contact("c-y", email="yan.hart@gmail.com", phone="07400 654321", created_at="soon"),
            contact("c-z", email=None, phone="07400 123456", created_at="soon"),
        ], cases=[
            case("k-1", customer_id="c-ada", opened_at=None), case("k-2", customer_id="c-ben", opened_at=None),
        ])  # fmt: skip
        six.snapshot()
        before = personal(six.workspace)
        assert "k-1" in before
        assert "c-x" in before
        erase(six.workspace, customer_id="c-ada", user="cleo", reason="authority", now=SIX_NOW)
        after = personal(six.workspace)
        for word in ("ada", "k-1", "c-x", "c-z"):
            assert word in before, word
            assert word not in after, word
        for word in ("c-ben", "k-2", "c-y"):
            assert word in after, word

    def test_everybody_behind_the_address_is_meant(self, tmp_path: Path, ledger: Ledger) -> None:
        """Two records of one person are one person, with all the addresses of both; a name alone joins nobody."""
        six = Six(tmp_path / "home", ledger)
        six.write(contacts=[
            contact("c-ada", phone="07400 123456"), contact("c-twin", email="Ada.Hart@gmail.com", phone="07400 654321"),
            contact("c-ben"),
        ])  # fmt: skip
        six.snapshot()
        done = erase(six.workspace, address="ada.hart@gmail.com", user="cleo", reason="person_asked", now=SIX_NOW)
        assert done.customers == ("c-ada", "c-twin")
        with ledger.begin() as conn:
            said_no = set(conn.scalars(select(suppressions.c.address_key)))
        addresses = ("ada.hart@gmail.com", "+447400123456", "+447400654321")
        assert said_no == {key_of(six.workspace, one) for one in addresses}
        assert "c-ben" in personal(six.workspace)

    def test_an_address_a_crowd_shares_leads_to_nobody_else_and_is_still_not_written_to(
        self, tmp_path: Path, ledger: Ledger
    ) -> None:
        """Of the telephone exchange of an office, one clerk who asks is not all of them."""
        six = Six(tmp_path / "home", ledger)
        clerks = [contact(f"c-{n}", email=f"clerk.{n}@gmail.com", phone="07400 123456") for n in range(30)]
        six.write(contacts=clerks)
        six.snapshot()
        done = erase(six.workspace, customer_id="c-7", user="cleo", reason="person_asked", now=SIX_NOW)
        assert done.customers == ("c-7",)
        with ledger.begin() as conn:
            assert key_of(six.workspace, "+447400123456") in set(conn.scalars(select(suppressions.c.address_key)))
            assert key_of(six.workspace, "+447400123456") not in erasures.address_keys(conn)
        take_snapshot(six.workspace, now=SIX_NOW)
        purge(six.workspace, SIX_NOW)
        with ledger.begin() as conn:
            assert key_of(six.workspace, "+447400123456") not in erasures.address_keys(conn), "nor when told again"
        assert "clerk.8" in personal(six.workspace)
        assert "clerk.7" not in personal(six.workspace)

    def test_an_account_goes_with_the_last_of_its_people(self, tmp_path: Path, ledger: Ledger) -> None:
        """A household is its people's; a company of others stays."""
        six = Six(tmp_path / "home", ledger)
        six.write(
            contacts=[
                contact("c-ada", account_id="a-own"), contact("c-ben", account_id="a-both"),
                contact("c-cem", account_id="a-both"),
            ],
            accounts=[account("a-own", name="The Hart Family"), account("a-both", name="Quay Dental Ltd")],
        )  # fmt: skip
        six.snapshot()
        for customer in ("c-ada", "c-ben"):
            erase(six.workspace, customer_id=customer, user="cleo", reason="person_asked", now=SIX_NOW)
        left = personal(six.workspace)
        assert "hart family" not in left
        assert "quay dental" in left


class TestWhatNoLongerGoesOut:
    def test_enrolments_end_and_what_waits_is_cancelled(self, ready: Ready) -> None:
        """Signed or not."""
        assert ready.states()["c-ann"] == ("signed", None)
        done = forget(ready, "c-ann")
        assert done.enrolments_ended == 1
        assert ready.exits() == {"c-ann": "suppressed"}
        assert ready.states()["c-ann"] == ("cancelled", "suppressed")

    def test_nothing_goes_to_them_any_more(self, ready: Ready) -> None:
        """Everybody else's signed message goes."""
        forget(ready, "c-ann")
        dispatch(ready.workspace, NOW)
        assert ready.written_to() == sorted(set(ready.states()) - {"c-ann"})

    def test_the_proof_of_what_went_out_stays_without_its_bytes(self, ready: Ready) -> None:
        """Digest, signatures, records of permission and gates."""
        dispatch(ready.workspace, NOW)
        before = ready.rows("sends")
        forget(ready, "c-ann")
        assert ready.rows("sends") == before
        assert all(row.draft_digest and row.answer_ids and row.basis and row.gates for row in before)
        assert "ann.hart" not in personal(ready.workspace)

    def test_a_send_of_unknown_outcome_is_not_sent_again(self, ready: Ready) -> None:
        """Its draft is gone, and its person unsendable."""
        dispatch(ready.workspace, NOW, limit=1)
        (sent,) = ready.rows("sends")
        whose = next(customer for customer, (state, _) in ready.states().items() if state == "accepted")
        _make_unknown(ready, sent.send_id, sent.touch_id)
        forget(ready, whose)
        for later in (NOW, NOW + timedelta(minutes=30)):
            dispatch(ready.workspace, later)
        assert ready.written_to().count(whose) == 1
        assert ready.states()[whose][0] in ("unknown", "accepted")

    def test_a_run_on_a_snapshot_that_still_has_them_leaves_them_out(self, tmp_path: Path, ledger: Ledger) -> None:
        """It neither enrols nor drafts."""
        six = Six(tmp_path / "home", ledger)
        six.snapshot()
        erase(six.workspace, customer_id="c-ada", user="cleo", reason="person_asked", now=SIX_NOW)
        run_id = six.ready()
        plan_run(six.workspace, run_id, SIX_NOW)
        draft_run(six.workspace, run_id, SIX_NOW)
        decisions = {r["customer_id"]: r for r in six.workspace.run_folder(run_id).read("decisions").to_pylist()}
        assert decisions["c-ada"]["decision"] == "suppress"
        assert decisions["c-ada"]["reason_codes"][0] == "suppressed:internal"
        assert "ada.hart" not in personal(six.workspace)

    def test_an_address_nobody_has_yet_is_refused_before_it_comes(self, ready: Ready) -> None:
        """There is nothing to take out, and still nobody will write there."""
        done = forget(ready, address="new@example.org")
        assert (done.customers, done.suppressions, done.taken_out) == ((), 1, ())


def _make_unknown(ready: Ready, send_id: str, touch_id: str) -> None:
    with ready.workspace.ledger.begin() as conn:
        conn.execute(
            text("UPDATE sends SET state = 'unknown', finished_at = NULL WHERE send_id = :id"), {"id": send_id}
        )
        conn.execute(text("UPDATE touches SET state = 'unknown' WHERE touch_id = :id"), {"id": touch_id})


class TestAgain:
    def test_erasing_again_changes_nothing(self, ready: Ready) -> None:
        """No file, no row of the audit trail."""
        forget(ready, "c-ann")
        before = (personal(ready.workspace), len(trail(ready.workspace, "erased", "evidence_rewritten", "suppressed")))
        again = forget(ready, "c-ann")
        assert again == Erased(("c-ann",), again.addresses, 0, 0, (), ())
        after = (personal(ready.workspace), len(trail(ready.workspace, "erased", "evidence_rewritten", "suppressed")))
        assert after == before

    def test_a_later_snapshot_is_without_them_from_the_beginning(self, ready: Ready) -> None:
        """A source may go on telling of them, under another id, too; nobody builds on it before they are gone."""
        forget(ready, "c-ann")
        rows = source_tables()["contacts"]
        ready.say(NOW, contacts=[*rows, contact("c-again", email=ANN)])
        take_snapshot(ready.workspace, now=NOW)
        after = personal(ready.workspace)
        assert "ann.hart" not in after
        assert "c-again" not in after
        assert "bob.hart" in after
        assert verify_audit(ready.workspace).intact

    def test_a_snapshot_nobody_vouches_for_is_cleaned_and_purged_all_the_same(
        self, tmp_path: Path, ledger: Ledger
    ) -> None:
        """Whoever took it was killed before he said so; the names are there."""
        six = Six(tmp_path / "home", ledger)
        six.snapshot()
        left = six.snapshot(SIX_NOW)
        with ledger.begin() as conn:
            conn.execute(
                text("DROP TRIGGER snapshots_no_delete" + (" ON snapshots" if ledger.dialect != "sqlite" else ""))
            )
            conn.execute(text("DELETE FROM snapshots WHERE snapshot_id = :id"), {"id": left.name})
        erase(six.workspace, customer_id="c-ada", user="cleo", reason="person_asked", now=SIX_NOW)
        assert "ada.hart" not in personal(six.workspace)
        purge(six.workspace, SIX_NOW + timedelta(days=30))
        assert six.workspace.snapshot_folder(left.name).read("people").num_rows == 0

    def test_an_address_that_is_new_beside_an_erased_id_is_refused_too(self, ready: Ready) -> None:
        """Who was erased does not come back by another address; a crowd's address leads to nobody else."""
        forget(ready, "c-ann")
        changed = [
            contact("c-ann", email="ann.new@gmail.com") if row["customer_id"] == "c-ann" else row
            for row in source_tables()["contacts"]
        ]
        ready.say(NOW, contacts=changed)
        take_snapshot(ready.workspace, now=NOW)
        assert "ann.new" not in personal(ready.workspace)
        said_no = {row.address_key for row in ready.rows("suppressions")}
        assert key_of(ready.workspace, "ann.new@gmail.com") in said_no

    def test_a_damaged_file_is_named_and_the_others_are_cleaned(self, ready: Ready) -> None:
        """Something of the person may be left in it, so somebody must look."""
        snapshot, _ = all_folders(ready.workspace)
        file = Path(snapshot.path.path) / "people.parquet"
        file.write_bytes(file.read_bytes()[:-1])
        done = forget(ready, "c-ann")
        assert [str(file) in problem for problem in done.problems] == [True]
        assert [one.file for one in done.taken_out] == ["drafts"]


class TestRefusals:
    @pytest.mark.parametrize("on", ["c-ann", None])
    def test_a_legal_hold_refuses_it_and_that_is_on_record(self, ready: Ready, on: str | None) -> None:
        """On the person or on everything; nothing at all was done, until it is lifted."""
        before = personal(ready.workspace)
        with ready.workspace.ledger.begin() as conn:
            holds.begin(conn, customer_id=on, actor="lea", now=NOW)
        with pytest.raises(
            StepError, match=rf"refused, and recorded: a legal hold stands on {on or 'everything'} \(by lea"
        ):
            forget(ready, address=ANN)
        assert personal(ready.workspace) == before
        assert ready.states()["c-ann"] == ("signed", None)
        (row,) = trail(ready.workspace, "erasure_refused")
        assert (row.actor, row.subject) == ("cleo", key_of(ready.workspace, ANN))
        with ready.workspace.ledger.begin() as conn:
            holds.end(conn, customer_id=on, actor="lea", now=NOW)
        forget(ready, address=ANN)
        assert "ann.hart" not in personal(ready.workspace)

    def test_dry_run_on_hold_says_that_it_would_be_refused(self, ready: Ready) -> None:
        """Nobody asked for an erasure, so none is on record as refused."""
        with ready.workspace.ledger.begin() as conn:
            holds.begin(conn, customer_id="c-ann", actor="lea", now=NOW)
        with pytest.raises(StepError, match=r"it would be refused: a legal hold stands on c-ann \(by lea"):
            forget(ready, "c-ann", dry=True)
        assert trail(ready.workspace, "erasure_refused") == []

    def test_a_hold_on_somebody_else_is_no_hindrance(self, ready: Ready) -> None:
        """And what concerns that person stays."""
        with ready.workspace.ledger.begin() as conn:
            holds.begin(conn, customer_id="c-bob", actor="lea", now=NOW)
        forget(ready, "c-ann")
        left = personal(ready.workspace)
        assert "bob.hart" in left
        assert "ann.hart" not in left

    def test_a_customer_nobody_knows_is_a_slip_of_the_pen(self, ready: Ready) -> None:
        """Said, instead of done in vain."""
        with pytest.raises(StepError, match="knows customer c-anne; check the id"):
            forget(ready, "c-anne")

    @pytest.mark.parametrize("text", ["", "Ann Hart", "07400 123456", "@"])
    def test_what_is_no_address_is_refused_and_not_quoted(self, ready: Ready, text: str) -> None:
        """It may be somebody's name."""
        with pytest.raises(StepError, match="no e-mail address") as caught:
            forget(ready, address=text)
        assert not text or text not in str(caught.value)

    def test_an_unknown_reason_is_refused(self, ready: Ready) -> None:
        """Reasons are codes: a sentence could name somebody."""
        with pytest.raises(StepError, match="is no reason to erase somebody; give one of person_asked"):
            forget(ready, "c-ann", reason="because")


class TestTelling:
    def test_explain_says_erased(self, ready: Ready) -> None:
        """When, by whom and why; what was decided and sent is told as before."""
        dispatch(ready.workspace, NOW)
        forget(ready, "c-ann")
        told = explain_customer(ready.workspace, "c-ann", "customer_reactivation")
        assert "erased 2026-11-17 11:00 UTC by cleo (person_asked): names, addresses and messages are gone" in told
        assert "suppressed for every channel: internal" in told
        assert "ann.hart" not in told

    def test_nothing_personal_stands_in_the_ledger(self, ready: Ready) -> None:
        """The audit trail has ids, HMACs and codes."""
        forget(ready, address=ANN)
        with ready.workspace.ledger.begin() as conn:
            said = [str(row) for row in conn.execute(select(audit))]
            assert seals.verify(conn).intact
        assert not [row for row in said if "hart" in row.lower()]
