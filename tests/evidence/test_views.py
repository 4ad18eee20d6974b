"""What statements over a folder give."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from reactivation.evidence import in_order


@given(st.lists(st.integers(0, 10_000), max_size=400))
def test_a_result_is_put_in_order_with_its_rows_whole(numbers: list[int]) -> None:
    """Whether it came in a few pieces, in many or in none; equal ones stay as they came."""
    came = [(f"{number:05}", place) for place, number in enumerate(numbers)]
    rows = pa.table({"id": pa.array([one for one, _ in came], pa.string()), "place": [place for _, place in came]})
    found = in_order(rows, "id")
    assert list(zip(*found.to_pydict().values(), strict=True)) == sorted(came)


def test_pieces_of_two_threads_change_places() -> None:
    """Each has taken every other part of a file that is in order."""
    parts = [[f"{number:04}" for number in range(begin, begin + 500)] for begin in range(0, 4_000, 500)]
    taken = [*parts[::2], *parts[1::2]]
    rows = pa.concat_tables([pa.table({"id": part}) for part in taken])
    assert in_order(rows, "id")["id"].to_pylist() == sorted(one for part in parts for one in part)
