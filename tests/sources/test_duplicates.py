"""Several rows under one key: which one stands, and what of the others is not lost."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from tests.builders import account, case, consent, contact, days_ago, engagement, offer, product, purchase, suppression
from tests.sources.reads import column, problems, read, rows, said


class TestMostRestrictive:
    def test_of_consents_the_strictest_state_stands(self, tmp_path: Path) -> None:
        """However many rows a record has and in whatever order they come: every order of every set of states."""
        by_strictness = ["granted", "unknown", "withdrawn", "objected"]
        told = {f"r-{'-'.join(states)}": states for n in range(1, 5) for states in permutations(by_strictness, n)}
        assert len(told) == 64
        records = [
            consent(record, "c-ada", state=state, occurred_at=days_ago(n))
            for record, states in told.items()
            for n, state in enumerate(states)
        ]
        snapshot = read(tmp_path, consents=records)
        stand = {row["record_id"]: row["state"] for row in rows(snapshot, "consents") if row["record_id"] in told}
        assert stand == {record: max(states, key=by_strictness.index) for record, states in told.items()}
        assert said(snapshot, "consents")["duplicates"] == len(records) - len(told)

    def test_of_grants_the_weakest_stands(self, tmp_path: Path) -> None:
        """Two grants under one id: the weaker basis, then the older one."""
        grants = [
            consent("r-1", "c-ada", basis="double_opt_in", occurred_at=days_ago(5)),
            consent("r-1", "c-ada", basis="flag_only", occurred_at=days_ago(4)),
            consent("r-1", "c-ada", basis="flag_only", occurred_at=days_ago(400)),
        ]
        (row,) = [row for row in rows(read(tmp_path, consents=grants), "consents") if row["record_id"] == "r-1"]
        assert (row["basis"], row["occurred_at"]) == ("flag_only", days_ago(400))

    def test_of_cases_the_open_one_stands(self, tmp_path: Path) -> None:
        """A case that one row closes and another does not is open."""
        cases = [case("k-1", customer_id="c-ada", closed_at=days_ago(1)), case("k-1", customer_id="c-ada")]
        assert column(read(tmp_path, cases=cases), "cases", "closed_at") == [None]

    def test_of_cases_a_status_that_differs_is_not_lost(self, tmp_path: Path) -> None:
        """A case closed by one row and opened again by another: whether it is open nobody can say."""
        closed = case("k-1", customer_id="c-ada", closed_at=days_ago(1), status="closed")
        snapshot = read(tmp_path, cases=[closed, closed | {"closed_at": days_ago(9), "status": "reopened"}])
        assert [row["customer_id"] for row in rows(snapshot, "broken_nos")] == ["c-ada"]

    def test_of_suppressions_the_widest_stands(self, tmp_path: Path) -> None:
        """All brands and all channels before one of them."""
        noes = [
            suppression("s-1", customer_id="c-dov", channel="email", brand="harbour_finch"),
            suppression("s-1", customer_id="c-dov", channel="email"),
            suppression("s-1", customer_id="c-dov"),
        ]
        (row,) = rows(read(tmp_path, suppressions=noes), "suppressions")
        assert (row["brand"], row["channel"]) == (None, None)

    def test_a_no_of_another_subject_is_not_lost_with_its_row(self, tmp_path: Path) -> None:
        """One id used for two people's opt-outs: one row stands, the other person is suppressed as broken."""
        noes = [suppression("s-1", customer_id="c-dov"), suppression("s-1", customer_id="c-ben")]
        snapshot = read(tmp_path, suppressions=noes)
        named = {row["customer_id"] for name in ("suppressions", "broken_nos") for row in rows(snapshot, name)}
        assert named == {"c-dov", "c-ben"}

    def test_a_withdrawal_of_another_channel_is_not_lost(self, tmp_path: Path) -> None:
        """Withdrawn for e-mail and for SMS under one id: neither is forgotten."""
        both = [consent("r-1", "c-ada", state="withdrawn", channel=channel) for channel in ("email", "sms")]
        snapshot = read(tmp_path, consents=both)
        assert [row["customer_id"] for row in rows(snapshot, "broken_nos")] == ["c-ada"]


