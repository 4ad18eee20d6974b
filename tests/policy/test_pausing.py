"""What is paused, and whom it concerns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from reactivation.policy.pausing import Halt, Part, paused_ids, standing_parts

IDS = pa.chunked_array([["c-1", "c-2", "c-3", "c-4"]])
VARIANTS = pa.chunked_array([["bold", "bold", "control", None]])
SEGMENTS = pa.chunked_array([["household", "business", "household", "household"]])


@pytest.mark.parametrize(("paused", "held"), [
    ([], {}),
    ([Part("bold")], {"c-1": "variant_paused", "c-2": "variant_paused"}),
    ([Part("bold", "household")], {"c-1": "variant_paused"}),
    ([Part("bold", "business"), Part("control")], {"c-2": "variant_paused", "c-3": "variant_paused"}),
    ([Part("other")], {}),
    ([Part("bold"), Part()], dict.fromkeys(("c-1", "c-2", "c-3", "c-4"), "playbook_paused")),
])  # fmt: skip
def test_only_those_in_it_wait(paused: list[Part], held: dict[str, str]) -> None:
    """Whoever has no variant waits for the playbook alone."""
    assert paused_ids(IDS, VARIANTS, SEGMENTS, paused) == held


@pytest.mark.parametrize(("wide", "narrow", "covers"), [
    (Part(), Part("bold", "business"), True), (Part("bold"), Part("bold", "business"), True),
    (Part("bold", "business"), Part("bold", "business"), True), (Part("bold", "business"), Part("bold"), False),
    (Part("bold"), Part("control"), False), (Part("bold"), Part(), False),
])  # fmt: skip
def test_a_part_covers_what_is_in_it(wide: Part, narrow: Part, covers: bool) -> None:
    """And never what is around it."""
    assert wide.covers(narrow) is covers


def test_what_an_owner_resumed_stands_no_more() -> None:
    """Its pause is remembered, and stops nobody."""
    since = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    halts = [Halt(Part("bold"), since, since + timedelta(days=2)), Halt(Part("bold", "business"), since)]
    assert list(standing_parts(halts)) == [Part("bold", "business")]
