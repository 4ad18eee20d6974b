"""How many enrolments may begin, and who first (PLAYBOOKS.md, Across playbooks)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.contract.tables import MONEY, TEXT, TEXTS
from reactivation.policy.intake import INTAKE, Room, take_in

CANDIDATES = pa.schema([
    ("customer_id", TEXT), ("business_segment", TEXT), ("owner_id", TEXT), ("priority", MONEY), ("holdout", pa.bool_()),
    ("email_key", TEXT), ("phone_key", TEXT), ("account_email_keys", TEXTS), ("account_phone_keys", TEXTS),
    ("touches", pa.int64()), ("items", pa.int64()), ("contact_occupied", pa.bool_()),
])  # fmt: skip
WIDE = Room(enrolments=100, items_by_owner={"own-ada": 100, "own-ben": 100})


def candidates(*rows: dict[str, Any]) -> pa.Table:
    regular = {
        "business_segment": "household", "owner_id": "own-ada", "priority": 50, "holdout": False, "touches": 7,
        "items": 2, "contact_occupied": False,
    }  # fmt: skip
    full = [{**regular, "email_key": f"mail-of-{row['customer_id']}", "phone_key": None, **row} for row in rows]
    for row in full:
        row["priority"] = None if row["priority"] is None else Decimal(row["priority"])
    return pa.Table.from_pylist(full, schema=CANDIDATES)


def reasons(*rows: dict[str, Any], room: Room = WIDE, occupied: tuple[str, ...] = ()) -> dict[str, str | None]:
    """Why each customer does not begin; ``None`` for who begins."""
    taken = take_in(candidates(*rows), room, pa.array(occupied, TEXT))
    assert taken.schema == INTAKE
    assert taken["customer_id"].to_pylist() == sorted(row["customer_id"] for row in rows)
    for row in taken.to_pylist():
        expected = {None: "begin", "holdout": "holdout"}.get(row["reason"], "hold")
        assert row["outcome"] == expected
    return dict(zip(taken["customer_id"].to_pylist(), taken["reason"].to_pylist(), strict=True))


def of(name: str, **changes: Any) -> dict[str, Any]:
    return {"customer_id": name, **changes}


class TestRoom:
    """A day has room for so many; the best priority goes first."""

    def test_the_best_priority_begins(self) -> None:
        """Two places for three."""
        found = reasons(
            of("c-1", priority=10), of("c-2", priority=90), of("c-3", priority=50), room=Room(2, {"own-ada": 9})
        )
        assert found == {"c-1": "capacity", "c-2": None, "c-3": None}

    def test_ties_go_by_id_and_an_unknown_priority_goes_last(self) -> None:
        """Of equals the lower id; nobody without a priority before one with the lowest."""
        rows = (of("c-3"), of("c-2"), of("c-1", priority=None), of("c-4", priority=0))
        assert reasons(*rows, room=Room(2, {"own-ada": 9})) == {
            "c-1": "capacity", "c-2": None, "c-3": None, "c-4": "capacity",
        }  # fmt: skip
        assert reasons(*rows, room=Room(3, {"own-ada": 9}))["c-4"] is None

    def test_each_owner_looks_at_so_many_items(self) -> None:
        """Three items of room carry one candidate of two items, and the other owner's candidates are his own."""
        room = Room(100, {"own-ada": 3, "own-ben": 4})
        found = reasons(of("c-1"), of("c-2"), of("c-3", owner_id="own-ben"), of("c-4", owner_id="own-ben"), room=room)
        assert found == {"c-1": None, "c-2": "capacity", "c-3": None, "c-4": None}

    def test_an_owner_without_room_begins_nobody(self) -> None:
        """Zero left, or overdrawn."""
        assert reasons(of("c-1"), of("c-2", owner_id="own-ben"), room=Room(9, {"own-ada": 0, "own-ben": -3})) == {
            "c-1": "capacity", "c-2": "capacity",
        }  # fmt: skip

    @pytest.mark.parametrize("owner", ["own-nobody", None])
    def test_an_unknown_owner_begins_nobody(self, owner: str | None) -> None:
        """Nobody would look at the items."""
        assert reasons(of("c-1", owner_id=owner), of("c-2")) == {"c-1": "owner_unknown", "c-2": None}

    def test_owner_for_whom_nobody_signs_begins_nobody(self) -> None:
        """Whoever could look is away, or wrote it: with that reason, and without taking a place."""
        room = Room(1, {"own-ada": 9, "own-ben": 9}, nobody_signs={"own-ada": "owner_away"})
        found = reasons(of("c-1", priority=99), of("c-2", owner_id="own-ben"), room=room)
        assert found == {"c-1": "owner_away", "c-2": None}

    def test_a_full_day_begins_nobody(self) -> None:
        """No place left today."""
        assert reasons(of("c-1"), room=Room(0, {"own-ada": 9})) == {"c-1": "capacity"}

    def test_who_has_nothing_to_be_sent_takes_no_place(self) -> None:
        """No planned touch: held, and the place goes to the next."""
        found = reasons(of("c-1", touches=0, items=0, priority=99), of("c-2"), room=Room(1, {"own-ada": 2}))
        assert found == {"c-1": "nothing_to_send", "c-2": None}

    def test_who_is_written_to_later_begins_now(self) -> None:
        """Planned, and nothing to look at yet: tomorrow the wait would begin anew, and again the day after."""
        assert reasons(of("c-1", items=0), room=Room(1, {"own-ada": 2})) == {"c-1": None}


