"""Purchases and engagements condensed to one row per customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from tests.builders import AS_OF, Row, days_ago, engagement, purchase
from tests.sources.reads import read, rows


def bought(folder: Path, *purchases: Row) -> dict[str, Any]:
    """The purchase summary of one customer."""
    (row,) = rows(read(folder, purchases=list(purchases)), "purchase_summary")
    return dict(row)


def did(folder: Path, *events: Row) -> dict[str, Any]:
    """The engagement summary of one customer."""
    (row,) = rows(read(folder, engagements=list(events)), "engagement_summary")
    return dict(row)


class TestPurchases:
    def test_counts_sums_and_dates(self, tmp_path: Path) -> None:
        """Each figure by hand."""
        row = bought(
            tmp_path,
            purchase("b-1", "c-ada", days_ago(800), amount="100", margin="40", category="heating"),
            purchase("b-2", "c-ada", days_ago(400), amount="50.5", margin=None, discount="5", offer_code="X"),
            purchase("b-3", "c-ada", days_ago(30), kind="booking", amount="20", margin="-1", category="exterior",
                     product="Gutter clearing"),
            purchase("b-4", "c-ada", days_ago(30) + timedelta(hours=1), kind="booking", amount="30", margin="9",
                     category=None, product=None),
        )  # fmt: skip
        assert row == row | {
            "purchases": 4, "purchase_days": 3, "same_day_merges": 1, "gaps": 2, "gap_seconds_total": 770 * 86400,
            "first_purchase_at": days_ago(800), "last_purchase_at": days_ago(30) + timedelta(hours=1),
            "last_order_at": days_ago(400), "last_booking_at": days_ago(30) + timedelta(hours=1),
            "last_subscription_at": None, "orders": 2, "bookings": 2, "subscriptions": 0,
            "currency": "GBP", "currencies": 1, "revenue": Decimal("200.5"), "revenue_24m": Decimal("100.5"),
            "margin_24m": Decimal("8"), "margin_revenue_24m": Decimal("50"), "margin_known_rows": 3,
            "discounted_purchases": 1, "discount_total": Decimal("5"), "codes_redeemed": 1,
            "top_category": "heating", "last_category": "exterior", "last_product": "Gutter clearing",
        }  # fmt: skip
        assert row["month_counts"] == [*[0] * 9, 3, 0, 0]

    def test_what_lies_after_the_as_of_is_not_known(self, tmp_path: Path) -> None:
        """A purchase a microsecond later does not count; one at the as-of does."""
        row = bought(
            tmp_path,
            purchase("b-1", "c-ada", AS_OF),
            purchase("b-2", "c-ada", AS_OF + timedelta(microseconds=1)),
        )
        assert (row["purchases"], row["last_purchase_at"]) == (1, AS_OF)

    def test_cancelled_purchases(self, tmp_path: Path) -> None:
        """A cancelled order is none from then on; a cancelled subscription was bought, and its end is told."""
        row = bought(
            tmp_path,
            purchase("b-1", "c-ada", days_ago(90), cancelled_at=days_ago(80)),
            purchase("b-2", "c-ada", days_ago(70), cancelled_at=days_ago(-1)),
            purchase("b-3", "c-ada", days_ago(60), kind="subscription", period_end=days_ago(30)),
            purchase(
                "b-4", "c-ada", days_ago(30), kind="subscription", period_end=days_ago(0), cancelled_at=days_ago(5)
            ),
        )
        assert (row["orders"], row["subscriptions"]) == (1, 2)
        assert (row["subscription_cancelled_at"], row["period_end"]) == (days_ago(5), AS_OF)

    def test_mixed_currencies_have_no_sum(self, tmp_path: Path) -> None:
        """Pounds and euros are not added."""
        row = bought(
            tmp_path, purchase("b-1", "c-ada", days_ago(9)), purchase("b-2", "c-ada", days_ago(8), currency="eur")
        )
        money = ("currency", "revenue", "revenue_24m", "margin_24m", "margin_revenue_24m", "discount_total")
        assert [row[name] for name in money] == [None] * 6
        assert row["currencies"] == 2

    def test_24_months_are_calendar_months(self, tmp_path: Path) -> None:
        """The same day two years ago is outside, the moment after it inside."""
        edge = datetime(2024, 11, 17, 9, tzinfo=UTC)
        row = bought(
            tmp_path, purchase("b-1", "c-ada", edge), purchase("b-2", "c-ada", edge + timedelta(seconds=1), amount="7")
        )
        assert row["revenue_24m"] == Decimal(7)

    def test_unknown_margin_is_unknown(self, tmp_path: Path) -> None:
        """No margin known is not a margin of nothing."""
        row = bought(tmp_path, purchase("b-1", "c-ada", days_ago(9), margin=None))
        assert (row["margin_24m"], row["margin_revenue_24m"], row["margin_known_rows"]) == (None, None, 0)

    def test_ties_are_broken_to_the_end(self, tmp_path: Path) -> None:
        """Two purchases at one moment: the greatest name is the last; two categories as frequent: by name."""
        row = bought(
            tmp_path,
            purchase("b-2", "c-ada", days_ago(9), category="zinc", product="Z"),
            purchase("b-1", "c-ada", days_ago(9), category="adhesive", product="A"),
        )
        assert (row["top_category"], row["last_category"], row["last_product"]) == ("adhesive", "zinc", "Z")

    def test_the_order_of_the_file_does_not_show(self, tmp_path: Path) -> None:
        """Any order of the same rows gives the same bytes: 60 customers with ties of day, amount and category, each
        with rows in an order of his own; backwards, and shuffled."""
        purchases = [
            purchase(f"b-{n}", f"c-{n % 60}", days_ago(n * n % 7), amount=f"{n % 11}.10", category=f"cat-{n * n % 5}")
            for n in range(900)
        ]
        shuffled = Random(7).sample(purchases, len(purchases))  # noqa: S311  (an order, not a secret)
        orders = {"as_is": purchases, "backwards": purchases[::-1], "shuffled": shuffled}
        told = {name: read(tmp_path / name, purchases=in_order) for name, in_order in orders.items()}
        assert told["as_is"].read("purchase_summary").num_rows == 60
        assert told["backwards"].files == told["shuffled"].files == told["as_is"].files


class TestEngagements:
    def test_last_of_each_kind_and_counts(self, tmp_path: Path) -> None:
        """What shows interest, up to the as-of, within 180 days where it is a count."""
        row = did(
            tmp_path,
            *(engagement(f"e-{kind}", "c-ada", days_ago(3), kind)
              for kind in ("open", "click", "visit", "login", "usage", "reply", "browse", "cart_abandon")),
            engagement("e-1", "c-ada", days_ago(181), "open"),
            engagement("e-2", "c-ada", days_ago(-1), "open"),
        )  # fmt: skip
        for kind in ("open", "click", "visit", "login", "usage", "reply", "browse", "cart_abandon"):
            assert row[f"last_{kind}_at"] == days_ago(3), kind
        assert (row["opens_180d"], row["clicks_180d"]) == (1, 1)

    def test_what_forbids_counts_whenever_it_happened(self, tmp_path: Path) -> None:
        """An unsubscribe dated tomorrow is an unsubscribe."""
        row = did(
            tmp_path,
            *(engagement(f"e-{kind}", "c-ada", days_ago(-1), kind) for kind in ("bounce", "complaint", "unsubscribe")),
        )
        assert [row[f"last_{kind}_at"] for kind in ("bounce", "complaint", "unsubscribe")] == [days_ago(-1)] * 3
        assert row["bounces"] == 1

    def test_only_a_later_open_is_nobody(self, tmp_path: Path) -> None:
        """Who did nothing that counts has no row."""
        snapshot = read(tmp_path, engagements=[engagement("e-1", "c-ada", days_ago(-1), "open")])
        assert snapshot.read("engagement_summary").num_rows == 0

    def test_messages_fill_caps_once(self, tmp_path: Path) -> None:
        """Sent and delivered are one message; a later one counts too; without a channel it may be either."""
        row = did(
            tmp_path,
            engagement("e-1", "c-ada", days_ago(1), "sent", channel="sms"),
            engagement("e-2", "c-ada", days_ago(1), "delivered", channel="sms"),
            engagement("e-3", "c-ada", days_ago(6), "sent", channel="sms"),
            engagement("e-4", "c-ada", days_ago(8), "sent", channel="sms"),
            engagement("e-5", "c-ada", days_ago(4), "delivered", channel=None),
            engagement("e-6", "c-ada", days_ago(-0.1), "sent", channel="email"),
        )
        assert (row["sms_sent_7d"], row["sent_48h"], row["sent_180d"]) == (2, 2, 3)
        assert (row["last_sms_sent_at"], row["last_email_sent_at"]) == (days_ago(1), days_ago(-0.1))

    def test_affinity_and_objection(self, tmp_path: Path) -> None:
        """The most browsed category, the last abandoned one, the last objection."""
        row = did(
            tmp_path,
            engagement("e-1", "c-ada", days_ago(9), "browse", category="heating"),
            engagement("e-2", "c-ada", days_ago(8), "browse", category="heating"),
            engagement("e-3", "c-ada", days_ago(1), "browse", category="exterior"),
            engagement("e-4", "c-ada", days_ago(7), "cart_abandon", category="exterior"),
            engagement("e-5", "c-ada", days_ago(6), "reply", objection="too dear"),
            engagement("e-6", "c-ada", days_ago(60), "reply", objection="moved away"),
        )
        assert (row["browse_category"], row["cart_category"], row["last_objection"]) == (
            "heating",
            "exterior",
            "too dear",
        )
