"""The canonical form is frozen: a digest signed today must be found again in ten years."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.contract.digests import ITEM_FIELDS, canonical_json, digest, item_digest

DRAFT: dict[str, Any] = {
    "touch_id": "0b0c", "address_key": "ab" * 32, "channel": "email", "sender": "Harbour & Finch <hello@example.com>",
    "recipient": "zoe@example.com", "subject": "A question, Zoë", "text": "Hello Zoë\n", "html": "<p>Hello Zoë</p>",
    "headers": [{"name": "List-Unsubscribe", "value": "<https://example.com/u>"}], "offer_terms": None,
    "claims": [{"claim_id": "clm-1", "text_digest": "ef" * 32}], "deadline": None, "code": None,
    "not_before": datetime(2026, 12, 1, 10, tzinfo=UTC),
    "not_after": datetime(2026, 12, 6, 10, tzinfo=UTC), "basis_records": ["con-1"], "rules_version": "1+abc",
    "playbook_digest": "cd" * 32,
}  # fmt: skip


def test_canonical_form_is_frozen() -> None:
    """Sorted keys, no spaces, UTF-8, instants in UTC, amounts as plain text."""
    value = {
        "b": [Decimal("1500.50"), None, True],
        "a": datetime(2026, 3, 29, 3, 0, tzinfo=timezone(timedelta(hours=2))),
    }
    assert canonical_json(value) == b'{"a":"2026-03-29T01:00:00.000000+00:00","b":["1500.5",null,true]}'


def test_known_item_digest() -> None:
    """A library upgrade that changes this value would void every signature."""
    assert item_digest(DRAFT) == "0641b71daf1b5df9129d7723b8456998a1caf0dd81bd2f392dc65df45057bf96"


@pytest.mark.parametrize("field", ITEM_FIELDS)
def test_every_field_is_covered(field: str) -> None:
    """Changing any one field changes the digest; leaving it out is an error that names it."""
    changed = {**DRAFT, field: ["other"] if field in ("headers", "claims", "basis_records") else "other"}
    assert item_digest(changed) != item_digest(DRAFT)
    with pytest.raises(KeyError, match=field):
        item_digest({k: v for k, v in DRAFT.items() if k != field})


def test_columns_outside_the_signature_do_not_matter() -> None:
    """What else stands in the row (the enrolment, the digest itself) is not signed."""
    assert item_digest({**DRAFT, "enrolment_id": "x", "digest": "y"}) == item_digest(DRAFT)


@pytest.mark.parametrize("value", [1.5, object(), datetime(2026, 1, 1), b"bytes", {1, 2}])  # noqa: DTZ001
def test_values_without_canonical_form_are_refused(value: object) -> None:
    """Floats, naive times and bytes have no single text form."""
    with pytest.raises(TypeError):
        digest(value)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none()))
def test_key_order_does_not_matter(value: dict[str, object]) -> None:
    """The same facts in another order are the same facts."""
    assert digest(dict(reversed(value.items()))) == digest(value)


_WORDS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.recursive(_WORDS | st.integers() | st.booleans() | st.none(), lambda some: (
    st.lists(some) | st.dictionaries(_WORDS, some)
)))  # fmt: skip
def test_the_canonical_form_is_json_as_the_standard_library_writes_it(value: Any) -> None:
    """Whatever library writes it, every escape and the order of the keys stay what was signed."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_json(value) == written.encode()
