"""Drafts: whole rows or none, bytes that are what is signed, and offers that are always declared."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_string, policy
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.messages.letters import CLAIMS, LINK, OFFERS, SEND, TENANT, drafter, due, due_sms, offer, percent, words_of

from reactivation.contract.digests import ITEM_FIELDS, item_digest
from reactivation.contract.links import LinkKeys
from reactivation.messages.drafts import DRAFTS, DueTouch
from reactivation.messages.fields import MessageError
from reactivation.messages.sms import segments

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


@pytest.mark.parametrize("number", range(1, 8))
class TestAllSeven:
    def test_the_letter_passes_every_check(self, number: int) -> None:
        """Each of the seven, with what belongs to it; its claim is signed with it, by id and words."""
        row = DRAFTER.draft(due(number))
        assert row["offer_id"] == OFFERS.get(number)
        claims = [{"claim_id": c, "text_digest": words_of(c).digest} for n, (c, _) in CLAIMS.items() if n == number]
        assert row["claims"] == claims
        for part in ("text", "html"):
            assert all(words_of(claim["claim_id"]).text in " ".join(row[part].split()) for claim in claims)

    def test_the_text_message_passes_every_check(self, number: int) -> None:
        """From the declared number, of at most two segments, with neither subject, page nor headers."""
        row = DRAFTER.draft(due_sms(number))
        assert (row["sender"], row["recipient"]) == ("+447700900123", "+447700900456")
        assert [row["subject"], row["html"], row["headers"]] == [None, None, []]
        assert (segments(row["text"]) or 9) <= 2
        assert item_digest(pa.Table.from_pylist([row], schema=DRAFTS).to_pylist()[0]) == row["digest"]

    def test_no_source_value_changes_what_the_letter_is_made_of(self, number: int) -> None:
        """Markup in any value of a source stays text: no tag more than with plain values."""
        evil = "<b>x</b><script>1</script>"
        plain = TagsOf(DRAFTER.draft(due(number))["html"]).tags
        marked = {one.offer_id: replace(one, terms=f"{one.terms} {evil}") for one in DRAFTER.offers.values()}
        row = replace(DRAFTER, offers=marked).draft(due(number, product_name=f"Tap {evil}"))
        assert TagsOf(row["html"]).tags == plain


class TestWithoutAll:
    def test_a_product_without_a_page_leads_to_the_account(self) -> None:
        """The link is the customer's own account then."""
        row = DRAFTER.draft(due(2, product_url=None))
        assert f'href="{TENANT.account_url}"' in row["html"]
        assert TENANT.account_url in row["text"]

    def test_early_access_needs_no_claim(self) -> None:
        """Its own end is what limits it."""
        row = DRAFTER.draft(due(5, claim_id=None, claim_kind=None))
        assert row["claims"] == []

    def test_a_claim_about_what_is_left_needs_no_access(self) -> None:
        """A limited drop is limited by its evidence."""
        row = DRAFTER.draft(due(5, offer_id=None, code=None))
        assert row["subject"] == "What is left, as of today"
        assert row["claims"] != []

    def test_a_tenant_without_a_number_sends_no_text_messages(self) -> None:
        """The sender is declared or there is none."""
        silent = replace(DRAFTER, tenant=TENANT.model_copy(update={"sms": None}))
        with pytest.raises(MessageError) as refused:
            silent.draft(due_sms(1))
        assert refused.value.code == "sender_missing"

    @pytest.mark.parametrize(("changes", "code"), [
        ({"value": Decimal(15)}, "lint:discount_small"), ({"redeem_within_hours": 24}, "lint:offer_valid_for"),
        ({"redeem_within_hours": 96}, "lint:offer_valid_for"),
        ({"ends_at": SEND + timedelta(hours=47)}, "lint:offer_valid_for"),
    ])  # fmt: skip
    def test_the_discount_is_real_and_short(self, changes: dict[str, Any], code: str) -> None:
        """A fifth or more, for two to three days from the planned send."""
        with pytest.raises(MessageError) as refused:
            replace(DRAFTER, offers={"offer-percent-20": percent(**changes)}).draft(due(6))
        assert refused.value.code == code