class TestLatest:
    def test_the_latest_row_stands(self, tmp_path: Path) -> None:
        """The older row is counted and gone, without quarantine."""
        both = [product("p-1", name="New", updated_at=days_ago(1)), product("p-1", name="Old", updated_at=days_ago(2))]
        snapshot = read(tmp_path, products=both)
        assert column(snapshot, "products", "name") == ["New"]
        assert (said(snapshot, "products")["duplicates"], problems(snapshot)) == (1, [])

    def test_two_latest_rows_that_differ_are_both_quarantined(self, tmp_path: Path) -> None:
        """Nobody can say which is true, the older third row included."""
        three = [product("p-1", name=name, updated_at=days_ago(age)) for name, age in (("A", 1), ("B", 1), ("C", 9))]
        snapshot = read(tmp_path, products=[*three, product("p-2")])
        assert column(snapshot, "products", "product_id") == ["p-2"]
        assert problems(snapshot) == [("products", "p-1", row, "product_id", "duplicate_key") for row in (1, 2, 3)]

    def test_identical_rows_are_one(self, tmp_path: Path) -> None:
        """A row exported twice says nothing twice; also where nothing says when it was updated."""
        snapshot = read(tmp_path, purchases=[purchase("b-1", "c-ada", days_ago(9))] * 3, offers=[offer("o-1")] * 2)
        assert column(snapshot, "purchase_summary", "purchases") == [1]
        assert column(snapshot, "offers", "offer_id") == ["o-1"]
        assert problems(snapshot) == []

    def test_facts_that_differ_under_one_id_are_both_quarantined(self, tmp_path: Path) -> None:
        """Two purchases with one id: neither counts."""
        both = [purchase("b-1", "c-ada", days_ago(9)), purchase("b-1", "c-ada", days_ago(8))]
        snapshot = read(tmp_path, purchases=both)
        assert snapshot.read("purchase_summary").num_rows == 0
        assert said(snapshot, "purchases")["quarantined"] == 2

    def test_an_unsubscribe_among_them_is_still_a_no(self, tmp_path: Path) -> None:
        """Two events with one id, one of them an unsubscribe: quarantined, and its customer suppressed."""
        both = [engagement("e-1", "c-ada", days_ago(9), "open"), engagement("e-1", "c-ben", days_ago(9), "unsubscribe")]
        snapshot = read(tmp_path, engagements=both)
        assert [row["customer_id"] for row in rows(snapshot, "broken_nos")] == ["c-ben"]


class TestMerged:
    def test_flags_are_the_worst_of_all_rows(self, tmp_path: Path) -> None:
        """The latest row stands, with the most restrictive relationship, fit and consent of any row, and all notes."""
        rows_ = [
            contact("c-ada", updated_at=days_ago(1), first_name="New", relationship_notes="likes mornings"),
            contact("c-ada", updated_at=days_ago(2), relationship="dispute", consent_email=False),
            contact("c-ada", updated_at=days_ago(3), relationship="sensitive", fit=None, is_subscriber_only=True),
        ]
        snapshot = read(tmp_path, contacts=rows_)
        (row,) = rows(snapshot, "contacts")
        assert (row["relationship"], row["fit"], row["consent_email"], row["is_subscriber_only"], row["has_notes"]) == (
            "dispute", None, False, True, True,
        )  # fmt: skip
        assert [row["first_name"] for row in rows(snapshot, "people") if row["kind"] == "person"] == ["New"]

    def test_an_unknown_flag_is_stricter_than_a_good_one(self, tmp_path: Path) -> None:
        """Good in one row and unknown in the other is unknown."""
        both = [account("a-quay"), account("a-quay", fit=None, relationship=None, updated_at=days_ago(9))]
        (row,) = rows(read(tmp_path, accounts=both), "accounts")
        assert (row["fit"], row["relationship"]) == (None, None)

    def test_rows_that_differ_only_in_flags_are_no_conflict(self, tmp_path: Path) -> None:
        """The rule decides them: the worst counts."""
        both = [contact("c-ada"), contact("c-ada", relationship="no_contact")]
        snapshot = read(tmp_path, contacts=both)
        assert column(snapshot, "contacts", "relationship") == ["no_contact"]
        assert problems(snapshot) == []

    def test_a_no_among_rows_in_conflict(self, tmp_path: Path) -> None:
        """Both rows are quarantined, and the customer one of them forbids is suppressed."""
        both = [contact("c-ada", first_name="Ada"), contact("c-ada", first_name="Ida", relationship="no_contact")]
        snapshot = read(tmp_path, contacts=both)
        assert {row["customer_id"] for row in rows(snapshot, "broken_nos")} == {"c-ada"}
        assert len(problems(snapshot)) == 2
