"""The canonical form of addresses and their keys: vectors that no library upgrade may change."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.contract.addresses import AddressKeyError, AddressKeys, canonical_email, canonical_phone

FIRST, SECOND, THIRD = b"first-key-of-the-test-vectors-01", b"second-key-of-the-test-vectors-2", b"t" * 90

EMAILS = {
    "Jane.Doe@Example.COM": "jane.doe@example.com",
    "  jane@x.de\u200b": "jane@x.de",
    "Jane Doe <Jane@X.de>": "jane@x.de",
    "mailto:jane@x.de": "jane@x.de",
    "jo\u0308rg@BÜCHER.de": "jörg@xn--bcher-kva.de",
    "STRASSE@faß.de": "strasse@xn--fa-hia.de",
    "straße@x.de": "strasse@x.de",
    "a@x.com.": "a@x.com",
    "\u212aelvin@x.de": "kelvin@x.de",
    "o'neil+news@sub.x.co.uk": "o'neil+news@sub.x.co.uk",
    "a_b@x_y.com": "a_b@x_y.com",
    "user@例え.jp": "user@xn--r8jz45g.jp",
    "a@xn--BCHER-KVA.de": "a@xn--bcher-kva.de",
}

PHONES = [
    ("07400 123456", "GB", "+447400123456"),
    ("+44 (0)7400 123456", None, "+447400123456"),
    ("00447400123456", "GB", "+447400123456"),
    ("(415) 555-2671", "US", "+14155552671"),
    ("1-415-555-2671", "us", "+14155552671"),
    ("0151 23456789", "DE", "+4915123456789"),
    ("06 12 34 56 78", "FR", "+33612345678"),
    ("011 15-2345-6789", "AR", "+5491123456789"),
    ("+39 06 698 82022", None, "+390669882022"),
]

KEYS_OF = {
    "jane.doe@example.com": (
        "b2e435c42469da76d86217daec324a34690933f537cf424f5400e0616a9cd3ad",
        "6bb2835f026a411c8657c0b39ae0010739bbe16553342a02ca32f1e5e4b89152",
    ),
    "jörg@xn--bcher-kva.de": (
        "17f89ab9f73a1c24d81d570121d0b75987e852908a707fea7cb1d2b527b8c977",
        "cc0ad29266f23b39f22cfc7ddc1fa06a06415e2dbaa82ead0d0bf61b5f2b1b17",
    ),
    "+447400123456": (
        "ae89b7a1bd2d2533b6d5a7dc81a3321e02429ca47fbb379c07df5cdafaa830d1",
        "8563bff4865c680faa612b7946711e48c530811a106a79271ebc8ecc7a0d4d70",
    ),
}


class TestCanonicalEmail:
    @pytest.mark.parametrize(("text", "canonical"), EMAILS.items())
    def test_vectors(self, text: str, canonical: str) -> None:
        """The form v1 is frozen: a suppression of today must still match in ten years."""
        assert canonical_email(text) == canonical

    @pytest.mark.parametrize("text", ["", "x", "@x.de", "a@", "a b@x.de", "a@@x.de", "a@x y.de", "a" * 401 + "@x.de"])
    def test_what_is_no_address_has_no_form(self, text: str) -> None:
        """Text that names no mailbox gives nothing."""
        assert canonical_email(text) is None

    @settings(deadline=None, max_examples=50)
    @given(st.emails())
    def test_is_its_own_form(self, address: str) -> None:
        """The canonical form of a canonical form is itself, and case never matters."""
        canonical = canonical_email(address)
        assert canonical is not None
        assert canonical_email(canonical) == canonical
        assert canonical_email(address.upper()) == canonical


class TestCanonicalPhone:
    @pytest.mark.parametrize(("text", "country", "canonical"), PHONES)
    def test_vectors(self, text: str, country: str | None, canonical: str) -> None:
        """Local and international notation of one number have one form."""
        assert canonical_phone(text, country) == canonical

    @pytest.mark.parametrize(
        ("text", "country"), [("07400123456", None), ("12", "GB"), ("call me", "GB"), ("+999 123456", None)]
    )
    def test_what_cannot_be_dialled_has_no_form(self, text: str, country: str | None) -> None:
        """Local notation without a country, and text that is no number, give nothing."""
        assert canonical_phone(text, country) is None


class TestAddressKeys:
    @pytest.mark.parametrize(("canonical", "keys"), KEYS_OF.items())
    def test_vectors(self, canonical: str, keys: tuple[str, str]) -> None:
        """One key, and the same after a rotation."""
        assert AddressKeys([FIRST]).key_of(canonical) == keys[0]
        assert AddressKeys([FIRST, SECOND]).key_of(canonical) == keys[1]

    @pytest.mark.parametrize("key", [FIRST, b"s" * 16, b"m" * 64, THIRD])
    def test_is_the_hmac_everybody_knows(self, key: bytes) -> None:
        """Our two-pass HMAC is the library's, whatever the length of the key."""
        expected = hmac.digest(key, "v1:jörg@x.de".encode(), "sha256").hex()
        assert AddressKeys([key]).key_of("jörg@x.de") == expected

    def test_a_stored_key_is_wrapped_to_what_a_look_up_finds(self) -> None:
        """Rotation needs no address: a key stored under one or two keys becomes the key of the whole chain."""
        chain = AddressKeys([FIRST, SECOND, THIRD])
        for made_with in (1, 2, 3):
            stored = AddressKeys([FIRST, SECOND, THIRD][:made_with]).key_of("a@x.de")
            assert chain.wrap(stored, made_with=made_with) == chain.key_of("a@x.de")

    def test_many_at_once_are_as_one_by_one(self) -> None:
        """The keys of many come in their order."""
        chain = AddressKeys([FIRST, SECOND])
        assert chain.keys_of(["b@x.de", "a@x.de"]) == [chain.key_of("b@x.de"), chain.key_of("a@x.de")]

    def test_check_values_tell_keys_apart(self) -> None:
        """There is one check value per key, in their order, and another key has another."""
        assert AddressKeys([FIRST, SECOND]).check_values() == (
            "b89b9b660a35628c1c44887bcb3fed2aae667a744d5115082773325601d225c8",
            "71fbadbfeafb12561ed4e2b9c41c057c7c8f8adff0776748c83fc5a47a38940d",
        )

    @pytest.mark.parametrize("keys", [[], [b"short"], [FIRST, b""]])
    def test_weak_or_missing_keys_are_refused(self, keys: list[bytes]) -> None:
        """Without a real key everything stops, and the message never shows one."""
        with pytest.raises(AddressKeyError) as refused:
            AddressKeys(keys)
        assert "short" not in str(refused.value)

    def test_keys_do_not_show(self) -> None:
        """The representation counts the keys and shows none."""
        assert repr(AddressKeys([FIRST, SECOND])) == "AddressKeys(2)"
