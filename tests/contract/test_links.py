"""A recipient's link names one touch, for ever, and cannot be made by anybody else."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.contract.links import LinkKeys

OLD, NEW = b"the first address key, 32 bytes.", b"the second address key, 32 byte."
LINKS = LinkKeys([OLD])
TOUCH = "6f0f4c1e-3d0e-5d0a-9c39-2b8a4c5d6e7f"


def test_a_known_token() -> None:
    """It lies in mailboxes for years: whatever changes this value breaks every link that was sent."""
    assert LINKS.token_of(TOUCH) == "AW8PTB49Dl0KnDkrikxdbn96X9elGse0lHUPhc_orX0E"
    assert LINKS.touch_of(LINKS.token_of(TOUCH)) == TOUCH


@given(st.uuids())
def test_a_token_names_its_touch_and_fits_into_a_path(touch_id: object) -> None:
    """44 signs that no mail program breaks or escapes, the same each time."""
    token = LINKS.token_of(str(touch_id))
    assert token.replace("-", "a").replace("_", "a").isalnum()
    assert len(token) == 44
    assert (token, LINKS.touch_of(token)) == (LINKS.token_of(str(touch_id)), str(touch_id))


@given(st.uuids(), st.integers(0, 33 * 8 - 1))
def test_one_other_bit_is_another_token(touch_id: object, bit: int) -> None:
    """Version, touch and tag alike: nobody gets from his own link to somebody else's."""
    raw = bytearray(urlsafe_b64decode(LINKS.token_of(str(touch_id))))
    raw[bit // 8] ^= 1 << bit % 8
    assert LINKS.touch_of(urlsafe_b64encode(raw).decode()) is None


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{44}", fullmatch=True))
def test_what_we_never_gave_out_names_nobody(text: str) -> None:
    """Whatever somebody types, in whatever letters."""
    assert LINKS.touch_of(text) is None


@pytest.mark.parametrize("end", ["\n", "=", " ", "A"])
def test_a_token_is_written_in_one_way_only(end: str) -> None:
    """Nothing may hang on to it."""
    assert LINKS.touch_of(LINKS.token_of(TOUCH) + end) is None


def test_a_link_outlives_a_new_address_key() -> None:
    """What was sent before is still believed; what is sent from now on is signed with the newest."""
    both = LinkKeys([OLD, NEW])
    assert both.touch_of(LINKS.token_of(TOUCH)) == TOUCH
    assert both.token_of(TOUCH) == LinkKeys([NEW]).token_of(TOUCH)
    assert LINKS.touch_of(both.token_of(TOUCH)) is None, "another installation's"


def test_the_key_of_links_is_not_the_address_key() -> None:
    """Nor are links made by whoever knows one of them."""
    named = b"\x01" + UUID(TOUCH).bytes
    forged = urlsafe_b64encode(named + hmac.digest(OLD, named, "sha256")[:16]).decode()
    assert LINKS.touch_of(forged) is None
    assert repr(LINKS) == "LinkKeys(1)"


def test_without_an_address_key_there_are_no_links() -> None:
    """And only a UUID is a touch."""
    with pytest.raises(ValueError, match="no address key"):
        LinkKeys([])
    with pytest.raises(ValueError, match="badly formed"):
        LINKS.token_of("t-1")
