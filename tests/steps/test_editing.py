"""A message in its owner's words: nothing goes out before a second person signed exactly its bytes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.office import NOW, PLAYBOOK, Asked, Office, decided, owners_say, with_message

from reactivation.ledger import lists, runs
from reactivation.ledger.edits import DraftEdit
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import account_decisions, answers, audit, draft_edits, item_verdicts, touches
from reactivation.steps.audit import verify_audit
from reactivation.steps.dispatch import dispatch
from reactivation.steps.editing import propose_edit
from reactivation.steps.erase import erase
from reactivation.steps.explain import explain_customer

SUBJECT = "Oak Dental Ltd: a word from Ben"
OPENING = "We spoke about the second surgery you were planning & I have thought about it since."


def asked_about_oak(office: Office) -> Asked:
    office.run(now=NOW, playbook=PLAYBOOK)
    return with_message(office)["a-oak"]


def changed(office: Office, **words: str | None) -> DraftEdit:
    given = {"subject": SUBJECT, "opening": OPENING, "user": "ben"} | words
    return propose_edit(office.workspace, PLAYBOOK, "a-oak", now=NOW, **given)  # type: ignore[arg-type]


def approve(office: Office, asked: Asked, edit: DraftEdit) -> str:
    request, row, items = asked
    at = NOW + timedelta(minutes=2)
    return office.answer(request, row, items, "Sign", by="ben", now=at, signing_code=edit.signing_code)


def second(office: Office) -> Asked:
    return with_message(office)["a-oak"]


def of_touch(office: Office, edit: DraftEdit) -> tuple[str, str | None, str | None]:
    wanted = select(touches.c.state, touches.c.draft_digest, touches.c.draft_run_id)
    with office.workspace.ledger.begin() as conn:
        return tuple(conn.execute(wanted.where(touches.c.touch_id == edit.touch_id)).one())


class TestTwoPeople:
    def test_approval_of_the_owner_alone_sends_nothing_and_that_of_a_second_person_sends_his_words(
        self, office: Office
    ) -> None:
        """Proposed, approved, signed by another, sent: escaped in HTML, and only the bytes that were signed."""
        asked = asked_about_oak(office)
        edit = changed(office)
        assert "is approved with a change" in approve(office, asked, edit)
        dispatch(office.workspace, NOW)
        assert office.outbox() == []
        assert of_touch(office, edit) == ("listed", edit.draft_digest, edit.edit_id)
        assert decided(office) == {"a-oak": "approve"}

        request, row, items = second(office)
        assert row.run_id == edit.edit_id
        assert [item.draft_digest for item in items] == [edit.draft_digest]
        assert "is signed: 1 signed" in office.answer(request, row, items, "Sign", by="dora", now=NOW)
        dispatch(office.workspace, NOW)

        (message,) = office.outbox()
        assert message["Subject"] == SUBJECT
        assert OPENING in message.get_body(("plain",)).get_content().replace("\n", " ")  # type: ignore[union-attr]
        assert "planning &amp; I have" in message.get_body(("html",)).get_content()  # type: ignore[union-attr]

    def test_nobody_who_wrote_or_approved_it_signs_it(self, office: Office) -> None:
        """Ben's second answer is none, whatever code he has; the list is held."""
        asked = asked_about_oak(office)
        approve(office, asked, changed(office))
        request, row, items = second(office)
        assert {"ben", "operator"} <= set(row.authors)
        with office.workspace.ledger.begin() as conn:
            assert {signer.user_id for signer in lists.signers_of(conn, row.list_id)} == {"dora"}

        assert "not_a_signer" in office.answer(request, row, items, "Sign", by="ben", now=NOW)
        dispatch(office.workspace, NOW)
        assert office.outbox() == []

    def test_first_approval_is_no_signature_in_the_ledger(self, office: Office) -> None:
        """His verdict on the message as it was is held; his decision about the account is kept."""
        asked = asked_about_oak(office)
        approve(office, asked, changed(office))

        with office.workspace.ledger.begin() as conn:
            assert conn.scalars(select(item_verdicts.c.verdict)).all() == ["held"]
            assert conn.scalars(select(account_decisions.c.decision)).all() == ["approve"]

    def test_without_a_second_person_it_is_held_and_says_so(self, office: Office) -> None:
        """Without a deputy nobody is left beside Ben."""
        office.run(now=NOW, playbook=PLAYBOOK)

        owners_say(office, "deputies: {account_owner: own-dora}", "")
        asked = with_message(office)["a-oak"]
        assert "no_second_approver" in approve(office, asked, changed(office))
        assert decided(office) == {}
        dispatch(office.workspace, NOW)
        assert office.outbox() == []

    def test_owner_may_still_sign_the_message_as_it_was(self, office: Office) -> None:
        """A proposal changes nothing by itself."""
        request, row, items = asked_about_oak(office)
        changed(office)
        office.answer(request, row, items, "Sign", by="ben", now=NOW)
        dispatch(office.workspace, NOW)

        (message,) = office.outbox()
        assert message["Subject"] == "Oak Dental Ltd: how are things?"

    def test_only_the_newest_words_can_be_approved(self, office: Office) -> None:
        """The code of what he wrote before is another code."""
        asked = asked_about_oak(office)
        before = changed(office)
        propose_edit(office.workspace, PLAYBOOK, "a-oak", subject="Oak Dental Ltd: once more", opening=None,
                     user="ben", now=NOW + timedelta(minutes=1))  # fmt: skip

        assert "signing_code_differs" in approve(office, asked, before)

    def test_what_the_second_person_holds_is_not_sent_and_is_asked_about_as_it_was(self, office: Office) -> None:
        """The next run drafts it without the change."""
        asked = asked_about_oak(office)
        approve(office, asked, changed(office))
        request, row, items = second(office)
        office.answer(request, row, items, "Hold all", by="dora", now=NOW)
        later = NOW + timedelta(days=1)
        office.says(at=later)
        office.run(now=later, playbook=PLAYBOOK)

        _, row, _ = with_message(office, later)["a-oak"]
        draft = office.workspace.run_folder(row.run_id).read("drafts").to_pylist()
        assert SUBJECT not in {one["subject"] for one in draft}


