"""Dispatching: what is signed, due and still allowed goes out once; everything else stays, with its reason."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.builders import Row, case, contact, engagement, purchase, suppression
from tests.ledgers import an_id
from tests.sending import NOW, Ready, key_of, source_tables

from reactivation.contract.digests import item_digest
from reactivation.ledger import seals, stops, suppressions
from reactivation.ledger.suppressions import Suppression
from reactivation.ledger.tables import answers, audit, events, metadata, touches
from reactivation.sources import SourceError
from reactivation.steps import dispatch as module
from reactivation.steps.dispatch import dispatch


def _no(customer_id: str) -> Suppression:
    return Suppression(key_of(customer_id), "*", "*", "opt_out", "preference_page", NOW)


class TestSent:
    def test_what_is_signed_and_due_goes_out_once(self, ready: Ready) -> None:
        """Each customer has one message; a second dispatch sends nothing more; the trail is sealed and intact."""
        due = sorted(ready.states())
        assert len(due) > 10
        first = dispatch(ready.workspace, NOW)
        assert (first.accepted, first.waiting, first.held, first.ended) == (len(due), 0, 0, 0)
        assert ready.written_to() == due
        assert set(ready.states().values()) == {("accepted", None)}
        assert dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted == 0
        assert len(ready.files()) == len(due)
        with ready.workspace.ledger.begin() as conn:
            report = seals.verify(conn)
        assert report.intact
        assert report.unsealed_rows == 0

    def test_the_bytes_are_the_signed_ones(self, ready: Ready) -> None:
        """Every message reads as its draft, and the draft has the digest that was signed."""
        dispatch(ready.workspace, NOW)
        sent = {row.touch_id: row for row in ready.rows("sends")}
        (run_id,) = {row.draft_run_id for row in ready.rows("touches") if row.touch_id in sent}
        drafts = ready.workspace.run_folder(run_id).read("drafts").to_pylist()
        drafts = [draft for draft in drafts if draft["touch_id"] in sent]
        assert len(drafts) == len(sent)
        for draft in drafts:
            row = sent[draft["touch_id"]]
            made = (ready.workspace.settings.outbox / f"{row.send_id}.eml").read_bytes()
            read = email.message_from_bytes(made, policy=email.policy.default)
            plain = read.get_body(("plain",))
            assert (read["From"], read["To"], read["Subject"]) == (
                draft["sender"],
                draft["recipient"],
                draft["subject"],
            )
            assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == draft["text"].rstrip("\n")
            assert item_digest(draft) == row.draft_digest

    def test_a_send_carries_its_evidence(self, ready: Ready) -> None:
        """Basis and records, every gate, the recipient's clock, the signatures, the rules, who did it and when."""
        dispatch(ready.workspace, NOW)
        row = next(r for r in ready.rows("sends") if r.address_key == key_of(sorted(ready.states())[0]))
        customer = sorted(ready.states())[0]
        assert row.basis == {"basis": "express", "records": [f"r-{customer}"]}
        assert row.gates["permission"] == "pass"
        assert len(row.gates) == 12
        assert (row.local_time, row.zone) == ("2026-11-17T11:00", "Europe/London")
        assert "address" in row.zone_source
        assert row.rules_version == ready.workspace.rules.version
        assert (row.state, row.provider, row.provider_ref) == ("accepted", "outbox", f"{row.send_id}.eml")
        assert NOW <= row.intended_at <= row.called_at <= row.finished_at < NOW + timedelta(minutes=10)
        with ready.workspace.ledger.begin() as conn:
            signed_by = conn.scalars(select(answers.c.responder).where(answers.c.answer_id.in_(row.answer_ids))).all()
        assert signed_by == ["ada"]

    def test_a_limit_is_kept(self, ready: Ready) -> None:
        """Two now, the rest later."""
        assert dispatch(ready.workspace, NOW, limit=2).accepted == 2
        assert len(ready.files()) == 2
        rest = dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted
        assert rest == len(ready.states()) - 2

    def test_nothing_personal_enters_the_ledger_and_nothing_is_left_lying_about(self, ready: Ready) -> None:
        """No name or address in any column of any table; what the source told is gone from the disk."""
        ready.add("engagements", engagement("e-new", "c-ann", NOW - timedelta(minutes=5), "reply"))
        dispatch(ready.workspace, NOW)
        with ready.workspace.ledger.begin() as conn:
            for table in metadata.tables.values():
                for row in conn.execute(select(table)):
                    assert "hart" not in str(row).lower()
                    assert "@gmail" not in str(row)
        left = ready.home / "asked"
        assert not left.exists() or list(left.iterdir()) == []