class TestRefusals:
    @pytest.mark.parametrize(("number", "changes", "code"), [
        (1, {"recipient": None}, "recipient_missing"),
        (1, {"recipient": "a@b.test\r\nBcc: c@d.test"}, "personalisation_unsafe"),
        (1, {"first_name": "Mae\nve"}, "personalisation_unsafe"),
        (1, {"first_name": "{{ 6*7 }}"}, "personalisation_unsafe"),
        (1, {"first_name": "50% off: evil.me"}, "personalisation_unsafe"),
        (2, {"product_name": "{{ 6*7 }}"}, "lint:template_leftover"),
        (1, {"owner_id": "own-zed"}, "owner_unknown"),
        (1, {"channel": "post"}, "no_template"),
        (1, {"channel": "sms", "recipient": "07700 900456"}, "recipient_unusable"),
        (2, {"product_name": None}, "product_missing"),
        (2, {"affinity_source": None}, "affinity_unknown"),
        (2, {"product_url": "https://elsewhere.test/boiler"}, "lint:link_foreign"),
        (4, {"claim_id": None}, "claim_missing"),
        (4, {"claim_id": "clm-unwritten"}, "claim_text_missing"),
        (5, {"claim_id": None, "offer_id": None, "code": None}, "claim_missing"),
        (6, {"offer_id": None, "code": None}, "personalisation_missing"),
        (7, {"claim_id": None}, "claim_missing"),
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
    def test_expressions_in_products_are_never_worked_out(self, name: str) -> None:
        """Names that look like code come through as the letters they are, or refuse the draft."""
        try:
            assert name in DRAFTER.draft(due(2, product_name=name))["text"]
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
        number=st.integers(1, 7),
        offer_id=st.sampled_from([None, *OFFERS.values()]),
        code=st.sampled_from([None, "K7QD-M2RX"]),
        made=st.sampled_from([due, due_sms]),
    )
    def test_an_offer_in_the_bytes_is_an_offer_in_the_row(
        self, number: int, offer_id: str | None, code: str | None, made: Callable[..., DueTouch]
    ) -> None:
        """Whatever is put together: a reward or a code that a customer reads is one that was approved as an offer."""
        try:
            row = DRAFTER.draft(made(number, offer_id=offer_id, code=code))
        except MessageError:
            return
        page = row["html"] or ""
        read = f"{row['subject']} {row['text']} {re.sub('<[^>]*>', '', page[page.find('<body') :])}"
        says_offer = any(sign in read for sign in ("credit", "K7QD-M2RX", "£", "%", "First pick", "diary opens"))
        assert says_offer == (row["offer_id"] is not None), read
        assert says_offer == (row["offer_terms"] is not None)


def _other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, list):
        return [*value, "r-more"]
    return "x" if value is None else f"{value} "


class TestOurOwnWayOut:
    LINKS = LinkKeys([b"an address key of these tests..."])
    OURS = drafter(
        tenant=TENANT.model_copy(update={"unsubscribe_url": "https://go.harbour-finch.example/u/{token}"}), links=LINKS
    )

    @pytest.mark.parametrize("number", range(1, 8))
    def test_every_message_passes_every_check_with_it(self, number: int) -> None:
        """The link in both parts and in the header is one, and its token names the touch and nobody else."""
        row = self.OURS.draft(due(number))
        link = f"https://go.harbour-finch.example/u/{self.LINKS.token_of(due().touch_id)}"
        assert row["headers"][0]["value"].startswith(f"<{link}>, <mailto:")
        assert (link in row["text"], link in row["html"]) == (True, True)

    def test_the_same_draft_has_the_same_digest(self) -> None:
        """A token is worked out, not drawn: what was signed is what is sent."""
        assert self.OURS.draft(due()) == self.OURS.draft(due())

    def test_a_token_that_reads_like_words_does_not_change_the_verdict(self) -> None:
        """Copy is judged without it, and once for everybody."""
        rows = [self.OURS.draft(due(touch_id=f"6f0f4c1e-3d0e-5d0a-9c39-2b8a4c5d6e{n:02x}")) for n in range(40)]
        assert len({row["headers"][0]["value"] for row in rows}) == 40

    def test_without_a_key_nothing_is_drafted(self) -> None:
        """Better no message than one without a way out."""
        with pytest.raises(MessageError) as refused:
            replace(self.OURS, links=None).draft(due())
        assert refused.value.code == "link_key_missing"
