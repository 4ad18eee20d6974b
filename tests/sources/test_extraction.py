"""A whole read, and the same read of a few customers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.builders import (
    AS_OF,
    KEYS,
    account,
    case,
    claim,
    consent,
    contact,
    days_ago,
    engagement,
    purchase,
    suppression,
    tables,
    write_source,
)  # fmt: skip
from tests.sources.reads import column, plus, problems, read, rows, said

from reactivation.contract.snapshot import SNAPSHOT
from reactivation.evidence import EvidenceError, engine
from reactivation.sources import SourceError, extract, open_source


class TestExtract:
    def test_every_file_is_there_under_its_schema(self, tmp_path: Path) -> None:
        """All files of a snapshot, in order, whole by their digests; also of a source with nothing but contacts."""
        only_contacts = {name: None for name in tables() if name != "contacts"}
        for snapshot in (read(tmp_path / "whole"), read(tmp_path / "bare", **only_contacts)):
            snapshot.verify()
            assert set(snapshot.files) == {f"{name}.parquet" for name in SNAPSHOT}
            for name, schema in SNAPSHOT.items():
                assert snapshot.read(name).schema == schema, name

    def test_the_six_customers(self, tmp_path: Path) -> None:
        """Who they are, by key and without a name or an address."""
        snapshot = read(tmp_path)
        assert column(snapshot, "contacts", "customer_id") == ["c-ada", "c-ben", "c-cem", "c-dov", "c-eva", "c-fay"]
        ada = rows(snapshot, "contacts")[0]
        assert (ada["email_key"], ada["phone_key"]) == (KEYS.key_of("ada.hart@gmail.com"), KEYS.key_of("+447400123456"))
        assert (ada["email_problem"], ada["phone_problem"], ada["phone_country"]) == (None, None, "GB")
        assert [row["phone_problem"] for row in rows(snapshot, "contacts")[1:]] == ["missing"] * 5
        assert [row["address_key"] for row in rows(snapshot, "suppressions")] == [KEYS.key_of("dov.hart@gmail.com")]
        for name in snapshot.files:
            if name != "people.parquet":
                content = (snapshot.path / name).read_bytes()
                assert b"Hart" not in content
                assert b"gmail.com" not in content

    def test_addresses_that_reach_nobody(self, tmp_path: Path) -> None:
        """Missing, invalid, a role's, thrown away after use; each in words, the key kept where there is one."""
        emails = {"c-1": None, "c-2": "x@y", "c-3": "info@quay.example", "c-4": "me@mailinator.com"}
        snapshot = read(tmp_path, contacts=[contact(who, email=email) for who, email in emails.items()])
        assert column(snapshot, "contacts", "email_problem") == ["missing", "invalid", "role", "disposable"]
        assert [key is None for key in column(snapshot, "contacts", "email_key")] == [True, False, False, False]

    def test_people_are_as_they_are_addressed(self, tmp_path: Path) -> None:
        """Canonical address, E.164, the account's name, notes."""
        people = rows(read(tmp_path, accounts=[account("a-quay", relationship_notes="met at fair")]), "people")
        by_key = {row["key"]: row for row in people}
        assert (by_key["c-ada"]["email"], by_key["c-ada"]["phone"]) == ("ada.hart@gmail.com", "+447400123456")
        assert by_key["c-cem"]["account_name"] == "Quay Dental Ltd"
        assert (by_key["a-quay"]["kind"], by_key["a-quay"]["relationship_notes"]) == ("account", "met at fair")

    def test_a_bare_flag_becomes_an_unverified_record(self, tmp_path: Path) -> None:
        """Only a yes does; it has no evidence and says where it comes from."""
        flags = [contact("c-1"), contact("c-2", consent_email=False), contact("c-3", consent_email=None)]
        (row,) = rows(read(tmp_path, contacts=flags, consents=[]), "consents")
        assert row == row | {
            "record_id": "flag:c-1", "customer_id": "c-1", "channel": "email", "state": "granted",
            "basis": "flag_only", "evidence_ref": None, "source": "contacts.consent_email",
            "occurred_at": contact("c-1")["created_at"],
        }  # fmt: skip

    def test_manifest_says_what_was_read(self, tmp_path: Path) -> None:
        """The source and when it speaks, its tables, the rules and the keys it was read with."""
        snapshot = read(tmp_path)
        assert (snapshot.id, snapshot.as_of) == ("snapshot", AS_OF)
        (source,) = snapshot.manifest["sources"]
        assert (source["name"], source["speaks_as_of"]) == ("source", "2026-11-17T09:00:00.000000+00:00")
        assert said(snapshot, "contacts") == {
            "present": True, "rows": 6, "unknown_columns": [], "missing_columns": [], "quarantined": 0,
            "duplicates": 0, "broken_nos": 0, "broken_unreadable_nos": 0, "file": "contacts.csv",
        }  # fmt: skip
        assert snapshot.manifest["inputs"]["addresses"].startswith("2026-11+")

    def test_an_existing_snapshot_is_never_rewritten(self, tmp_path: Path) -> None:
        """The same folder twice is refused."""
        read(tmp_path)
        with pytest.raises(EvidenceError, match="never rewritten"):
            read(tmp_path)

    def test_a_broken_file_leaves_nothing(self, tmp_path: Path) -> None:
        """Not even an empty folder, and the message names the file."""
        with pytest.raises(SourceError, match=r"claims\.csv line 2"):
            read(tmp_path, claims="claim_id,kind\nm-1\n")
        assert [file.name for file in tmp_path.iterdir()] == ["source"]


