"""How the sequence of some differs from everybody's: declared rules, each named in the decision with what it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError
from tests.policy.people import Row, ago, consent, known, one, person, playbook
from tests.policy.sequences import FULL, NOW, OFFERED, RULES, london, people, plan, touch

from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Adaptation, Message, Variant, VariantTouch
from reactivation.policy.scores import SCORED
from reactivation.policy.variants import plan_variants


def rule(name: str = "a_rule", **changes: Any) -> Adaptation:
    """A rule of these conditions (``when``) and effects; without an effect it skips touch 1."""
    effects = {"skip_touches": (1,)} if changes.keys() <= {"when"} else {}
    return Adaptation(**{"name": name, "because": "why not", "when": {"value_tiers": ["mid"]}} | effects | changes)


def declared(*rules: Adaptation, of: Playbook | None = None) -> Playbook:
    return (of or playbook()).model_copy(update={"adaptations": rules})


def scores(**values: int) -> pa.Table:
    """The scores of ``c-1``, in ten-thousandths."""
    columns = {field.name: pa.array([values.get(field.name)], field.type) for field in SCORED}
    return pa.table({"customer_id": ["c-1"], **columns})


#: What each condition asks, somebody it is so of, and somebody it is not.
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "lifecycle_stages": ({"lifecycle_stages": ["trial"]}, {"contact": {"lifecycle_stage": "trial"}}, {}),
    "value_tiers": ({"value_tiers": ["high"]}, {"contact": {"value_tier": "high"}}, {}),
    "dormancy_ranges": ({"dormancy_ranges": ["critical"]}, {},
                        {"purchases": {"last_purchase_at": ago(200), "last_order_at": ago(200)}}),
    "objections": ({"objections": ["price"]}, {"engagement": {"last_objection": "price"}},
                   {"engagement": {"last_objection": "service"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_the_snapshot_knows_of_somebody_is_asked(name: str) -> None:
    """So of one and not of another."""
    when, met, unmet = ASKED[name]
    of = declared(rule(when=when))

    assert one(person(**met), declared=of)["adaptations"] == ["a_rule"]
    assert one(person(**unmet), declared=of)["adaptations"] == []


def test_an_objection_in_a_case_goes_before_one_in_a_reply() -> None:
    """A closed case about the service; a reply about the price."""
    closed: Row = {"status": "closed", "closed_at": ago(300), "opened_at": ago(310), "objection": "service"}
    told = person(engagement={"last_objection": "price"}, case=closed)

    row = one(told, declared=declared(rule("price", when={"objections": ["price"]}),
                                      rule("service", when={"objections": ["service"]})))  # fmt: skip

    assert row["adaptations"] == ["service"]


def test_how_the_last_enrolment_ended_is_asked() -> None:
    """Of the ledger, whatever playbook it was in."""
    silent = declared(rule(when={"earlier_outcomes": ["no_response"]}))
    before = {"enrolments_total": 1, "last_ended_at": ago(300), "last_ended_playbook": "customer_reactivation"}

    assert one(person(), known(**before, last_ended_as="no_response"), declared=silent)["adaptations"] == ["a_rule"]
    assert one(person(), known(**before, last_ended_as="reactivated"), declared=silent)["adaptations"] == []
    assert one(person(), declared=silent)["adaptations"] == []


@pytest.mark.parametrize(
    ("when", "churn", "met"),
    [
        ({"churn_below": 0.4}, 3_999, True), ({"churn_below": 0.4}, 4_000, False),
        ({"churn_from": 0.4}, 4_000, True), ({"churn_from": 0.4}, 3_999, False),
        ({"churn_from": 0.2, "churn_below": 0.4}, 1_000, False), ({"churn_from": 0.0}, None, False),
    ],
)  # fmt: skip
def test_a_score_triggers_a_campaign(when: dict[str, float], churn: int | None, met: bool) -> None:
    """From a lower bound on, below an upper one; who is not scored meets neither."""
    row = one(person(), declared=declared(rule(when=when)), scores=scores(churn=churn) if churn else None)

    assert bool(row["adaptations"]) is met


def test_a_season_is_the_months_share() -> None:
    """A month in which a fiftieth of the year's purchases falls, and one of which nothing is known."""
    slow = declared(rule(when={"month_share_below": 0.03}))

    assert one(person(), declared=slow, scores=scores(month_share=200))["adaptations"] == ["a_rule"]
    assert one(person(), declared=slow)["adaptations"] == []


