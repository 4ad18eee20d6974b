"""Drafts: whole rows or none, bytes that are what is signed, and offers that are always declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_string, policy
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.messages.letters import LINK, SEND, TENANT, drafter, due, offer

from reactivation.contract.digests import ITEM_FIELDS, item_digest
from reactivation.messages.drafts import DRAFTS
from reactivation.messages.fields import MessageError

DRAFTER = drafter()


class TagsOf(HTMLParser):
    """The tags of a page, as a mail program would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


class TestShippedMessages:
    def test_the_curiosity_has_no_offer(self) -> None:
        """Touch 1: greeted by name, signed by the owner, a way out, and nothing to redeem."""
        row = DRAFTER.draft(due(1))
        assert row["text"].startswith("Hello Maeve,")
        assert "Ada Marsh" in row["text"]
        assert LINK in row["text"]
        assert LINK in row["html"]
        assert [row[name] for name in ("offer_id", "offer_terms", "deadline", "code")] == [None] * 4

    def test_the_value_reward_states_its_offer(self) -> None:
        """Touch 3: reward, terms, code and the deadline on the recipient's clock, in both parts."""
        row = DRAFTER.draft(due(3, zone="America/New_York"))
        assert row["deadline"] == SEND + timedelta(hours=72)
        shown = ("£15 of account credit", offer().terms, "K7QD-M2RX", "Sunday 29 November 2026, 05:00 (New York time)")
        for words in shown:
            assert words in row["text"]
            assert words in row["html"]
        assert row["subject"] == "A small thank-you: £15 of account credit"
        assert row["offer_terms"] == offer().terms

    def test_an_offer_that_needs_no_code_shows_none(self) -> None:
        """The paragraph about the code goes with the code."""
        row = DRAFTER.draft(due(3, code=None))
        assert "code" not in row["text"].lower().replace("postcode", "")
        assert row["code"] is None

    def test_headers_let_one_click_leave(self) -> None:
        """RFC 8058: the https link and a mailto, and the post header."""
        headers = {header["name"]: header["value"] for header in DRAFTER.draft(due())["headers"]}
        assert headers["List-Unsubscribe"].startswith(f"<{LINK}>, <mailto:{TENANT.unsubscribe_mailto}?subject=")
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_rows_are_the_file(self) -> None:
        """A row has the columns of ``drafts.parquet``, survives the file, and its digest with it."""
        rows = [DRAFTER.draft(due(1)), DRAFTER.draft(due(3))]
        table = pa.Table.from_pylist(rows, schema=DRAFTS)
        assert all(set(row) == set(DRAFTS.names) for row in rows)
        assert [item_digest(row) for row in table.to_pylist()] == [row["digest"] for row in rows]


class TestRefusals:
    @pytest.mark.parametrize(("number", "changes", "code"), [
        (1, {"recipient": None}, "recipient_missing"),
        (1, {"recipient": "a@b.test\r\nBcc: c@d.test"}, "personalisation_unsafe"),
        (1, {"first_name": "Mae\nve"}, "personalisation_unsafe"),
        (1, {"first_name": "{{ 6*7 }}"}, "lint:template_leftover"),
        (1, {"owner_id": "own-zed"}, "owner_unknown"),
        (1, {"channel": "sms"}, "no_template"),
        (2, {}, "no_template"),
        (3, {"offer_id": "offer-gone"}, "offer_unknown"),
        (3, {"zone": None}, "zone_unknown"),
        (3, {"planned_send": SEND + timedelta(days=90)}, "offer_not_running"),
        (3, {"offer_id": None}, "personalisation_missing"),
    ])  # fmt: skip
    def test_a_touch_is_refused_with_a_reason(self, number: int, changes: dict[str, Any], code: str) -> None:
        """Each missing or unsafe ingredient refuses the whole draft, by a code and without personal data."""
        with pytest.raises(MessageError) as refused:
            DRAFTER.draft(due(number, **changes))
        assert refused.value.code == code
        assert "maeve" not in str(refused.value).lower()

    def test_terms_in_percent_do_not_reach_touch_three(self) -> None:
        """The template may be clean and the source's terms not: lint reads what the customer would."""
        percent = {"offer-credit-15": offer(terms="Worth 15% of a usual visit.")}
        with pytest.raises(MessageError) as refused:
            replace(DRAFTER, offers=percent).draft(due(3))
        assert refused.value.code == "lint:percent_in_reward"

    def test_a_product_named_in_touch_one_is_found(self) -> None:
        """The snapshot's product names are what lint looks for."""
        naming = replace(DRAFTER, product_names=frozenset({"one line"}))
        with pytest.raises(MessageError) as refused:
            naming.draft(due(1))
        assert refused.value.code == "lint:product_named"


