"""A playbook with variants, from the decision to the mail: each person gets exactly what his variant says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.company import Company
from tests.steps.arms import NAMES, VARIANTS, Arms, open_arms
from tests.steps.six import PLAYBOOK
from tests.steps.stage import day

from reactivation.ledger import batches, pauses, runs, stops
from reactivation.ledger import enrolments as enrolment_queries
from reactivation.ledger import touches as touch_queries
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import enrolments, list_items, lists, measurement_events, offer_codes, touches
from reactivation.policy.pausing import Part
from reactivation.steps.claims import Case, last_word
from reactivation.steps.explain import explain_customer
from reactivation.steps.preview import preview
from reactivation.steps.resuming import signers_of
from reactivation.steps.splitting import paused_parts
from reactivation.steps.stopping import stop_by_hand
from reactivation.steps.verdicts import Verdict

_NAMES = ("control", "plain", "smaller")
IDS = [f"c-{name}" for name in NAMES]
_ENROLLED = select(enrolments.c.enrolment_id)


@pytest.fixture
def arms(tmp_path: Path, ledger: Ledger) -> Arms:
    return open_arms(tmp_path, ledger)


def by_hash(customer: str, salt: str = "2026-h2") -> str:
    """The variant of a customer, counted by hand."""
    point = int(hashlib.sha256(f"{salt}:variant:{customer}".encode()).hexdigest()[:8], 16) / 2**32
    return "control" if point < 0.4 else "plain" if point < 0.7 else "smaller"


def test_every_message_is_exactly_its_variant(arms: Arms) -> None:
    """Assigned by chance, kept on the enrolment, signed apart from the others, and sent as signed."""
    run_id = arms.run(day(0))
    assert arms.variants() == {customer: by_hash(customer) for customer in IDS}
    assert set(arms.variants().values()) == {"control", "plain", "smaller"}
    decisions = arms.six.workspace.run_folder(run_id).read("decisions", ("customer_id", "variant")).to_pylist()
    assert {row["customer_id"]: row["variant"] for row in decisions}.items() >= arms.variants().items()

    listed = arms.rows(lists.c.list_id, lists.c.kind, lists.c.touch_number, lists.c.variant, lists.c.offer_id)
    content = {(number, variant) for _, kind, number, variant, _ in listed if kind == "content"}
    assert content == {(number, variant) for number in (1, 3) for variant in ("control", "plain", "smaller")}
    variant_of = {list_id: variant for list_id, kind, _, variant, _ in listed if kind == "content"}
    for list_id, customer in arms.rows(list_items.c.list_id, list_items.c.customer_id):
        assert variant_of.get(list_id, by_hash(customer)) == by_hash(customer)

    assert arms.send(day(0, 11)).accepted == len(IDS)
    assert arms.send(day(3, 12)).accepted == len(IDS)
    first, third = {}, {}
    for customer, message in arms.mail():
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        (third if "booking" in text and "credit" in text else first)[customer] = (message["Subject"], text)
    subjects = {
        "control": "Still here when you need us", "plain": "One question, Ada Marsh asks",
        "smaller": "A short second note from us",
    }  # fmt: skip
    for customer in IDS:
        mine = by_hash(customer)
        assert first[customer][0] == subjects[mine], mine
        assert ("This is the only reminder" in first[customer][1]) == (mine == "smaller")
        amounts = ("£10", "£15") if mine == "smaller" else ("£15", "£10")
        assert amounts[0] in third[customer][1]
        assert amounts[1] not in third[customer][1]
    offers = dict(arms.rows(touches.c.touch_id, touches.c.offer_id))
    assert {offers[touch_id] == offer_id for touch_id, offer_id in arms.rows(
        offer_codes.c.touch_id, offer_codes.c.offer_id)} == {True}  # fmt: skip


class TestExplained:
    def test_the_variant_is_in_the_story_and_in_the_preview(self, arms: Arms) -> None:
        """What a customer would read is what his variant says, before he is enrolled and after."""
        arms.run(day(0), dry=True, signed=False)
        some = {variant: next(c for c in IDS if by_hash(c) == variant) for variant in _NAMES}
        before = self._subjects(arms, some)
        assert before == {
            "control": "Still here when you need us", "plain": "One question, Ada Marsh asks",
            "smaller": "A short second note from us",
        }  # fmt: skip
        arms.run(day(0), signed=False)
        assert self._subjects(arms, some) == before
        told = explain_customer(arms.six.workspace, some["plain"], PLAYBOOK)
        assert "experiment: not held out; variant plain" in told
        assert "segment household, variant plain; active" in told

    @staticmethod
    def _subjects(arms: Arms, some: dict[str, str]) -> dict[str, str]:
        drafts = {
            variant: preview(arms.six.workspace, PLAYBOOK, 1, customer, day(0)).draft
            for variant, customer in some.items()
        }
        return {variant: str(draft and draft["subject"]) for variant, draft in drafts.items()}


class TestPaused:
    @pytest.fixture
    def signed(self, arms: Arms) -> Arms:
        """Everybody's first messages are signed and due."""
        arms.run(day(0))
        return arms

    def test_a_paused_variant_sends_nothing_more(self, signed: Arms) -> None:
        """Signed and due, its messages stay; the others go out."""
        stop_id = pause(signed, "plain")
        sent = signed.send(day(0, 11))
        theirs = {customer for customer in IDS if by_hash(customer) == "plain"}
        assert (sent.accepted, sent.reasons) == (len(IDS) - len(theirs), {"stopped": len(theirs)})
        assert {customer for customer, _ in signed.mail()} == set(IDS) - theirs
        assert {signed.states()[customer] for customer in theirs} == {("signed", "stopped")}
        assert stop_id

    def test_a_pause_counts_between_two_batches(self, signed: Arms) -> None:
        """What was looked at and judged before the pause is not called after it."""
        case = first_claim(signed, "plain")
        pause(signed, "plain")
        with signed.six.ledger.begin() as conn:
            said = last_word(conn, [case], signed.six.workspace.playbook(PLAYBOOK).playbook, day(0, 11))
        assert said == {case.touch.touch_id: Verdict("wait", "stopped")}

    def test_only_the_segment_that_is_paused_is_stopped(self, signed: Arms) -> None:
        """All of the twelve are households."""
        pause(signed, "plain", "business")
        assert signed.send(day(0, 11)).accepted == len(IDS)

    def test_what_is_past_due_expires_and_is_never_sent(self, signed: Arms) -> None:
        """The window passes while it is paused: resumed, it sends nothing of it."""
        stop_id = pause(signed, "plain")
        signed.send(day(0, 11))
        late = signed.send(day(9, 11))
        theirs = [customer for customer in IDS if by_hash(customer) == "plain"]
        assert late.expired >= len(theirs)
        with signed.six.ledger.begin() as conn:
            stops.resume(conn, stop_id=stop_id, actor="ada", answer_id="a-1", now=day(9, 12))
        assert signed.send(day(9, 13)).accepted == 0
        assert {signed.states()[customer] for customer in theirs} == {("expired", "was_signed")}

    def test_resumed_in_time_it_goes_out(self, signed: Arms) -> None:
        """As it was signed."""
        stop_id = pause(signed, "plain")
        signed.send(day(0, 11))
        with signed.six.ledger.begin() as conn:
            stops.resume(conn, stop_id=stop_id, actor="ada", answer_id="a-1", now=day(0, 12))
        signed.send(day(0, 13))
        assert {state for state, _ in signed.states().values()} == {"accepted"}

    def test_nobody_begins_or_is_drafted_for_and_nobody_is_moved(self, arms: Arms) -> None:
        """People of a paused variant wait with a reason of their own; nobody gets another one instead. When it goes on,
        a new batch begins, with those who waited in their own variant."""
        arms.run(day(0), signed=False, sample_size=6)
        begun = dict(arms.variants())
        theirs = {customer for customer in IDS if by_hash(customer) == "plain"}
        stop_id = pause(arms, "plain")
        arms.run(day(1), signed=False)
        after = arms.variants()
        assert set(after) - set(begun) == set(IDS) - set(begun) - theirs
        assert {after[customer] for customer in set(after) - set(begun)} <= {"control", "smaller"}
        assert {arms.states()[customer] for customer in theirs & set(begun)} <= {
            ("held", "variant_paused"), ("listed", None)
        }  # fmt: skip
        waiting = theirs - set(begun)
        with arms.six.ledger.begin() as conn:
            held = conn.execute(
                select(measurement_events.c.subject).where(measurement_events.c.reason == "variant_paused")
            )
            assert waiting <= set(held.scalars())
            stops.resume(conn, stop_id=stop_id, actor="ada", answer_id="a-1", now=day(1, 12))
        arms.run(day(2), signed=False)
        assert arms.variants() == {customer: by_hash(customer) for customer in IDS}
        with arms.six.ledger.begin() as conn:
            splits = [one.split for one in batches.of_playbook(conn, PLAYBOOK)]
        assert [(one["paused"], one["resumed"]) for one in splits] == [([], 0), ([["plain", ""]], 0), ([], 1)]

    def test_a_split_that_changes_begins_a_batch_and_moves_nobody(self, arms: Arms) -> None:
        """Whoever has begun stays in his variant; the rest are split anew."""
        arms.run(day(0), signed=False, sample_size=6)
        begun = dict(arms.variants())
        arms.declare(variants=[{**VARIANTS[0], "share": 0.9}, {**VARIANTS[1], "share": 0.1}])
        arms.run(day(1), signed=False)
        assert {customer: arms.variants()[customer] for customer in begun} == begun
        assert "smaller" not in {arms.variants()[customer] for customer in set(arms.variants()) - set(begun)}
        assert {reason for state, reason in arms.states().values() if state == "held"} <= {"variant_not_declared"}
        with arms.six.ledger.begin() as conn:
            shares = [
                {name: share for name, (share, _) in one.split["variants"].items()}
                for one in batches.of_playbook(conn, PLAYBOOK)
            ]
        assert shares == [{"control": 0.4, "plain": 0.3, "smaller": 0.3}, {"control": 0.9, "plain": 0.1}]


