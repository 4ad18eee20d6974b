"""An answer is a signature only when it is complete, in time, and by somebody who may give it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approvals.asked import CODE, GROUP, INDIVIDUAL, NOW, POINTS, asked, event, form

from reactivation.approvals import judge_answer
from reactivation.approvals.form import OPTIONS


def signed(judgement: Any) -> set[str]:
    return {touch for touch, verdict in judgement.verdicts.items() if verdict == "signed"}


class TestSign:
    def test_signs_the_group_and_holds_individual_items_that_are_not_named(self) -> None:
        """A plain *Sign* covers every group item; an individual item needs its own naming."""
        judgement = judge_answer(asked(), event(), NOW)

        assert judgement.accepted
        assert judgement.refusal is None
        assert signed(judgement) == set(GROUP)
        assert {judgement.verdicts[t] for t in INDIVIDUAL} == {"held"}
        assert judgement.list_state == "signed"

    def test_signs_an_individual_item_that_is_named_by_number_or_by_customer(self) -> None:
        """Named individual items are signed beside the group."""
        assert signed(judge_answer(asked(), event(individual="1"), NOW)) == {"t-1", *GROUP}
        assert signed(judge_answer(asked(), event(individual="c-ben, 1"), NOW)) == {"t-1", "t-2", *GROUP}

    def test_holds_a_named_individual_item_the_signer_never_had_on_the_screen(self) -> None:
        """Naming an item without having looked at it is no decision about this person."""
        judgement = judge_answer(asked(views={"ada": frozenset({*GROUP, "t-1"})}), event(individual="1 2"), NOW)

        assert signed(judgement) == {"t-1", *GROUP}

    def test_leaves_out_what_is_named_however_it_is_separated(self) -> None:
        """Left-out items are held; an item both agreed to and left out is left out."""
        judgement = judge_answer(asked(), event(left_out="3; c-dov,\n1", individual="1, 2"), NOW)

        assert signed(judgement) == {"t-2", "t-5", "t-6"}

    def test_a_list_of_which_everything_is_left_out_is_held(self) -> None:
        """Signing nothing closes the list as held, not as signed."""
        judgement = judge_answer(asked(), event(left_out="3 4 5 6"), NOW)

        assert judgement.accepted
        assert judgement.list_state == "held"

    @pytest.mark.parametrize("nobody", ["", "none", " None ", "-", None, []])
    def test_an_empty_field_leaves_out_nobody(self, nobody: Any) -> None:
        """The ways people write nothing mean nothing."""
        assert signed(judge_answer(asked(), event(left_out=nobody, individual=nobody), NOW)) == set(GROUP)

    def test_a_customer_who_is_called_nobody_can_be_left_out(self) -> None:
        """Where an item bears that word it means the item."""
        items = (*asked().items[:5], asked().items[5].__class__(6, "t-6", "none", "6" * 64, False, ()))

        assert signed(judge_answer(asked(items=items), event(left_out="none"), NOW)) == {"t-3", "t-4", "t-5"}

    def test_a_field_that_was_cleared_is_empty(self) -> None:
        """Airflow's form sends null for a field that was filled in and emptied again."""
        assert judge_answer(asked(), event(left_out=None, individual=None, reason=None), NOW).accepted

    @pytest.mark.parametrize("code", [CODE.upper(), "3fa9 1c07", " 3FA9-1C07\n"])
    def test_forgives_how_the_code_is_typed(self, code: str) -> None:
        """Case, spaces and hyphens do not matter."""
        assert judge_answer(asked(), event(signing_code=code), NOW).accepted

    def test_knows_a_user_whose_id_is_a_number(self) -> None:
        """Auth managers that count their users give whole numbers; the configuration has them as text."""
        facts = asked(signers=frozenset({"17"}), views={"17": frozenset(GROUP)})

        assert judge_answer(facts, event(by=17), NOW).responder == "17"
        assert judge_answer(facts, event(by=17), NOW).accepted

    def test_who_triggered_the_run_is_known_by_name_too(self) -> None:
        """Of that person Airflow tells the name alone, which is not the id where users are counted."""
        facts = asked(signers=frozenset({"17"}), authors=frozenset({"ada"}), views={"17": frozenset(GROUP)})
        by_ada = event() | {"responded_by_user": {"id": 17, "name": "ada"}}

        assert judge_answer(facts, by_ada, NOW).refusal == "author_may_not_sign"
        assert judge_answer(facts, event(by=17), NOW).accepted

    @pytest.mark.parametrize("nameless", [{"id": "ada"}, {"id": "ada", "name": ""}, {"id": "ada", "name": None}])
    def test_nobody_answers_without_a_name(self, nameless: dict[str, Any]) -> None:
        """Whether he triggered the run could not be told."""
        answer = event() | {"responded_by_user": nameless}

        assert judge_answer(asked(), answer, NOW).refusal == "no_responder"

    def test_a_number_that_is_also_somebody_elses_customer_id_leaves_out_both(self) -> None:
        """When a word could mean two people, both are left out, and neither is agreed to."""
        items = (*asked().items[:5], asked().items[5].__class__(6, "t-6", "3", "6" * 64, False, ()))

        assert signed(judge_answer(asked(items=items), event(left_out="3"), NOW)) == {"t-4", "t-5"}
        assert judge_answer(asked(items=items), event(individual="3"), NOW).refusal == "individual_unknown"