class TestProperties:
    @given(name=st.text(max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_no_name_runs_or_forges(self, name: str) -> None:
        """Whatever the name: no new tag, no new header, the same subject, or no draft at all."""
        plain = DRAFTER.draft(due(1))
        try:
            row = DRAFTER.draft(due(1, first_name=name))
        except MessageError:
            return
        assert TagsOf(row["html"]).tags == TagsOf(plain["html"]).tags
        assert (row["subject"], row["headers"]) == (plain["subject"], plain["headers"])
        head = "".join(f"{header['name']}: {header['value']}\r\n" for header in row["headers"])
        parsed = message_from_string(f"Subject: {row['subject']}\r\n{head}\r\n{row['text']}", policy=policy.default)
        assert parsed.keys() == ["Subject", "List-Unsubscribe", "List-Unsubscribe-Post"]

    @given(name=st.sampled_from(["{{ 6*7 }}", "{{7*7}}", "{% for x in y %}", "{{ ''.__class__ }}", "${6*7}", "#{6*7}"]))
    def test_expressions_in_names_are_never_worked_out(self, name: str) -> None:
        """Names that look like code come through as the letters they are, or refuse the draft."""
        try:
            assert name in DRAFTER.draft(due(1, first_name=name))["text"]
        except MessageError as refused:
            assert refused.code == "lint:template_leftover"

    @given(field=st.sampled_from(ITEM_FIELDS), number=st.sampled_from([1, 3]))
    def test_any_changed_byte_changes_the_digest(self, field: str, number: int) -> None:
        """A signature covers every field of an item: change one and it no longer fits."""
        row = DRAFTER.draft(due(number))
        assert item_digest({**row, field: _other(row[field])}) != row["digest"]

    @given(
        words=st.sampled_from(["subject", "text", "html"]), at=st.floats(0, 0.999), letter=st.characters(codec="utf-8")
    )
    def test_any_changed_letter_changes_the_digest(self, words: str, at: float, letter: str) -> None:
        """One letter anywhere in what the customer reads."""
        row = DRAFTER.draft(due(3))
        place = int(at * len(row[words]))
        changed = row[words][:place] + letter + row[words][place + 1 :]
        assert (item_digest({**row, words: changed}) == row["digest"]) == (changed == row[words])

    @given(
        number=st.sampled_from([1, 3]),
        offer_id=st.sampled_from([None, "offer-credit-15"]),
        code=st.sampled_from([None, "K7QD-M2RX"]),
    )
    def test_an_offer_in_the_bytes_is_an_offer_in_the_row(
        self, number: int, offer_id: str | None, code: str | None
    ) -> None:
        """Whatever is put together: a reward or a code that a customer reads is one that was approved as an offer."""
        try:
            row = DRAFTER.draft(due(number, offer_id=offer_id, code=code))
        except MessageError:
            return
        says_offer = any(sign in row[part] for part in ("text", "html") for sign in ("credit", "K7QD-M2RX", "£"))
        assert says_offer == (row["offer_id"] is not None)
        assert says_offer == (row["offer_terms"] is not None)


def _other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, list):
        return [*value, "r-more"]
    return "x" if value is None else f"{value} "