class TestRun:
    """A run may ask for less than the day allows."""

    def test_a_sample_is_the_best_so_many(self) -> None:
        """Of three a sample of one."""
        room = Room(9, {"own-ada": 9}, sample_size=1)
        found = reasons(of("c-1"), of("c-2", priority=51), of("c-3"), room=room)
        assert found == {"c-1": "sample_size", "c-2": None, "c-3": "sample_size"}

    def test_only_the_runs_segment_begins(self) -> None:
        """The others are held, and take nobody's place."""
        room = Room(1, {"own-ada": 9}, segment="household")
        found = reasons(of("c-1", business_segment="business", priority=99), of("c-2"), room=room)
        assert found == {"c-1": "segment_not_in_run", "c-2": None}


class TestPerson:
    """One enrolment per address, and nobody who is held out."""

    def test_the_holdout_begins_nothing(self) -> None:
        """A held-out candidate is in no touch at all, and takes no place."""
        assert reasons(of("c-1", holdout=True, priority=99), of("c-2"), room=Room(1, {"own-ada": 2})) == {
            "c-1": "holdout", "c-2": None,
        }  # fmt: skip

    def test_who_is_held_out_is_told_so_whatever_else_is_against_him(self) -> None:
        """The first reason stands: he is in the comparison although the run is of another segment."""
        room = Room(9, {"own-ada": 9}, segment="household")
        assert reasons(of("c-1", holdout=True, business_segment="business", touches=0), room=room) == {"c-1": "holdout"}

    @pytest.mark.parametrize("key", ["email_key", "phone_key"])
    def test_of_two_customers_behind_one_address_one_begins(self, key: str) -> None:
        """The better priority; the other is held."""
        found = reasons(of("c-1", **{key: "one"}), of("c-2", priority=51, **{key: "one"}))
        assert found == {"c-1": "same_person", "c-2": None}

    def test_missing_addresses_are_not_one_person(self) -> None:
        """Null is no address."""
        assert set(reasons(of("c-1", email_key=None), of("c-2", email_key=None)).values()) == {None}

    def test_a_double_of_a_held_out_customer_is_held(self) -> None:
        """Writing to his other record would reach the person held out."""
        found = reasons(of("c-1", holdout=True, priority=1, email_key="one"), of("c-2", email_key="one"))
        assert found == {"c-1": "holdout", "c-2": "same_person"}

    @pytest.mark.parametrize("key", ["email_key", "phone_key"])
    def test_a_person_in_an_active_enrolment_does_not_begin_another(self, key: str) -> None:
        """Whichever playbook it is."""
        assert reasons(of("c-1", **{key: "busy"}), of("c-2"), occupied=("busy",)) == {
            "c-1": "in_another_playbook", "c-2": None,
        }  # fmt: skip

    def test_an_occupied_double_frees_nobody(self) -> None:
        """Two records of one occupied person are both held."""
        found = reasons(of("c-1", email_key="busy"), of("c-2", email_key="busy"), occupied=("busy",))
        assert set(found.values()) == {"in_another_playbook"}

    def test_an_account_whose_contact_is_enrolled_elsewhere_does_not_begin(self) -> None:
        """All of its contacts count as one."""
        found = reasons(of("c-1", contact_occupied=True), of("c-2"))
        assert found == {"c-1": "in_another_playbook", "c-2": None}


