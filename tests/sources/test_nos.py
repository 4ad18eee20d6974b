"""A broken no is still a no: its subject is suppressed, and if nobody knows whose it is the table is not ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.builders import KEYS, account, case, consent, contact, days_ago, engagement, suppression
from tests.sources.reads import plus, problems, read, rows, said

ADA_EMAIL = KEYS.key_of("ada.hart@gmail.com")
ADA_PHONE = KEYS.key_of("+447400123456")


def broken(snapshot: Any, table: str) -> list[tuple[str | None, str | None, str | None]]:
    """Subjects of broken noes of one table: customer, account, address key."""
    return [(row["customer_id"], row["account_id"], row["address_key"])
            for row in rows(snapshot, "broken_nos") if row["table"] == table]  # fmt: skip


class TestWhoIsSuppressed:
    @pytest.mark.parametrize(
        ("table", "row"),
        [
            ("consents", consent("r-x", "c-ben", state="withdrawn", occurred_at="last week")),
            ("consents", consent("r-x", "c-ben", state="Objected", brand=None)),
            ("consents", consent("r-x", "c-ben", state="withdrwn")),
            ("consents", consent("r-x", "c-ben", state=None)),
            ("cases", case("k-x", customer_id="c-ben", opened_at="?")),
            ("cases", case("k-x", customer_id="c-ben", opened_at="?", closed_at=days_ago(3), status="reopened")),
            ("cases", case("k-x", customer_id="c-ben", closed_at=days_ago(3), status=None)),
            ("cases", case("k-x", customer_id="c-ben", closed_at="05/06/2026")),
            ("cases", case("k-x", customer_id="c-ben", closed_at=days_ago(30), opened_at=days_ago(20))),
            ("suppressions", suppression("s-x", customer_id="c-ben", reason="stop")),
            ("suppressions", suppression("s-x", customer_id="c-ben", occurred_at="")),
            ("engagements", engagement("e-x", "c-ben", "?", "unsubscribe")),  # type: ignore[arg-type]
            ("engagements", engagement("e-x", "c-ben", days_ago(1), "unsubscribed")),
            ("engagements", engagement("", "c-ben", days_ago(1), "complaint")),
        ],
        ids=str,
    )
    def test_by_customer(self, tmp_path: Path, table: str, row: dict[str, Any]) -> None:
        """Whatever is broken in a row that says no, or may: the customer it names is suppressed."""
        snapshot = read(tmp_path, **{table: plus(table, row)})
        assert broken(snapshot, table) == [("c-ben", None, None)]
        assert (said(snapshot, table)["broken_nos"], said(snapshot, table)["broken_unreadable_nos"]) == (1, 0)
        assert problems(snapshot)

    def test_a_lost_contact_with_a_reopened_case(self, tmp_path: Path) -> None:
        """A closing time closes nothing that was opened again, whoever shares the address."""
        contacts = [contact("c-ada"), contact("c-old", email="ADA.hart@gmail.com", last_seen="?")]
        reopened = case("k-1", customer_id="c-old", closed_at=days_ago(3), status="reopened")
        assert broken(read(tmp_path, contacts=contacts, cases=[reopened]), "contacts") == [("c-old", None, ADA_EMAIL)]

    def test_by_account(self, tmp_path: Path) -> None:
        """An account's open case and an account's flag are about all of its people."""
        snapshot = read(
            tmp_path,
            cases=plus("cases", case("k-x", account_id="a-quay", kind="row")),
            accounts=[account("a-quay", relationship="legal", annual_value="much")],
        )
        assert broken(snapshot, "cases") == broken(snapshot, "accounts") == [(None, "a-quay", None)]

    @pytest.mark.parametrize("change", [{"relationship": "dispute"}, {"fit": "bad"}, {"relationship": "legall"}])
    def test_by_every_address_of_a_contact(self, tmp_path: Path, change: dict[str, str]) -> None:
        """A contact's row that is lost leaves its customer and its addresses: they may live on under another."""
        row = contact("c-ada", phone="07400 123456", account_id="a-quay", last_seen="?", **change)
        snapshot = read(tmp_path, contacts=[row])
        assert sorted(broken(snapshot, "contacts")) == sorted([("c-ada", None, ADA_EMAIL), ("c-ada", None, ADA_PHONE)])

    def test_by_address_alone(self, tmp_path: Path) -> None:
        """A suppression that knows no customer is hashed at the door even when it is broken."""
        row = suppression("s-x", address="Ada.Hart@GMAIL.com", reason="stop")
        assert broken(read(tmp_path, suppressions=[row]), "suppressions") == [(None, None, ADA_EMAIL)]

    def test_a_local_number_suppresses_every_reading_of_it(self, tmp_path: Path) -> None:
        """Nobody says which country a number is of, so it is a no in each there are contacts in."""
        contacts = [contact("c-ada", phone="07400 123456"), contact("c-max", country="DE")]
        snapshot = read(tmp_path, contacts=contacts, suppressions=[suppression("s-x", address="07400 123456")])
        assert (None, None, ADA_PHONE) in broken(snapshot, "suppressions")
        assert problems(snapshot) == [("suppressions", "s-x", 1, "address", "ambiguous")]

    def test_a_local_number_with_one_reading_is_simply_read(self, tmp_path: Path) -> None:
        """With contacts of one country there is no doubt."""
        contacts = [contact("c-ada", phone="07400 123456")]
        snapshot = read(tmp_path, contacts=contacts, suppressions=[suppression("s-x", address="07400 123456")])
        assert [row["address_key"] for row in rows(snapshot, "suppressions")] == [ADA_PHONE]
        assert problems(snapshot) == []

    def test_a_lost_contact_that_somebody_says_no_about(self, tmp_path: Path) -> None:
        """The opt-out of a customer whose contact row is broken still holds for whoever shares the address."""
        contacts = [contact("c-ada"), contact("c-old", email="ADA.hart@gmail.com", last_seen="?")]
        snapshot = read(tmp_path, contacts=contacts, suppressions=[suppression("s-1", customer_id="c-old")])
        assert broken(snapshot, "contacts") == [("c-old", None, ADA_EMAIL)]