class TestNotNow:
    def test_a_stale_source_sends_nothing_until_it_speaks_again(self, ready: Ready) -> None:
        """The touches stay signed, each with the reason; an hour later a fresh answer lets them go."""
        due = len(ready.states())
        ready.say(as_of=NOW - timedelta(hours=24, seconds=1))
        waited = dispatch(ready.workspace, NOW)
        assert (waited.accepted, waited.waiting, waited.reasons) == (0, due, {"source_stale": due})
        assert set(ready.states().values()) == {("signed", "source_stale")}
        assert ready.files() == []
        ready.say(as_of=NOW)
        assert dispatch(ready.workspace, NOW + timedelta(hours=1)).accepted == due

    @pytest.mark.parametrize(
        ("table", "content"), [("contacts", b"PAR1 this is no parquet"), ("suppressions", None), ("consents", None)]
    )
    def test_a_source_that_cannot_be_read_whole_sends_nothing(
        self, ready: Ready, table: str, content: bytes | None
    ) -> None:
        """A broken file is an error; a missing table of noes or consents is an unknown, and unknown is no."""
        (ready.source / f"{table}.csv").unlink()
        if content is not None:
            (ready.source / f"{table}.parquet").write_bytes(content)
            with pytest.raises(SourceError):
                dispatch(ready.workspace, NOW)
        else:
            assert dispatch(ready.workspace, NOW).accepted == 0
        assert ready.files() == []
        assert ready.rows("sends") == []
        assert {state for state, _ in ready.states().values()} == {"signed"}
        assert all(row.reserved_by is None for row in ready.rows("touches"))

    @pytest.mark.parametrize(
        "when",
        [
            datetime(2026, 11, 17, 9, 59, tzinfo=UTC), datetime(2026, 11, 17, 17, 0, tzinfo=UTC),
            datetime(2026, 11, 21, 11, 0, tzinfo=UTC),
        ],
    )  # fmt: skip
    def test_outside_the_recipients_hours_nothing_goes(self, ready: Ready, when: datetime) -> None:
        """Before ten, from five on, on a Saturday."""
        ready.say(as_of=when)
        with ready.workspace.ledger.begin() as conn:
            conn.execute(update(touches).values(not_before=when - timedelta(hours=1)))
        summary = dispatch(ready.workspace, when)
        assert summary.accepted == 0
        assert ready.files() == []
        assert {state for state, _ in ready.states().values()} <= {"signed", "held", "expired"}

    def test_a_stop_holds_everything_until_it_is_ended(self, ready: Ready) -> None:
        """A row in the ledger; nothing else resumes."""
        with ready.workspace.ledger.begin() as conn:
            stop = stops.stop(conn, scope=stops.EVERYTHING, reason="complaint_rate", actor="monitor", now=NOW)
        summary = dispatch(ready.workspace, NOW)
        assert (summary.accepted, set(summary.reasons)) == (0, {"stopped"})
        assert ready.files() == []
        with ready.workspace.ledger.begin() as conn:
            stops.resume(conn, stop_id=stop.stop_id, actor="ada", answer_id=an_id("answer"), now=NOW)
        assert dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted == len(ready.states())

    def test_a_person_written_to_within_two_days_waits(self, ready: Ready) -> None:
        """Also when both touches fall due in one batch; an hour later, and just before the two days are over, too."""
        due = len(ready.states())
        with ready.workspace.ledger.begin() as conn:
            third = select(touches.c.touch_id).where(touches.c.number == 3, touches.c.state == "signed")
            assert len(conn.scalars(third).all()) == due
            for number, hours in ((1, 2), (3, 1)):
                earlier = NOW - timedelta(hours=hours)
                conn.execute(update(touches).where(touches.c.number == number).values(not_before=earlier))
        summary = dispatch(ready.workspace, NOW)
        assert summary.accepted == due
        assert summary.reasons == {"timing:cap": due}
        assert ready.written_to() == sorted(ready.states())
        for hours in (1, 47):
            at = NOW + timedelta(hours=hours)
            ready.say(as_of=at)
            again = dispatch(ready.workspace, at)
            assert (again.accepted, again.reasons) == (0, {"timing:cap": due})
        assert ready.written_to() == sorted(ready.states())

    def test_past_due_touches_expire_and_never_burst(self, ready: Ready) -> None:
        """Three weeks of silence send nothing afterwards: all that was signed has expired."""
        signed = [row.touch_id for row in ready.rows("touches") if row.state == "signed"]
        assert len(signed) == 3 * len(ready.states())
        later = NOW + timedelta(days=21)
        ready.say(as_of=later)
        summary = dispatch(ready.workspace, later)
        assert (summary.expired, summary.accepted) == (len(signed), 0)
        assert {(row.state, row.reason) for row in ready.rows("touches")} == {("expired", "was_signed")}
        assert ready.files() == []
        assert ready.rows("sends") == []

    def test_a_touch_missed_is_not_made_up_for_by_the_next(self, ready: Ready) -> None:
        """After a week of silence the first touch has expired; the second goes within its own window, alone."""
        due = len(ready.states())
        later = NOW + timedelta(days=7)
        ready.say(as_of=later)
        summary = dispatch(ready.workspace, later)
        assert (summary.expired, summary.accepted) == (due, due)
        assert set(ready.states().values()) == {("expired", "was_signed")}
        assert Counter((row.number, row.state) for row in ready.rows("touches")) == {
            (1, "expired"): due, (2, "accepted"): due, (3, "signed"): due,
        }  # fmt: skip
        assert ready.written_to() == sorted(ready.states())