class TestStoppedByHand:
    def test_a_variant_stopped_by_hand_waits_as_one_the_monitor_paused(self, arms: Arms) -> None:
        """Not sent although signed, not begun, not drafted, and counted in a batch of its own; whoever began it does
        not end it alone."""
        arms.run(day(0))
        scope = f"variant:{PLAYBOOK}/plain"
        assert stop_by_hand(arms.six.workspace, scope, reason="complaints", user="ada", now=day(0)) == (
            f"{scope} is stopped, by ada"
        )
        theirs = {customer for customer in IDS if by_hash(customer) == "plain"}
        assert arms.send(day(0, 11)).reasons == {"stopped": len(theirs)}
        with arms.six.ledger.begin() as conn:
            assert paused_parts(conn, PLAYBOOK) == [Part("plain")]
            (stop,) = stops.standing(conn, day(0, 12))
            assert "ada" not in signers_of(arms.six.workspace, conn, stop.stop_id) - {stop.actor}

    def test_nobody_begins_in_it_until_it_goes_on(self, arms: Arms) -> None:
        """With the reason of a pause; then they begin."""
        theirs = {customer for customer in IDS if by_hash(customer) == "plain"}
        scope = f"variant:{PLAYBOOK}/plain/household"
        stop_by_hand(arms.six.workspace, scope, reason="precaution", user="ada", now=day(0))
        run_id = arms.run(day(0), signed=False)
        assert set(arms.variants()) == set(IDS) - theirs
        with arms.six.ledger.begin() as conn:
            planned = runs.step_of(conn, run_id, "plan")
            (stop,) = stops.standing(conn, day(0, 12))
            assert planned is not None
            assert planned.counts["held:variant_paused"] == len(theirs)
            stops.resume(conn, stop_id=stop.stop_id, actor="ben", answer_id="a-1", now=day(0, 12))
        arms.run(day(1), signed=False)
        assert set(arms.variants()) == set(IDS)

    def test_only_variants_and_segments_there_are_can_be_stopped(self, arms: Arms) -> None:
        """Nothing is stopped by a slip of the pen."""
        for scope in (f"variant:{PLAYBOOK}/plane", f"variant:{PLAYBOOK}/plain/castles"):
            with pytest.raises(StepError, match="nothing called"):
                stop_by_hand(arms.six.workspace, scope, reason="precaution", user="ada", now=day(0))


