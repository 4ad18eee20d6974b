"""Many e-mail addresses at once."""

from __future__ import annotations

import pyarrow as pa
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.contract.addresses import canonical_email
from reactivation.contract.emails import AddressRules, email_facts

RULES = AddressRules("test", frozenset({"info", "no-reply"}), frozenset({"mailinator.com"}))


def facts(text: str) -> tuple[str | None, str | None]:
    """Canonical form and problem of one address."""
    (row,) = email_facts(pa.array([text]), RULES).to_pylist()
    return row["canonical"], row["problem"]


class TestEmailFacts:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("Jane.Doe@Example.com", None),
            ("o'neil@x.com", None),
            ("a@bücher.de", None),
            ("Jane <jane@x.com>", None),
            ("jane@harbour-finch.example", None),
            ("INFO@b.de", "role"),
            ("no-reply+42@b.de", "role"),
            ("Office Team <info@b.de>", "role"),
            ("jane@mailinator.com", "disposable"),
            ("jane@eu.mailinator.com", "disposable"),
            ("jane", "invalid"),
            ("a..b@x.com", "invalid"),
            ("a@gmail", "invalid"),
            ("a@-x.com", "invalid"),
            ("jane@x.test", "invalid"),
            ("info@x.test", "invalid"),
            ("ä@x.de", "invalid"),
            ("a" * 65 + "@x.com", "invalid"),
            ("a@" + "b" * 64 + ".com", "invalid"),
            ("a@" + "b" * 63 + ".com", None),
            ("a@" + "bb.cc." * 41 + "dd.com", None),
            ("a@" + "bb.cc." * 41 + "ddd.com", "invalid"),
            ("a@xn--bcher-kva.de", None),
            ("a@xn--.de", "invalid"),
            ("a@ab--c.de", "invalid"),
            ("a@b.c0m", None),
            ("a@b.c0", "invalid"),
            ("a@localhost.local", "invalid"),
            ("a@notlocal.com", None),
        ],
    )
    def test_problems(self, text: str, problem: str | None) -> None:
        """A problem is what keeps a message from reaching the person."""
        assert facts(text)[1] == problem

    def test_an_invalid_address_keeps_its_form(self) -> None:
        """Who opted out with an address that is no longer valid must still be found."""
        assert facts("Jane@Firm.local") == ("jane@firm.local", "invalid")

    @settings(deadline=None, max_examples=200)
    @given(st.from_regex(r"[a-z0-9-]{1,4}(\.[a-z0-9-]{1,4}){0,2}\.(com|c0|test|arpa|onion|-e|e)", fullmatch=True))
    def test_a_domain_is_as_valid_as_the_library_says(self, domain: str) -> None:
        """Most domains are told by a look at their letters; none of them otherwise than by the library."""
        try:
            validate_email(f"a@{domain}", check_deliverability=False)
        except EmailNotValidError:
            valid = False
        else:
            valid = True
        assert (facts(f"a@{domain}")[1] is None) == valid

    @settings(deadline=None, max_examples=50)
    @given(
        st.lists(
            st.one_of(
                st.emails(),
                st.from_regex(r"[a-zA-Z0-9.+_-]{1,8}@[a-zA-Z0-9.-]{1,8}\.(com|de|test)", fullmatch=True),
                st.from_regex(r"[ıſßKa.@<> +]{1,10}", fullmatch=True),
                st.text(max_size=12),
            ),
            unique=True,
            max_size=20,
        )
    )
    def test_the_fast_way_gives_the_frozen_form(self, texts: list[str]) -> None:
        """Whatever way an address takes, its form is that of ``canonical_email``."""
        found = email_facts(pa.array(texts, pa.string()), RULES)
        assert found["text"].to_pylist() == texts
        assert found["canonical"].to_pylist() == [canonical_email(text) for text in texts]
