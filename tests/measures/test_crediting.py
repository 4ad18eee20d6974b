"""What brought people back, divided by hand, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa

from reactivation.measures.crediting import credit, credit_figures, removal_figures
from reactivation.measures.figures import Figure

DAY = 24 * 3600 * 1_000_000
#: Ann came back after four messages, Bob after two, Cat after none that counts: it was sent 31 days before.
RETURNED = pa.table({
    "number": pa.array([0, 1, 2], pa.int64()), "at": pa.array([n * DAY for n in (40, 45, 60)], pa.int64()),
    "amount": pa.array([Decimal("100.01"), Decimal("50.00"), Decimal("8.00")], pa.decimal128(18, 4)),
    "currency": ["GBP"] * 3,
})  # fmt: skip
PATHS = pa.table({
    "returned": pa.array([0, 0, 0, 0, 1, 1, 2], pa.int64()),
    "at": pa.array([n * DAY for n in (20, 24, 29, 35, 40, 44, 29)], pa.int64()),
    "touch_number": [1, 2, 3, 4, 1, 2, 1], "channel": ["email", "email", "sms", "email", "email", "email", "email"],
})  # fmt: skip


def figures() -> dict[tuple[str, str | None], Figure]:
    return {(figure.measure, figure.by): figure for figure in credit_figures(credit(RETURNED, PATHS))}


def _told(measure: str) -> dict[str | None, tuple[float | None, Decimal | None]]:
    return {by: (figure.rate, figure.amount) for (name, by), figure in figures().items() if name == measure}


def test_the_last_one_has_all_of_it() -> None:
    """With count, share and interval; and by channel."""
    assert _told("channel_attribution") == {
        "touch 2, email": (0.3333, Decimal("50.00")), "touch 4, email": (0.3333, Decimal("100.01")),
        "no message": (0.3333, Decimal("8.00")), "email": (0.6667, Decimal("150.01")),
    }  # fmt: skip
    last = figures()["channel_attribution", "email"]
    assert (last.count, last.of, last.low, last.high) == (2, 3, 0.2077, 0.9385)


def test_by_position_the_ends_have_forty_percent() -> None:
    """Ann's 100.01: 40.004, 10.001, 10.001 and 40.004; Bob's 50.00 in halves."""
    assert _told("position_attribution") == {
        "touch 1, email": (0.3, Decimal("65.004")), "touch 2, email": (0.2, Decimal("35.001")),
        "touch 3, sms": (0.0333, Decimal("10.001")), "touch 4, email": (0.1333, Decimal("40.004")),
        "no message": (0.3333, Decimal("8.00")), "email": (0.6333, Decimal("140.009")),
        "sms": (0.0333, Decimal("10.001")),
    }  # fmt: skip


def test_evenly_what_is_left_over_is_the_last_ones() -> None:
    """Ann's 100.01 ÷ 4 = 25.0025. Three messages divide a cent into .0033, .0033 and .0034."""
    told = _told("linear_attribution")
    assert told["touch 1, email"] == (0.25, Decimal("50.0025"))
    cent = RETURNED.slice(0, 1).set_column(2, "amount", pa.array([Decimal("0.0100")], pa.decimal128(18, 4)))
    rows = credit(cent, PATHS.slice(1, 3))
    assert [row["revenue"] for row in rows if row["measure"] == "linear_attribution"] == [
        Decimal("0.0033"), Decimal("0.0033"), Decimal("0.0034")
    ]  # fmt: skip


def test_under_every_rule_the_parts_add_up() -> None:
    """To the three reactivations and their 158.01."""
    for measure in ("channel_attribution", "position_attribution", "linear_attribution"):
        mine = [row for row in credit(RETURNED, PATHS) if row["measure"] == measure]
        assert round(sum(row["reactivations"] for row in mine), 9) == 3
        assert sum(row["revenue"] for row in mine) == Decimal("158.01")


def test_a_purchase_nobody_priced_is_credited_without_money() -> None:
    """And nobody who came back is nothing to divide."""
    unpriced = RETURNED.set_column(2, "amount", pa.nulls(3, pa.decimal128(18, 4)))
    assert {row["revenue"] for row in credit(unpriced, PATHS)} == {None}
    assert credit(RETURNED.slice(0, 0), PATHS.slice(0, 0)) == []
    assert credit_figures([]) == []


def test_by_what_would_be_lost_without_a_channel() -> None:
    """Of 13 people 9 began with email: 1/9 came back from there, 4/9 moved on to SMS; of the 8 it reached 4 came back.
    Five of 13 did; without SMS 9/13 x 1/9 is one, without email 4/13 x 1/2 two. 4/5 and 3/5 are 4 and 3 of 7."""
    ways = [(["email"], 1, 4), (["email", "sms"], 2, 2), (["sms"], 2, 2)]
    rows = [{"channels": channels, "returned": returned, "lost": lost} for channels, returned, lost in ways]
    email, sms = removal_figures(rows)
    assert (email.by, email.of, email.rate, email.note) == ("email", 5, 0.4286, "60.0% fewer without it")
    assert (sms.by, sms.of, sms.rate, sms.note) == ("sms", 5, 0.5714, "80.0% fewer without it")


def test_what_cannot_be_told_of_channels_is_said() -> None:
    """One channel alone is not compared with any; nobody came back, or nobody's window is over."""
    (alone,) = removal_figures([{"channels": ["email"], "returned": 2, "lost": 3}])
    assert (alone.of, alone.rate, alone.note) == (2, None, "one channel only")
    (nobody,) = removal_figures([{"channels": ["email", "sms"], "returned": 0, "lost": 3}])
    assert (nobody.of, nobody.rate, nobody.note) == (0, None, "not enough data")
    assert removal_figures([]) == [nobody]