CHANGES: dict[str, tuple[Callable[[Ready, str], None], tuple[str, str | None], str | None]] = {
    "opted out as a customer": (
        lambda r, c: r.add("suppressions", suppression("s-new", customer_id=c)), ("cancelled", "opted_out"), "opted_out"
    ),
    "opted out as an address": (
        lambda r, c: r.add("suppressions", suppression("s-new", address=f"  {c[2:].upper()}.Hart@GMAIL.com ")),
        ("cancelled", "opted_out"), "opted_out",
    ),
    "opted out by a link": (
        lambda r, c: r.add("engagements", engagement("e-new", c, NOW - timedelta(minutes=1), "unsubscribe")),
        ("cancelled", "opted_out"), "opted_out",
    ),
    "complained": (
        lambda r, c: r.add("engagements", engagement("e-new", c, NOW - timedelta(minutes=1), "complaint")),
        ("cancelled", "complained"), "complained",
    ),
    "opted out under another customer number": (
        lambda r, c: (
            r.add("contacts", contact("c-twin", email=f"{c[2:]}.hart@gmail.com")),
            r.add("suppressions", suppression("s-new", customer_id="c-twin")),
        )[0],
        ("cancelled", "opted_out"), "opted_out",
    ),
    "bought": (
        lambda r, c: r.add("purchases", purchase("b-new", c, NOW - timedelta(minutes=1))),
        ("cancelled", "returned_unprompted"), "returned_unprompted",
    ),
    "replied": (
        lambda r, c: r.add("engagements", engagement("e-new", c, NOW - timedelta(minutes=1), "reply")),
        ("cancelled", "returned_unprompted"), "returned_unprompted",
    ),
    "complains in a case": (
        lambda r, c: r.add("cases", case("k-new", customer_id=c, opened_at=NOW - timedelta(minutes=9))),
        ("held", "open_issue:open_case"), None,
    ),
    "is sensitive now": (
        lambda r, c: _change(r, c, relationship="sensitive"), ("held", "review:sensitive"), None,
    ),
    "is in dispute": (
        lambda r, c: _change(r, c, relationship="dispute"), ("cancelled", "relationship"), "relationship",
    ),
    "is a bad fit": (lambda r, c: _change(r, c, fit="bad"), ("cancelled", "fit"), "fit"),
    "moved to another address": (
        lambda r, c: _change(r, c, email="somebody.else@gmail.com"), ("held", "address_changed"), None,
    ),
    "has no readable address": (
        lambda r, c: _change(r, c, email="no address"), ("cancelled", "unreachable"), "unreachable",
    ),
    "lost the evidence of consent": (
        lambda r, c: _consents(r, c, evidence_ref=None), ("cancelled", "permission"), "permission",
    ),
    "withdrew": (
        lambda r, c: _consents(r, c, state="withdrawn", occurred_at=NOW), ("cancelled", "opted_out"), "opted_out",
    ),
    "consented anew on another record": (
        lambda r, c: _consents(r, c, record_id="r-other"), ("held", "basis_changed"), None,
    ),
    "is gone from the source": (
        lambda r, c: r.say(contacts=[row for row in source_tables()["contacts"] if row["customer_id"] != c]),
        ("held", "not_a_candidate"), None,
    ),
}  # fmt: skip