class TestHoldAndReject:
    def test_reject_all_rejects_every_item(self) -> None:
        """A valid signer who rejects ends every touch of the list."""
        judgement = judge_answer(asked(), event("Reject all", reason="relationship"), NOW)

        assert judgement.accepted
        assert set(judgement.verdicts.values()) == {"rejected"}
        assert (judgement.list_state, judgement.reason) == ("rejected", "relationship")

    def test_reject_all_needs_the_code_but_neither_points_nor_views(self) -> None:
        """To say no, the list must be the right one; it need not be read to its end."""
        unread = asked(views={})
        empty_points = {f"point_{p}": "" for p in POINTS}

        assert judge_answer(unread, event("Reject all", **empty_points), NOW).list_state == "rejected"
        assert judge_answer(unread, event("Reject all", signing_code=""), NOW).list_state == "held"

    def test_hold_all_needs_nothing_but_a_signer(self) -> None:
        """Holding is always possible."""
        judgement = judge_answer(asked(views={}), event("Hold all") | {"params_input": {}}, NOW)

        assert judgement.accepted
        assert set(judgement.verdicts.values()) == {"held"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("facts", "answer", "refusal"),
        [
            ({}, event(by="mallory"), "not_a_signer"),
            ({}, event(by=None), "no_responder"),
            ({}, event(by="ada\x00"), "no_responder"),
            ({"signers": frozenset({"operator"})}, event(by="operator"), "author_may_not_sign"),
            ({"state": "signed"}, event(), "list_closed"),
            ({"state": "held"}, event("Reject all"), "list_closed"),
            ({"expires_at": NOW}, event(), "list_expired"),
            ({}, event(signing_code="00000000"), "signing_code_differs"),
            ({}, event(signing_code=""), "signing_code_differs"),
            ({}, event(signing_code=int("12345678")), "signing_code_differs"),
            ({}, event(reason="because"), "reason_unknown"),
            ({}, event(point_tone=""), "review_point_open"),
            ({}, event(point_tone=None), "review_point_open"),
            ({}, event(point_tone="concern"), "review_point_concern"),
            ({}, event(point_tone="OK"), "review_point_open"),
            ({"review_points": ()}, event(), "review_point_open"),
            ({}, event(left_out="7"), "left_out_unknown"),
            ({}, event(left_out="c-adaa"), "left_out_unknown"),
            ({}, event(left_out={"3": True}), "left_out_unknown"),
            ({}, event(left_out="3" * 30_000), "left_out_unknown"),
            ({}, event(individual="all"), "individual_unknown"),
            ({}, event(by="ben"), "sample_not_viewed"),
            ({"views": {"ada": frozenset({"t-1", "t-2", "t-3", "t-4"})}}, event(), "sample_not_viewed"),
            ({"hindrance": "playbook_changed"}, event(), "playbook_changed"),
            ({"paused": "variant_paused"}, event(), "variant_paused"),
            ({}, event("Approve"), "option_unknown"),
            ({}, event() | {"chosen_options": ["Sign", "Reject all"]}, "option_unknown"),
            ({}, event() | {"chosen_options": "Sign"}, "option_unknown"),
            ({}, event() | {"timedout": True}, "timed_out"),
            ({}, event() | {"responded_by_user": None}, "no_responder"),
            ({}, event() | {"params_input": None}, "signing_code_differs"),
            ({}, event() | {"params_input": ["signing_code", CODE]}, "signing_code_differs"),
            ({}, None, "unreadable_answer"),
            ({}, "Sign", "unreadable_answer"),
        ],
    )
    def test_is_recorded_and_means_held(self, facts: dict[str, Any], answer: Any, refusal: str) -> None:
        """What is not a complete and valid answer signs nothing, rejects nothing, and says why."""
        judgement = judge_answer(asked(**facts), answer, NOW)

        assert judgement.refusal == refusal
        assert not judgement.accepted
        assert set(judgement.verdicts.values()) == {"held"}

    def test_what_is_paused_can_still_be_rejected(self) -> None:
        """A no counts at any time."""
        judgement = judge_answer(asked(paused="variant_paused"), event("Reject all"), NOW)

        assert judgement.accepted
        assert set(judgement.verdicts.values()) == {"rejected"}

    def test_the_default_after_a_time_out_is_silence(self) -> None:
        """Airflow answers for a silent owner with the default option; that is no answer."""
        silence = event("Hold all") | {"responded_by_user": None, "timedout": True, "params_input": {}}

        assert judge_answer(asked(), silence, NOW).refusal == "timed_out"

    def test_a_forged_time_out_default_signs_nothing(self) -> None:
        """Even *Sign* as the recorded default has no responder."""
        assert (
            judge_answer(asked(), event() | {"responded_by_user": None, "timedout": True}, NOW).refusal == "timed_out"
        )

    def test_a_list_is_open_until_the_instant_it_expires(self) -> None:
        """The end of a list is exact."""
        last = asked().expires_at - timedelta(microseconds=1)

        assert judge_answer(asked(), event(), last).accepted
        assert judge_answer(asked(), event(), asked().expires_at).refusal == "list_expired"

    def test_a_sample_is_no_more_than_there_is_to_see(self) -> None:
        """A list with fewer group items than the sample needs all of them seen; one without any needs none."""
        two = asked(items=asked().items[:4], views={"ada": frozenset({"t-3", "t-4"})})
        only_individual = asked(items=asked().items[:2], views={"ada": frozenset({"t-2"})})

        assert judge_answer(two, event(), NOW).accepted
        assert signed(judge_answer(only_individual, event(individual="2"), NOW)) == {"t-2"}