class TestWhoIsNot:
    @pytest.mark.parametrize(
        ("table", "row"),
        [
            ("consents", consent("r-x", "c-ben", state="granted", channel="fax")),
            ("engagements", engagement("e-x", "c-ben", "?", "open")),  # type: ignore[arg-type]
            ("contacts", contact("c-new", last_seen="?")),
            ("contacts", contact("c-new", last_seen="?", relationship=None, fit=None)),
        ],
        ids=str,
    )
    def test_a_broken_row_that_says_no_no(self, tmp_path: Path, table: str, row: dict[str, Any]) -> None:
        """A broken grant or an open mail is quarantined and nothing more."""
        snapshot = read(tmp_path, **{table: plus(table, row)})
        assert broken(snapshot, table) == []
        assert said(snapshot, table)["broken_unreadable_nos"] == 0
        assert len(problems(snapshot)) == 1


class TestWhoCannotBeRead:
    @pytest.mark.parametrize(
        ("table", "row"),
        [
            ("suppressions", suppression("s-x")),
            ("suppressions", suppression("s-x", address="jane at work")),
            ("suppressions", suppression("s-x", customer_id="ada@x.de")),
            ("consents", consent("r-x", "", state="withdrawn")),
            ("cases", case("k-x")),
            ("engagements", engagement("e-x", "", days_ago(1), "complaint")),
            ("contacts", contact("", relationship="no_contact", email="?")),
            ("accounts", account("", relationship="no_contact")),
        ],
        ids=str,
    )
    def test_makes_the_table_not_ready(self, tmp_path: Path, table: str, row: dict[str, Any]) -> None:
        """A no about nobody cannot be obeyed, so the manifest counts it for readiness to block on."""
        snapshot = read(tmp_path, **{table: plus(table, row)})
        assert said(snapshot, table)["broken_unreadable_nos"] == 1
        assert broken(snapshot, table) == []