class TestAccounts:
    """An enrolment of an account occupies the addresses of all its contacts, so no two may share one."""

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"account_phone_keys": ["desk", "p-1"]}, {"account_phone_keys": ["desk", "p-2"]}),
            ({"phone_key": "desk"}, {"account_phone_keys": ["desk"]}),
            ({"account_email_keys": ["desk"]}, {"email_key": "desk"}),
        ],
    )
    def test_of_two_accounts_with_one_address_one_begins(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        """The better priority, whichever contact of either has the address; it frees no third one."""
        found = reasons(of("c-2", priority=51, **first), of("c-1", **second), of("c-3", account_email_keys=["m-3"]))
        assert found == {"c-1": "same_person", "c-2": None, "c-3": None}

    def test_an_account_is_not_held_for_its_own_contacts(self) -> None:
        """The recipient is one of them, and two of them may share an address for both channels."""
        own = {"email_key": "m", "phone_key": "p", "account_email_keys": ["m", "n"], "account_phone_keys": ["n", "p"]}
        assert reasons(of("c-1", **own)) == {"c-1": None}

    def test_an_account_that_shares_with_one_held_out_is_held(self) -> None:
        """His contact would be reached behind the comparison's back."""
        found = reasons(
            of("c-1", holdout=True, priority=1, account_phone_keys=["desk"]), of("c-2", account_phone_keys=["desk"])
        )
        assert found == {"c-1": "holdout", "c-2": "same_person"}

    def test_an_account_that_does_not_begin_anyway_keeps_no_address(self) -> None:
        """Nothing to be sent to the better one: the other begins."""
        found = reasons(
            of("c-1", priority=99, touches=0, account_phone_keys=["desk"]), of("c-2", account_phone_keys=["desk"])
        )
        assert found == {"c-1": "nothing_to_send", "c-2": None}


ROWS = st.lists(
    st.fixed_dictionaries({
        "priority": st.none() | st.integers(0, 3), "holdout": st.booleans(),
        "owner_id": st.sampled_from(["own-ada", "own-ben", "own-nobody", None]),
        "business_segment": st.sampled_from(["household", "business"]), "touches": st.integers(0, 1),
        "items": st.integers(0, 3),
        "email_key": st.none() | st.sampled_from("abcdef"), "phone_key": st.none() | st.sampled_from("uvwxyz"),
    }),
    min_size=1, max_size=12,
).map(lambda rows: [{**row, "customer_id": f"c-{n:02}"} for n, row in enumerate(rows)])  # fmt: skip
ACCOUNTS = st.lists(
    st.fixed_dictionaries({
        "email_key": st.sampled_from("abcdef"), "phone_key": st.none() | st.sampled_from("uvwxyz"),
        "account_email_keys": st.lists(st.sampled_from("abcdef"), max_size=2, unique=True),
        "account_phone_keys": st.lists(st.sampled_from("uvwxyz"), max_size=2, unique=True),
        "holdout": st.sampled_from([False, False, True]),
    }),
    min_size=2, max_size=8,
).map(lambda rows: [{**row, "customer_id": f"c-{n:02}"} for n, row in enumerate(rows)])  # fmt: skip
ROOMS = st.builds(
    Room, st.integers(0, 6), st.fixed_dictionaries({"own-ada": st.integers(-1, 8), "own-ben": st.integers(0, 8)}),
    st.none() | st.just("household"), st.none() | st.integers(1, 4),
)  # fmt: skip


class TestProperties:
    """Whatever the candidates and the room are."""

    @given(ROWS, ROOMS)
    @settings(max_examples=200, deadline=None)
    def test_no_limit_is_exceeded(self, rows: list[dict[str, Any]], room: Room) -> None:
        """Places, items per owner, sample, segment, one person once, no holdout, nobody occupied."""
        found = reasons(*rows, room=room, occupied=("a", "u"))
        begun = [row for row in rows if found[row["customer_id"]] is None]
        assert len(begun) <= min(room.enrolments, room.sample_size or 99)
        for owner, items in room.items_by_owner.items():
            assert sum(row["items"] for row in begun if row["owner_id"] == owner) <= max(items, 0)
        for key in ("email_key", "phone_key"):
            keys = [row[key] for row in begun if row[key] is not None]
            assert len(keys) == len(set(keys))
            assert not {"a", "u"} & set(keys)
        assert not any(row["holdout"] or row["owner_id"] not in room.items_by_owner for row in begun)
        assert all(room.segment in (None, row["business_segment"]) for row in begun)

    @given(ACCOUNTS)
    @settings(max_examples=100, deadline=None)
    def test_accounts_are_held_for_an_earlier_ones_address_alone(self, rows: list[dict[str, Any]]) -> None:
        """Whoever begins occupies addresses that nobody before him has; whoever is held does not."""
        found = reasons(*rows)
        before: set[str] = set()
        for row in sorted(rows, key=lambda row: not row["holdout"]):
            own = {row["email_key"], row["phone_key"], *row["account_email_keys"], *row["account_phone_keys"]} - {None}
            shared = "same_person" if own & before else None
            assert found[row["customer_id"]] == ("holdout" if row["holdout"] else shared)
            before |= own

    @given(ROWS, ROOMS, st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None)
    def test_the_order_of_rows_changes_nothing(self, rows: list[dict[str, Any]], room: Room, random: Any) -> None:
        """A permutation of the candidates gives the same intake."""
        nobody = pa.array([], TEXT)
        shuffled = candidates(*random.sample(rows, len(rows)))
        assert take_in(candidates(*rows), room, nobody).equals(take_in(shuffled, room, nobody))


def test_nobody_is_taken_in() -> None:
    """No candidates give an empty table of the same columns."""
    assert reasons() == {}


class TestPilot:
    def test_who_is_kept_out_does_not_begin(self) -> None:
        """With the reason given, before any place is taken."""
        room = Room(
            enrolments=1, items_by_owner={"own-ada": 2}, kept_out={"best": "outside_pilot", "last": "pilot_over"}
        )
        told = reasons(of("best", priority=90), of("next"), of("last"), of("held", holdout=True), room=room)
        assert told == {"best": "outside_pilot", "next": None, "last": "pilot_over", "held": "holdout"}