def _change(ready: Ready, customer_id: str, **changes: Any) -> None:
    rows: list[Row] = source_tables()["contacts"]
    ready.say(contacts=[row | (changes if row["customer_id"] == customer_id else {}) for row in rows])


def _consents(ready: Ready, customer_id: str, **changes: Any) -> None:
    rows: list[Row] = source_tables()["consents"]
    ready.say(consents=[row | (changes if row["customer_id"] == customer_id else {}) for row in rows])


class TestNotAnyMore:
    @pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("change", CHANGES)
    def test_whoever_changed_since_the_signature_gets_nothing(self, ready: Ready, change: str) -> None:
        """The source is asked again just before; everybody else gets the message."""
        changed, expected, exit_reason = CHANGES[change]
        who, *others = sorted(ready.states())
        ready.say()
        changed(ready, who)
        dispatch(ready.workspace, NOW)
        assert ready.states()[who] == expected
        assert ready.exits().get(who) == exit_reason
        assert ready.written_to() == others

    def test_an_opt_out_is_in_the_ledger_before_anything_is_sent(self, ready: Ready) -> None:
        """Found by the dispatcher itself, it is committed first: permanent, under the address key."""
        who = sorted(ready.states())[0]
        ready.say()
        ready.add("suppressions", suppression("s-new", customer_id=who, occurred_at=NOW - timedelta(hours=1)))
        dispatch(ready.workspace, NOW)
        with ready.workspace.ledger.begin() as conn:
            assert suppressions.standing(conn, [key_of(who)], brand="harbour_finch") == {key_of(who): "opt_out"}
            actions = conn.scalars(select(audit.c.action).order_by(audit.c.seq)).all()
        assert actions.index("suppressed") < actions.index("send_intended")

    def test_an_opt_out_after_the_question_and_before_the_claim_prevents_the_send(
        self, ready: Ready, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The claim asks the ledger once more, where no opt-out can come in between."""
        who, *others = sorted(ready.states())
        judge = module.judge

        def judged_then_opted_out(*args: Any) -> Any:
            verdicts = judge(*args)
            assert suppressions.commit(ready.workspace.ledger, [_no(who)], actor="web", now=NOW)
            return verdicts

        monkeypatch.setattr(module, "judge", judged_then_opted_out)
        dispatch(ready.workspace, NOW)
        assert ready.states()[who] == ("cancelled", "opted_out")
        assert ready.written_to() == others

    def test_an_opt_out_between_claim_and_call_still_prevents_the_send(
        self, ready: Ready, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each call is won in the ledger first; the intent is taken back."""
        who, *others = sorted(ready.states())
        claim = module.claim

        def claimed_then_opted_out(*args: Any, **named: Any) -> Any:
            made = claim(*args, **named)
            assert suppressions.commit(ready.workspace.ledger, [_no(who)], actor="web", now=NOW)
            return made

        monkeypatch.setattr(module, "claim", claimed_then_opted_out)
        dispatch(ready.workspace, NOW)
        assert ready.written_to() == others
        assert ready.exits() == {who: "opted_out"}
        assert ready.states()[who] == ("cancelled", "opted_out")
        assert key_of(who) not in {row.address_key for row in ready.rows("sends")}


def test_what_the_dispatcher_learns_is_recorded(ready: Ready) -> None:
    """A purchase found while asking is an event of the enrolment, and ends it for the measures too."""
    who = sorted(ready.states())[0]
    ready.say()
    ready.add("purchases", purchase("b-new", who, NOW - timedelta(minutes=1)))
    dispatch(ready.workspace, NOW)
    with ready.workspace.ledger.begin() as conn:
        assert conn.scalars(select(events.c.event_id).where(events.c.kind == "order")).all() == ["purchases:b-new"]
    told = {(row.kind, row.outcome, row.reason) for row in ready.rows("measurement_events") if row.subject == who}
    assert ("exit", "returned_unprompted", "purchase") in told