def test_all_that_is_said_has_to_be_so() -> None:
    """Of middle value, and objecting to the price."""
    both = declared(rule(when={"value_tiers": ["mid"], "objections": ["price"]}))

    assert one(person(), declared=both)["adaptations"] == []
    assert one(person(engagement={"last_objection": "price"}), declared=both)["adaptations"] == ["a_rule"]


class TestWhatItDoes:
    """To the plan; a decision names the rules, and the playbook says what they do."""

    def planned(self, *rules: Adaptation, met: tuple[str, ...] | None = None, **row: Any) -> pa.Table:
        names = [one.name for one in rules] if met is None else list(met)
        return plan({"adaptations": names, **row}, playbook=declared(*rules, of=FULL))

    def states(self, found: pa.Table) -> dict[int, str | None]:
        return {row["number"]: row["reason"] for row in found.to_pylist() if row["state"] == "skipped"}

    def test_touches_are_left_out_by_number(self) -> None:
        """With the rule's name as the reason."""
        assert self.states(self.planned(rule("short", skip_touches=(4, 5)))) == {4: "adapted:short", 5: "adapted:short"}

    def test_who_does_not_meet_the_rule_is_planned_as_everybody(self) -> None:
        """The same calendar as without the rule."""
        assert self.planned(rule(skip_touches=(4, 5)), met=()).equals(plan({}))

    @pytest.mark.parametrize(
        ("most", "skipped"), [("none", [3, 5, 6]), ("access", [3, 6]), ("points_or_credit", [6]), ("percent", [])]
    )
    def test_incentives_are_kept_small(self, most: str, skipped: list[int]) -> None:
        """Everything larger is left out; the messages without one stay."""
        assert list(self.states(self.planned(rule(incentive_at_most=most)))) == skipped

    def test_the_longest_wait_counts(self) -> None:
        """Thirteen days on the recipient's calendar, and the following touches as many days after as ever."""
        found = self.planned(rule("one", wait_days=3), rule("other", wait_days=13))

        assert london(touch(1, found)["not_before"]) == "Mon 16 Nov 10:00"
        assert touch(2, found)["not_before"] - touch(1, found)["not_before"] == timedelta(days=4)

    def test_a_preferred_channel_goes_first_where_it_may_be_used(self) -> None:
        """And everybody else keeps the playbook's order."""
        both = FULL.model_copy(update={"touches": tuple(
            t.model_copy(update={"channels": ("email", "sms")}) for t in FULL.touches
        )})  # fmt: skip
        of = declared(rule("by_text", channel="sms"), of=both)

        def channel(**row: Any) -> str:
            told: str = touch(1, plan({"adaptations": ["by_text"], **row}, playbook=of))["channel"]
            return told

        assert channel(sms_basis="express_written") == "sms"
        assert channel(sms_basis=None) == "email"
        assert channel(sms_basis="express_written", adaptations=[]) == "email"

    def test_the_decision_recommends_the_preferred_channel_with_its_reason(self) -> None:
        """Permitted and reachable, and where the rule is met; else the playbook's own order."""
        of = declared(rule("by_text", channel="sms"),
                      of=playbook().model_copy(update={"channels": ("email", "sms")}))  # fmt: skip
        texts: Row = {"channel": "sms", "basis": "express_written", "record_id": "r-2"}
        reached = {"contact": {"phone_key": "phone-c-1", "phone_problem": None, "phone_country": "GB"}}

        row = one(person(**reached, consents=[consent(), consent(**texts)]), declared=of)
        assert (row["recommended_channel"], row["channel_reason"]) == ("sms", "adapted:by_text")
        for without in (person(), person(**reached)):
            assert one(without, declared=of)["channel_reason"] == "permitted_by_express"
        valued = person(contact=reached["contact"] | {"value_tier": "high"}, consents=[consent(), consent(**texts)])
        row = one(valued, declared=of)
        assert (row["adaptations"], row["recommended_channel"], row["channel_reason"]) == (
            [], "email", "permitted_by_express",
        )  # fmt: skip