class TestSigning:
    def test_list_of_a_paused_variant_cannot_be_signed_and_is_asked_about_anew(self, arms: Arms) -> None:
        """Opened before the pause: to sign it holds it, with the reason; the lists of others are signed. When it goes
        on, the next run drafts it again and its signature counts."""
        arms.run(day(0), signed=False)
        people = Company(arms.six.workspace)
        asked = people.asked(day(0))
        stop_id = pause(arms, "plain")
        for request, row, items in asked:
            people.answer(request, row, items, "Sign", by="olu" if row.kind == "offer" else "ada", now=day(0))
        theirs = {customer for customer in IDS if by_hash(customer) == "plain"}
        states = arms.states()
        assert {states[customer] for customer in theirs} == {("held", "variant_paused")}
        assert {states[customer] for customer in set(IDS) - theirs} == {("signed", None)}
        with arms.six.ledger.begin() as conn:
            stops.resume(conn, stop_id=stop_id, actor="ada", answer_id="a-1", now=day(0, 12))
        arms.run(day(1))
        assert {arms.states()[customer] for customer in theirs} == {("signed", None)}


def pause(arms: Arms, variant: str, segment: str | None = None) -> str:
    """The variant is paused; the id of the stop."""
    with arms.six.ledger.begin() as conn:
        return pauses.pause(
            conn, playbook=PLAYBOOK, variant=variant, segment=segment, because="complaints", evidence={"since": {}},
            rules_version="r", actor="monitor", now=day(0, 10),
        )  # fmt: skip


def first_claim(arms: Arms, variant: str) -> Case:
    """A due touch of the variant, as the dispatcher has it."""
    with arms.six.ledger.begin() as conn:
        known = {
            one.enrolment_id: one
            for one in enrolment_queries.enrolments_of(conn, [row[0] for row in conn.execute(_ENROLLED)]).values()
        }
        touch = next(
            one for one in touch_queries.touches_of(conn, conn.scalars(select(touches.c.touch_id)).all())
            if known[one.enrolment_id].variant == variant and one.number == 1
        )  # fmt: skip
    return Case(touch, known[touch.enrolment_id], frozenset({touch.address_key}), {})