class TestWhatDoesNotHold:
    @pytest.mark.parametrize(
        ("words", "code"),
        [({"opening": "Come back and get 20% off."}, "lint:incentive_without_offer"),
         ({"subject": "Re: your order"}, "lint:subject_fakes_thread"),
         ({"opening": "Our clients say \u201cthe best surgery we know\u201d."}, "lint:quote_unproven"),
         ({"opening": "Only two places are left."}, "lint:scarcity_unproven"),
         ({"opening": "{{ account_name }}, hello."}, "lint:template_leftover"),
         ({"opening": "x" * 401}, "edit_long"),
         ({"opening": "Call me on 0117 496 0123 any day."}, "edit_address"),
         ({"opening": "Have a look at https://elsewhere.example/x."}, "edit_address"),
         ({"opening": "Hello\u202e there."}, None),
         ({"opening": "   "}, "edit_empty"), ({"subject": None, "opening": None}, "edit_empty")],
    )  # fmt: skip
    def test_words_that_break_a_rule_are_not_drafted(
        self, office: Office, words: dict[str, str | None], code: str | None
    ) -> None:
        """Linted like every message; a mark that turns the direction is taken out."""
        asked_about_oak(office)
        if code is None:
            assert changed(office, **words).parts == ["subject", "opening"]
            return
        with pytest.raises(StepError, match=code):
            changed(office, **words)

    def test_message_nobody_is_asked_about_and_somebody_elses_cannot_be_changed(self, office: Office) -> None:
        """Only while it is asked about, only by who is asked, and only once."""
        with pytest.raises(StepError, match="nobody is asked"):
            changed(office)
        asked = asked_about_oak(office)
        with pytest.raises(StepError, match="not his to change"):
            changed(office, user="ada")
        approve(office, asked, changed(office))
        with pytest.raises(StepError, match="waits for its second approver"):
            changed(office, user="dora")


class TestOnRecord:
    def test_words_are_in_the_drafts_alone_and_leave_them_with_their_person(self, office: Office) -> None:
        """Ids, digests and names of parts in the ledger; erased like every draft."""
        asked = asked_about_oak(office)
        edit = changed(office)
        approve(office, asked, edit)

        with office.workspace.ledger.begin() as conn:
            told = [str(conn.execute(select(table)).all()) for table in (audit, answers, draft_edits)]
        assert not any("surgery" in one or "a word from" in one for one in told)
        assert any("edit_proposed" in one and "edit_approved" in one for one in told)
        assert office.workspace.run_folder(edit.edit_id).read("drafts").num_rows == 1
        assert verify_audit(office.workspace).intact
        with office.workspace.ledger.begin() as conn:
            newest = runs.latest_run(conn, PLAYBOOK)
        assert newest is not None
        assert newest.run_id != edit.edit_id
        erase(office.workspace, customer_id="c-oak", address=None, user="cleo", reason="person_asked", now=NOW)
        assert office.workspace.run_folder(edit.edit_id).read("drafts").num_rows == 0

    def test_explain_tells_who_changed_approved_and_signed(self, office: Office) -> None:
        """In the order it happened."""
        asked = asked_about_oak(office)
        approve(office, asked, changed(office))
        request, row, items = second(office)
        office.answer(request, row, items, "Sign", by="dora", now=NOW)

        told = explain_customer(office.workspace, "c-oak", PLAYBOOK, None)
        places = [told.index(one) for one in (" by ben in list", "approved as changed by ben", "signed by dora")]
        assert places == sorted(places)