class TestWhatIsKept:
    def test_codes_and_numbers_only(self) -> None:
        """What somebody typed never reaches the ledger: names, remarks and unknown words become counts."""
        typed = event(left_out="3, Mrs Okafor", reason="she is ill", point_tone="hm", signing_code="ask Ben")

        assert judge_answer(asked(), typed, NOW).form == {
            "signing_code": "unknown", "reason": "unknown", "left_out": [3], "left_out_unknown": 2,
            "individual": [], "individual_unknown": 0,
            "points": {"offer": "ok", "tone": "unknown", "consent_exceptions": "ok"},
        }  # fmt: skip

    @pytest.mark.parametrize("when", ["yesterday", 12, NOW.replace(tzinfo=None), "2026-11-17T11:00:00", b"now"])
    def test_an_instant_that_is_none_is_left_open(self, when: Any) -> None:
        """Airflow's time is kept when it is one; nothing is decided by it."""
        judgement = judge_answer(asked(), event() | {"responded_at": when}, NOW)

        assert judgement.responded_at is None
        assert judgement.accepted


junk = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=8),
        st.datetimes(), st.sampled_from(["ok", "Sign", CODE, "1", "3", "c-ada", "ada", "none"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3), st.tuples(inner)
    ),
    max_leaves=6,
)  # fmt: skip


class TestProperties:
    @given(junk)
    def test_junk_never_raises_and_never_signs(self, answer: Any) -> None:
        """Whatever arrives in place of an answer, nothing is signed or rejected by it."""
        assert set(judge_answer(asked(), answer, NOW).verdicts.values()) == {"held"}

    @given(st.dictionaries(st.sampled_from([*event()]), junk))
    def test_an_answer_with_a_part_replaced_by_junk_signs_only_if_it_still_says_so(self, parts: dict[str, Any]) -> None:
        """Junk in the place of the responder, the option or the form is never read as consent."""
        judgement = judge_answer(asked(), event() | parts, NOW)

        untouched = {k for k in ("chosen_options", "responded_by_user", "params_input") if k not in parts}
        if len(untouched) < 3 and parts.get("chosen_options") not in (["Sign"], ("Sign",)):
            assert not signed(judgement)

    @given(st.dictionaries(st.sampled_from([*form()]), junk))
    def test_junk_in_the_form_signs_no_more_than_a_valid_form_would(self, fields: dict[str, Any]) -> None:
        """A form of junk may lose signatures, never gain any that were not named."""
        judgement = judge_answer(asked(), event(**fields), NOW)

        assert signed(judgement) <= {*GROUP, *(INDIVIDUAL if "individual" in fields else ())}
        if fields.get("signing_code", CODE) != CODE:
            assert not signed(judgement)
        if any(fields.get(f"point_{p}", "ok") != "ok" for p in POINTS):
            assert not signed(judgement)

    @given(st.sampled_from(OPTIONS), st.sets(st.sampled_from([i.position for i in asked().items])), st.data())
    def test_leaving_somebody_out_never_adds_a_signature(
        self, option: str, left: set[int], data: st.DataObject
    ) -> None:
        """The more is left out, the less is signed."""
        more = left | {data.draw(st.sampled_from([1, 2, 3, 4, 5, 6]))}
        named = "1 2"

        fewer = judge_answer(asked(), event(option, left_out=sorted(more), individual=named), NOW)
        first = judge_answer(asked(), event(option, left_out=sorted(left), individual=named), NOW)

        assert signed(fewer) <= signed(first)