class TestAsOf:
    def test_what_permits_is_limited(self, tmp_path: Path) -> None:
        """A grant, a closing, a confirmation and a review after the as-of did not yet happen."""
        later = AS_OF + timedelta(seconds=1)
        snapshot = read(
            tmp_path,
            consents=[
                consent("r-1", "c-ada", occurred_at=later),
                consent("r-2", "c-ben", confirmed_at=later),
                consent("r-3", "c-cem", confirmed_at=AS_OF, occurred_at=AS_OF),
            ],
            cases=[
                case("k-1", customer_id="c-ada", closed_at=later),
                case("k-2", customer_id="c-ben", closed_at=AS_OF),
            ],
            claims=[claim("m-1", captured_at=later), claim("m-2", reviewed_at=later)],
        )
        kept = [row for row in rows(snapshot, "consents") if not row["record_id"].startswith("flag:")]
        assert [(row["record_id"], row["confirmed_at"]) for row in kept] == [("r-2", None), ("r-3", AS_OF)]
        assert column(snapshot, "cases", "closed_at") == [None, AS_OF]
        claims = [(row["claim_id"], row["reviewed_at"], row["reviewed_by"]) for row in rows(snapshot, "claims")]
        assert claims == [("m-2", None, None)]

    def test_what_forbids_is_not(self, tmp_path: Path) -> None:
        """A withdrawal, a suppression and a case dated after the as-of count."""
        later = AS_OF + timedelta(days=3)
        snapshot = read(
            tmp_path,
            consents=[consent("r-1", "c-ada", state="withdrawn", occurred_at=later)],
            suppressions=[suppression("s-1", customer_id="c-ada", occurred_at=later)],
            cases=[case("k-1", customer_id="c-ada", opened_at=later)],
        )
        assert "r-1" in column(snapshot, "consents", "record_id")
        assert column(snapshot, "suppressions", "suppression_id") == ["s-1"]
        assert column(snapshot, "cases", "case_id") == ["k-1"]