class TestOtherWords:
    """A message of its own, by rule: like a variant, but compared with nothing."""

    def told(self, **more: Any) -> Playbook:
        message = Message(message="on_price", touches=(VariantTouch(number=2, subject="Less than you may think"),))
        by_rule = rule("price_minded", message="on_price", when={"objections": ["price"]})
        return playbook().model_copy(update={"messages": (message,), "adaptations": (by_rule,), **more})

    def test_the_decision_carries_its_name_where_the_rule_is_met(self) -> None:
        """And nothing for anybody else, nor for the holdout."""
        objecting = person(engagement={"last_objection": "price"})

        assert one(objecting, declared=self.told())["variant"] == "on_price"
        assert one(person(), declared=self.told())["variant"] is None
        assert one(objecting, declared=self.told(holdout_share=1.0))["variant"] is None

    def test_a_rule_goes_before_chance(self) -> None:
        """Whoever meets it is in none of the arms that are compared."""
        warmer = VariantTouch(number=1, subject="Hello again")
        arms = Variant(variant="plain", share=0.5), Variant(variant="warm", share=0.5, touches=(warmer,))
        objecting = person(engagement={"last_objection": "price"})

        assert one(objecting, declared=self.told(variants=arms))["variant"] == "on_price"
        assert one(person(), declared=self.told(variants=arms))["variant"] in {"plain", "warm"}

    def test_the_playbook_is_read_as_the_message_makes_it(self) -> None:
        """Its words in its touches, and no others."""
        changed = self.told().of_variant("on_price")

        assert [(t.number, t.subject) for t in changed.touches if t.subject] == [(2, "Less than you may think")]

    def test_everybody_is_planned_by_his_own(self) -> None:
        """One whom a rule gives words, and one whom it does not: two calendars of seven touches."""
        both = people({"customer_id": "cus-1"}, {"customer_id": "cus-2"})

        found = plan_variants(both, pa.chunked_array([["on_price", None]], pa.string()),
                              self.told(touches=FULL.touches), OFFERED, RULES, NOW)  # fmt: skip

        assert found["customer_id"].to_pylist() == ["cus-1"] * 7 + ["cus-2"] * 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adaptations": [{"name": "x", "because": "y", "when": {}, "wait_days": 3}]}, "says nothing"),
        ({"adaptations": [{"name": "x", "because": "y", "when": {"value_tiers": []}, "wait_days": 3}]}, "says nothing"),
        (
            {"adaptations": [{"name": "x", "because": "y", "when": {"churn_from": None}, "wait_days": 3}]},
            "says nothing",
        ),
        ({"adaptations": [{"name": "x", "because": "y", "when": {"value_tiers": ["mid"]}}]}, "changes nothing"),
        ({"adaptations": [rule(skip_touches=(9,))]}, "skips touch 9, which touches does not have"),
        ({"adaptations": [rule(), rule()]}, "a_rule is there twice"),
        ({"adaptations": [rule(skip_touches=tuple(range(1, 8)))]}, "skips every touch"),
        ({"adaptations": [rule(message="warm")]}, "gives the message warm, which messages does not have"),
        ({"messages": [{"message": "x", "touches": [{"number": 2}]}]}, "x, touch 2: changes nothing"),
        (
            {"touches": FULL.touches[:3], "messages": [{"message": "x", "touches": [{"number": 6, "subject": "y"}]}]},
            "x changes touch 6, which the playbook does not have",
        ),
        ({"messages": [{"message": "x", "touches": [{"number": 2, "subject": "y"}]}] * 2}, "x stands twice"),
        ({"channels": ["email"], "adaptations": [rule(channel="sms")]}, "prefers sms, which channels does not list"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(changes: dict[str, Any], message: str) -> None:
    """When the playbook is read."""
    told = FULL.model_dump() | {"adaptations": ()} | changes
    with pytest.raises(ValidationError, match=message):
        Playbook.model_validate(told)


def test_the_shipped_rules_offer_nothing_to_who_comes_back_anyway() -> None:
    """The guard against paying for what would have happened; the ladder of a quarrel about service."""
    shipped = declared(*playbook().adaptations)

    assert one(person(), declared=shipped, scores=scores(churn=3_000))["adaptations"] == ["likely_to_return"]
    quarrel = one(person(engagement={"last_objection": "service"}), declared=shipped)
    assert quarrel["adaptations"] == ["service_before_price"]
