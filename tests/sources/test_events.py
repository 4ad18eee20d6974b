"""What a few customers did since an instant."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.builders import Row, days_ago, engagement, purchase, write_source

from reactivation.sources import EVENTS, open_source, read_events


def events(folder: Path, *customers: str, **replaced: list[Row] | None) -> list[dict[str, Any]]:
    """Events of these customers after a hundred days ago."""
    source = open_source(write_source(folder, **replaced))
    return read_events(source, customer_ids=customers, since=days_ago(100)).to_pylist()


class TestReadEvents:
    def test_engagements_and_purchases_in_their_order(self, tmp_path: Path) -> None:
        """Each with the name of its table, its kind and what it is of."""
        bought = [purchase("b-1", "c-ada", days_ago(2), kind="booking", offer_code="SPRING20")]
        did = [engagement("e-1", "c-ada", days_ago(3), "click", touch_id="t-1")]
        first, second = events(tmp_path, "c-ada", purchases=bought, engagements=did)
        assert (first["event_id"], first["kind"], first["touch_id"]) == ("engagements:e-1", "click", "t-1")
        assert (second["event_id"], second["kind"], second["offer_code"]) == ("purchases:b-1", "booking", "SPRING20")
        assert (second["amount"], second["currency"], second["discount"]) == (Decimal("120.00"), "GBP", None)

    def test_a_cancellation_names_what_it_takes_back(self, tmp_path: Path) -> None:
        """With the instant it was cancelled."""
        bought = [purchase("b-1", "c-ada", days_ago(9), cancelled_at=days_ago(8))]
        (event,) = events(tmp_path, "c-ada", purchases=bought, engagements=[])
        assert (event["kind"], event["about"], event["occurred_at"]) == ("cancelled", "purchases:b-1", days_ago(8))

    def test_only_after_the_instant_and_only_theirs(self, tmp_path: Path) -> None:
        """Exactly then is not after; a cancelled order is told as that, a cancelled subscription was bought."""
        bought = [
            purchase("b-1", "c-ada", days_ago(100)),
            purchase("b-2", "c-ada", days_ago(99)),
            purchase("b-3", "c-ada", days_ago(9), cancelled_at=days_ago(8)),
            purchase("b-4", "c-ada", days_ago(9), cancelled_at=days_ago(8), kind="subscription"),
            purchase("b-5", "c-ben", days_ago(9)),
        ]
        found = events(tmp_path, "c-ada", purchases=bought, engagements=[])
        assert [event["event_id"] for event in found] == ["purchases:b-2", "purchases:b-4", "cancelled:b-3"]

    def test_noes_come_whenever_they_happened(self, tmp_path: Path) -> None:
        """An unsubscribe of last year still counts."""
        did = [engagement(f"e-{kind}", "c-ada", days_ago(400), kind) for kind in ("unsubscribe", "open")]
        (event,) = events(tmp_path, "c-ada", purchases=None, engagements=did)
        assert event["kind"] == "unsubscribe"

    def test_a_broken_no_is_still_one(self, tmp_path: Path) -> None:
        """Its kind where it can be read, else unreadable; a broken visit is nothing."""
        did: list[Row] = [
            engagement("e-1", "c-ada", days_ago(9), "complaint") | {"occurred_at": "?"},
            engagement("e-2", "c-ada", days_ago(9), "unsubscribed"),
            engagement("ada@x.de", "c-ada", days_ago(9), "bounce"),
            engagement("e-4", "c-ada", days_ago(9), "visit") | {"occurred_at": "?"},
        ]
        found = {event["event_id"]: event for event in events(tmp_path, "c-ada", purchases=None, engagements=did)}
        assert {name: event["kind"] for name, event in found.items()} == {
            "engagements:e-1": "complaint",
            "engagements:e-2": "unreadable",
            "engagements:broken:c-ada": "bounce",
        }
        assert found["engagements:e-1"]["occurred_at"] == days_ago(100)

    def test_nobody_asked_nothing_said(self, tmp_path: Path) -> None:
        """No customers, or no files of facts: no events, under the same schema."""
        assert events(tmp_path / "a") == []
        assert events(tmp_path / "b", "c-ada", purchases=None, engagements=None) == []
        source = open_source(write_source(tmp_path / "c"))
        assert read_events(source, customer_ids=["c-fay"], since=days_ago(100)).schema == EVENTS