class TestDeterminism:
    def test_the_same_source_and_as_of_give_the_same_files(self, tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
        """Twice, with one thread and with four, dirt included: byte for byte."""
        dirty = {
            "contacts": [*plus("contacts", contact("c-ada", relationship="poor"), contact("c-bad", last_seen="?"))] * 2,
            "engagements": plus("engagements", engagement("e-9", "c-ben", days_ago(1), "unsubscribed")),
            "purchases": [purchase(f"b-{n}", f"c-{n % 97}", days_ago(n % 800), amount="0.1") for n in range(9000)],
        }
        first = read(tmp_path / "first", **dirty)
        assert first.read("broken_nos").num_rows
        for threads in (1, 4):
            monkeypatch.setattr(
                engine.open_engine, "__kwdefaults__", {"threads": threads, "spill": None, "memory": None}
            )
            assert read(tmp_path / str(threads), **dirty).files == first.files


class TestById:
    def test_reads_what_touches_them_and_nothing_else(self, tmp_path: Path) -> None:
        """Their own rows, their account and its cases, and the offers everybody may get."""
        snapshot = read(
            tmp_path, customer_ids=["c-cem", "c-eva"], cases=plus("cases", case("k-9", account_id="a-quay")),
            accounts=[account("a-quay"), account("a-other")],
        )  # fmt: skip
        assert column(snapshot, "contacts", "customer_id") == ["c-cem", "c-eva"]
        assert column(snapshot, "accounts", "account_id") == ["a-quay"]
        assert column(snapshot, "cases", "case_id") == ["k-1", "k-9"]
        assert column(snapshot, "purchase_summary", "customer_id") == ["c-cem", "c-eva"]
        assert column(snapshot, "consents", "record_id") == ["flag:c-cem", "flag:c-eva", "r-cem", "r-eva"]
        assert column(snapshot, "suppressions", "suppression_id") == []
        assert column(snapshot, "offers", "offer_id") == ["offer-credit-15", "offer-early-spring", "offer-percent-20"]

    def test_says_of_a_customer_what_the_whole_read_says(self, tmp_path: Path) -> None:
        """Each row of the few is the row of the whole."""
        whole, few = read(tmp_path / "whole"), read(tmp_path / "few", customer_ids=["c-ada", "c-dov"])
        for name in ("contacts", "consents", "suppressions", "purchase_summary", "engagement_summary", "people"):
            mine = [row for row in rows(whole, name) if (row.get("customer_id")) in ("c-ada", "c-dov")]
            assert rows(few, name) == mine, name

    @pytest.mark.parametrize(
        "other",
        [
            contact("c-ida", email=" ADA.Hart@Gmail.com "),
            contact("c-ida", email="Ida <ada.hart@gmail.com>"),
            contact("c-ida", phone="+44 (0)7400-123456"),
            contact("c-ida", phone="0044 7400 123 456", country="FR"),
        ],
        ids=["email", "name and email", "phone", "phone from abroad"],
    )
    def test_who_shares_an_address_is_read_too(self, tmp_path: Path, other: dict[str, object]) -> None:
        """A person is an address: their opt-out under another customer is theirs."""
        snapshot = read(
            tmp_path, customer_ids=["c-ada"], contacts=plus("contacts", other),
            suppressions=[suppression("s-1", customer_id="c-ida")],
        )  # fmt: skip
        assert column(snapshot, "contacts", "customer_id") == ["c-ada", "c-ida"]
        assert column(snapshot, "suppressions", "suppression_id") == ["s-1"]

    @pytest.mark.parametrize(
        "address", ["ADA.HART@gmail.com", "mailto:ada.hart@gmail.com", "+44 7400 123 456", "0044 (0)7400 123456"]
    )
    def test_suppressions_by_address_are_found(self, tmp_path: Path, address: str) -> None:
        """However the address is written; others' suppressions stay out."""
        noes = [suppression("s-1", address=address), suppression("s-2", address="eve@x.de")]
        snapshot = read(tmp_path, customer_ids=["c-ada"], suppressions=noes)
        assert column(snapshot, "suppressions", "suppression_id") == ["s-1"]

    def test_letters_outside_ascii_are_found(self, tmp_path: Path) -> None:
        """A domain written in its own letters and in ASCII is one."""
        contacts = [contact("c-jo", email="jörg@bücher.de")]
        noes = [suppression("s-1", address="JO\u0308RG@xn--bcher-kva.de")]
        snapshot = read(tmp_path, customer_ids=["c-jo"], contacts=contacts, suppressions=noes)
        assert column(snapshot, "suppressions", "suppression_id") == ["s-1"]

    def test_a_no_about_nobody_is_seen(self, tmp_path: Path) -> None:
        """A row whose subject cannot be read may be about any of them."""
        snapshot = read(
            tmp_path, customer_ids=["c-ada"], suppressions=[suppression("s-1"), suppression("s-2", address="?")],
            consents=[consent("r-1", "", state="withdrawn"), consent("r-2", "eve@x.de", state="withdrawn")],
        )  # fmt: skip
        assert said(snapshot, "suppressions")["broken_unreadable_nos"] == 2
        assert said(snapshot, "consents")["broken_unreadable_nos"] == 2

    def test_doubles_of_one_key_are_settled_as_in_the_whole(self, tmp_path: Path) -> None:
        """A grant that loses to another customer's withdrawal under the same id does not come back."""
        records = [consent("r-1", "c-ada"), consent("r-1", "c-ben", state="withdrawn")]
        snapshot = read(tmp_path, customer_ids=["c-ada"], consents=records)
        assert [row["state"] for row in rows(snapshot, "consents") if row["record_id"] == "r-1"] == ["withdrawn"]

    def test_rows_are_told_by_their_place_in_the_file(self, tmp_path: Path) -> None:
        """A bad row has the number it has in the whole."""
        bought = [purchase("b-1", "c-ben", AS_OF), purchase("b-2", "c-ada", AS_OF, kind="gift")]
        assert problems(read(tmp_path, customer_ids=["c-ada"], purchases=bought))[0][2] == 2

    def test_a_customer_who_is_not_there(self, tmp_path: Path) -> None:
        """No row, no error: the dispatcher holds what it cannot find."""
        snapshot = read(tmp_path, customer_ids=["c-gone"], contacts=None)
        assert snapshot.read("contacts").num_rows == 0

    def test_ids_are_text_not_sql(self, tmp_path: Path) -> None:
        """An id with a quote in it is an id."""
        who = "c-o'neil"
        snapshot = read(tmp_path, customer_ids=[who], contacts=plus("contacts", contact(who, email="o'neil@x.com")))
        assert column(snapshot, "contacts", "customer_id") == [who]


def test_a_source_read_twice_at_one_as_of(tmp_path: Path) -> None:
    """Ids of snapshots are in the manifest alone: two snapshots differ in nothing else."""
    source = open_source(write_source(tmp_path / "source"))
    first, second = (extract(source, into=tmp_path / name, snapshot_id=name, as_of=AS_OF, keys=KEYS) for name in "ab")
    manifests = [json.dumps(folder.manifest | {"id": ""}, sort_keys=True) for folder in (first, second)]
    assert manifests[0] == manifests[1]
    assert first.manifest_digest != second.manifest_digest
