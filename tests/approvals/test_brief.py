"""What Airflow's form says of a list: enough to know what is asked, nothing personal, and no markup from a source."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests.approvals.asked import ITEMS, NOW

from reactivation import paths
from reactivation.approvals.brief import body, list_path, subject
from reactivation.ledger.lists import ListRow
from reactivation.playbooks.loader import load_playbook

PLAYBOOK = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook
ROW = ListRow(
    list_id="l-1", run_id="run-1", playbook="customer_reactivation", kind="offer", channel="email", touch_number=3,
    segment="household", owner_id="own-olu", offer_id="offer-credit-15",
    offer_terms="15 pounds off your next booking.", cost=Decimal("1234.50"), currency="GBP", authors=["operator"],
    digest="a" * 64, signing_code="aaaaaaaa", opened_at=NOW, expires_at=NOW + timedelta(days=3), state="open",
    closed_at=None,
)  # fmt: skip


class TestBody:
    def test_says_what_is_asked_and_what_stops_it(self) -> None:
        """The page, the offer with its cost, every stop rule and every item by number."""
        text = body(ROW, ITEMS, PLAYBOOK, {})

        assert list_path("l-1") in text
        assert "| Costs at most | GBP 1,234\\.50 |" in text
        assert "15 pounds off your next booking\\." in text
        assert all(rule.split()[0] in text for rule in PLAYBOOK.approval.stop_rules)
        assert "1 `c-ada` (individual)" in text
        assert "4 or more messages of the group" in text

    def test_every_claim_is_named_with_its_words(self) -> None:
        """What is said only because somebody reviewed it is listed, so that it can be looked up."""
        claims = {"clm-review-boilers": "ab" * 32, "clm-community-households": "cd" * 32}
        text = body(ROW, ITEMS, PLAYBOOK, claims)
        assert "| Claims | `clm-community-households`, words `cdcdcdcdcdcd`; `clm-review-boilers`" in text
        assert "Claims" not in body(ROW, ITEMS, PLAYBOOK, {})

    def test_the_signing_code_is_not_in_it(self) -> None:
        """The code proves that somebody looked at the page, so it stands there alone."""
        assert ROW.signing_code not in body(ROW, ITEMS, PLAYBOOK, {})

    def test_text_from_a_source_is_no_markup(self) -> None:
        """Links, images, tags, tables and code from a source stay text."""
        evil = "[click](https://evil.example) ![x](//evil) <img src=x> `code` | a | b |\n# Heading\n{{ 6*7 }}"
        items = (replace(ITEMS[0], customer_id="c`](https://evil.example)<b>|x"),)

        text = body(replace(ROW, offer_terms=evil, segment=evil, offer_id=evil), items, PLAYBOOK, {evil: "ab" * 32})

        for markup in (r"(?<!\\)<", r"(?<!\\)!\[", r"\n#+ Head", r" a \| b ", r"(?<!\\)`code", r"(?<!\\)\[click"):
            assert re.search(markup, text) is None

    def test_the_subject_is_one_plain_line(self) -> None:
        """Counts and codes, and no line break from a segment's name."""
        line = subject(replace(ROW, segment="house\nhold<b>"), ITEMS)

        assert line == "Sign an offer in 6 messages: customer_reactivation, touch 3, house?hold?b?, email"
