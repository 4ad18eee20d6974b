"""Names, mailboxes and telephone numbers, as people type them into a CRM."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.sample import columns as col
from reactivation.sample.cast import Cast
from reactivation.sample.countries import COUNTRIES
from reactivation.sample.dice import Dice
from reactivation.sample.names import NAMES
from reactivation.sample.telephones import telephone_numbers
from reactivation.sample.traits import MAILBOXES, Traits, code
from reactivation.sample.world import BUSINESS, MAIL_DOMAINS

_LETTERS_WITHOUT_PARTS = str.maketrans({"ı": "i", "ß": "ss"})


@dataclass
class NumbersGiven:
    """How many telephone numbers of each place were given out so far: a number reserved for fiction has one holder."""

    by_place: dict[tuple[str, int], int] = field(default_factory=dict)


def names(dice: Dice, traits: Traits, cast: Cast) -> tuple[pa.Array, pa.Array]:
    """First and last names, of the pool of each customer's country."""
    pools = [NAMES[c.names] for c in COUNTRIES]
    first = _from_pools([pool[0] for pool in pools], dice, "first name", traits)
    last = _from_pools([pool[1] for pool in pools], dice, "last name", traits)
    return cast.override("first", first, traits), cast.override("last", last, traits)


def mailboxes(dice: Dice, traits: Traits, cast: Cast, first: pa.Array, last: pa.Array) -> pa.Array:
    """The e-mail address of each customer; null where there is none."""
    story = traits.mailbox
    number = pc.cast(pa.array(traits.number + 1), pa.string())
    role = pa.array(story == code(MAILBOXES, "role"))
    person = pc.binary_join_element_wise(_slug(first), ".", _slug(last), number, "")
    desk = col.words(("info", "office", "accounts"), dice.below("role", traits.number, 3))
    local = pc.if_else(role, desk, person)
    firm = pc.binary_join_element_wise("firm", pc.cast(pa.array(traits.account), pa.string()), ".example", "")
    home = pc.binary_join_element_wise("home", number, ".example", "")
    private = col.words(MAIL_DOMAINS, dice.below("domain", traits.number, len(MAIL_DOMAINS)))
    domain = pc.if_else(pa.array(traits.segment == BUSINESS), firm, pc.if_else(role, home, private))
    at = col.words(("@", " at "), (story == code(MAILBOXES, "invalid")).astype(np.int64))
    address = pc.binary_join_element_wise(local, at, domain, "")
    address = pc.if_else(pa.array(dice.chance("shouted", traits.number, 30)), pc.utf8_upper(address), address)
    address = pc.if_else(pa.array(story == code(MAILBOXES, "missing")), pa.scalar(None, pa.string()), address)
    address = cast.override("email", address, traits)
    # Two customers, one address: the second of a pair uses the first one's.
    position = np.arange(len(story))
    shares = (story == code(MAILBOXES, "shared")) & (traits.number % 2 == 1) & (position > 0)
    return address.take(pa.array(np.where(shares, position - 1, position)))


def telephones(dice: Dice, traits: Traits, given: NumbersGiven) -> pa.Array:
    """A reserved number for three customers in four, while the place's numbers last; most in local notation."""
    wants = dice.chance("phone", traits.number, 740)
    phones = np.full(len(wants), None, dtype=object)
    for number, country in enumerate(COUNTRIES):
        for place in range(len(country.places)):
            numbers = telephone_numbers(country.code, place)
            taken = given.by_place.get((country.code, place), 0)
            here = wants & (traits.country == number) & (traits.place == place)
            who = np.flatnonzero(here)[: len(numbers) - taken]
            phones[who] = numbers[taken : taken + len(who)]
            given.by_place[country.code, place] = taken + len(who)
    column = pa.array(phones, pa.string())
    abroad = pa.array(dice.chance("dialled from abroad", traits.number, 120))
    prefix = col.words([f"+{c.dialling} " for c in COUNTRIES], traits.country)
    full = pc.binary_join_element_wise(prefix, pc.replace_substring_regex(column, r"^\(?0?", ""), "")
    column = pc.if_else(abroad, pc.replace_substring(full, ")", ""), column)
    remark = pa.array(dice.chance("no number but words", traits.number, 10))
    return pc.if_else(remark, pa.scalar("ring the office"), column)


def _from_pools(pools: list[tuple[str, ...]], dice: Dice, stream: str, traits: Traits) -> pa.Array:
    every = [name for pool in pools for name in pool]
    offset = np.cumsum([0] + [len(pool) for pool in pools[:-1]])[traits.country]
    length = np.asarray([len(pool) for pool in pools])[traits.country]
    return col.words(every, offset + dice.below(stream, traits.number, length))


def _slug(column: pa.Array) -> pa.Array:
    """The letters of a name that every mail system takes; ``x`` where none is left."""
    encoded = column.dictionary_encode()
    plain = [_plain(name) for name in encoded.dictionary.to_pylist()]
    return pa.array([*plain, "x"]).take(pc.fill_null(encoded.indices, len(plain)))


def _plain(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS_WITHOUT_PARTS))
    return "".join(letter for letter in parts if "a" <= letter <= "z")[:20] or "x"
