"""Replies to text messages: what opts out, what asks for help, and that nothing is ever read as a permission."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.people import rules

from reactivation.contract.tables import TEXT
from reactivation.policy.columns import series
from reactivation.policy.inbound import HELP, OPT_OUT, START, UNRECOGNISED, meanings

WORDS = rules().inbound


def read(*texts: str | None) -> list[str]:
    return meanings(series(pa.array(texts, TEXT)), WORDS).tolist()


class TestKeywords:
    @pytest.mark.parametrize("word", [
        "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET", "TD", "REMOVE",
    ])  # fmt: skip
    def test_every_word_of_the_law_and_the_providers_opts_out(self, word: str) -> None:
        """In capitals, small and as a telephone begins a sentence."""
        assert read(word, word.lower(), word.capitalize()) == [OPT_OUT] * 3

    @pytest.mark.parametrize(("word", "meaning"), [
        ("HELP", HELP), ("INFO", HELP), ("START", START), ("UNSTOP", START), ("YES", START),
    ])  # fmt: skip
    def test_help_and_start_are_told_apart(self, word: str, meaning: str) -> None:
        """Neither suppresses, and neither restores."""
        assert read(word, f" {word.lower()}. ") == [meaning] * 2


@pytest.mark.parametrize(("text", "meaning"), [
    ("Stop!!!", OPT_OUT), ("stop.", OPT_OUT), ("«Stop»", OPT_OUT), ("STOP\n", OPT_OUT), ("\tstop\r\n", OPT_OUT),
    ("S T O P", OPT_OUT), ("s.t.o.p", OPT_OUT), ("S-T-O-P", OPT_OUT), ("* STOP *", OPT_OUT), ("_stop_", OPT_OUT),
    ("st\u00a0op", OPT_OUT), ("\u3000STOP\u2003", OPT_OUT), ("\ufeffSTOP", OPT_OUT), ("ST\u200bOP", OPT_OUT),
    ("S\u00adTOP", OPT_OUT), ("ST\u2060O\u200dP", OPT_OUT), ("\u202eSTOP\u202c", OPT_OUT), ("ST\u3164OP", OPT_OUT),
    ("ＳＴＯＰ", OPT_OUT), ("ｓｔｏｐ！", OPT_OUT), ("𝐒𝐓𝐎𝐏", OPT_OUT), ("ⓢⓣⓞⓟ", OPT_OUT), ("ſtop", OPT_OUT),
    ("ARRÊT", OPT_OUT), ("arre\u0302t", OPT_OUT), ("Arrêt !", OPT_OUT), ("ＡＲＲÊＴ", OPT_OUT), ("STÓP", OPT_OUT),
    ("QUİT", OPT_OUT), ("quıt", OPT_OUT), ("S\u0336T\u0336O\u0336P\u0336", OPT_OUT),
    ("STOP 🛑", OPT_OUT), ("🙏🏽 stop 🙏🏽", OPT_OUT), ("👨‍👩‍👧 STOP 🇬🇧", OPT_OUT), ("stop ❤️", OPT_OUT),
    ("1️⃣ STOP", OPT_OUT), ("ST🅾OP", OPT_OUT), ("STOP ™️", OPT_OUT), ("ℹ️ stop", OPT_OUT),
    ("🈁 STOP 🈷️", OPT_OUT), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿 stop", OPT_OUT),
    ("STOP ALL", OPT_OUT), ("stop-all", OPT_OUT), ("Opt out", OPT_OUT), ("opt-out", OPT_OUT), ("T.D.", OPT_OUT),
    ("please stop", OPT_OUT), ("Stop please!", OPT_OUT), ("PLS STOP NOW", OPT_OUT), ("stop, thank you", OPT_OUT),
    ("Arrêt s'il vous plaît", OPT_OUT), ("arret svp, merci", OPT_OUT), ("STOP STOP STOP", OPT_OUT),
    ("Stop. Unsubscribe. Remove.", OPT_OUT), ("End, now", OPT_OUT),
])  # fmt: skip
def test_a_keyword_is_read_however_it_is_typed(text: str, meaning: str) -> None:
    """Case, accents, punctuation, emoji, spaces, invisible signs, other shapes of a letter, and courtesy."""
    assert read(text) == [meaning]


@pytest.mark.parametrize(("text", "meaning"), [
    ("YES STOP", OPT_OUT), ("stop, yes", OPT_OUT), ("START STOP", OPT_OUT), ("Help! Stop!", OPT_OUT),
    ("INFO STOP HELP", OPT_OUT), ("un stop", START), ("Yes please", START), ("HELP please", HELP),
    ("help info", HELP), ("yes, start", START), ("yes help", UNRECOGNISED), ("start info", UNRECOGNISED),
])  # fmt: skip
def test_of_several_keywords_the_strictest_counts(text: str, meaning: str) -> None:
    """An opt-out beside anything is an opt-out; two other wishes are for a human to read."""
    assert read(text) == [meaning]


@pytest.mark.parametrize("text", [
    None, "", " ", "\n", "!!!", "🛑", "👍", "please", "Thanks!", "now", "ok", "KEEP", "CLOSE", "no", "why?",
    "don't stop", "Don’t stop!", "do not stop", "never stop", "not END", "No, don't cancel", "unstoppable",
    "stop it", "stop texting me", "When does it end?", "the end", "Can I cancel my visit on Friday?",
    "I quit smoking", "STOP Sent from my iPhone", "Liked “Reply STOP to opt out”", "STOP 2", "ST0P", "5TOP", "STOPP",
    "STO", "TOP", "POTS", "NEXT", "OPT IN", "subscribe", "UNSUBSCRIB", "helpful", "information", "yesterday", "restart",
    "Thanks, top!", "yes but only by e-mail", "y", "who is this", "STOP🤝1", "СТОП", "ЅТОР", "止", "توقف",
    "I agree to receive messages", "I consent", "opt me in again", "resubscribe",
])  # fmt: skip
def test_anything_else_is_for_a_human(text: str | None) -> None:
    """Nothing, a picture, a sentence around a keyword, a negation, a likeness, another alphabet, a permission."""
    assert read(text) == [UNRECOGNISED]


def test_a_column_is_read_at_once() -> None:
    """Row by row in the order given; a missing text and no rows at all are answered too."""
    assert read("stop", None, "help", "hello", "yes") == ["opt_out", "unrecognised", "help", "unrecognised", "start"]
    assert read() == []


EMOJI = st.sampled_from([
    "🛑", "😡", "👍🏿", "❤️", "❤", "👩‍🔧", "🇨🇦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "#️⃣", "*⃣", "🔟", "🆗", "🆘",
    "🅿️", "Ⓜ️", "™️", "ℹ️", "㊗️", "🈂️", "🈵", "🉐",
])  # fmt: skip


def is_sign(letter: str) -> bool:
    """Whether neither the character nor what it is made of is a letter or a digit."""
    return all(unicodedata.category(part)[0] not in "LNC" for part in unicodedata.normalize("NFKD", letter))


UNSEEN = st.sampled_from(" \n\t\u200b\u200d\u2060\ufeff\ufe0f\u3164")
SIGNS = st.characters(categories=["P", "S", "Z", "M"]).filter(is_sign) | UNSEEN
NOISE = st.lists(SIGNS | EMOJI, max_size=4).map("".join)
COURTESY = st.sampled_from(["", "", "please", "Pls", "MERCI", "thank you", "s'il vous plaît", "now"])


def shapes(letter: str) -> st.SearchStrategy[str]:
    """A letter as it may be typed: large, small, full-width, bold, or with an accent."""
    bold = chr(0x1D400 + ord(letter) - ord("A"))
    wide = chr(ord(letter) + 0xFEE0)
    return st.sampled_from([letter, letter, letter.lower(), letter.lower(), wide, bold, f"{letter}\u0301"])


@st.composite
def typed(draw: st.DrawFn, words: tuple[str, ...]) -> str:
    """One of the words with anything that is no letter around and inside it, and perhaps courtesy."""
    word = draw(st.sampled_from(words))
    letters = (f"{draw(shapes(letter))}{draw(NOISE)}" for letter in word)
    return f"{draw(COURTESY)}{draw(NOISE)}{''.join(letters)}{draw(NOISE)}{draw(COURTESY)}"


@settings(max_examples=300, deadline=None)
@given(typed(WORDS.opt_out))
def test_an_opt_out_stays_one_whatever_is_put_around_or_into_it(text: str) -> None:
    """No sign, picture, space, case or shape of a letter hides it."""
    assert read(text) == [OPT_OUT]


@settings(max_examples=100, deadline=None)
@given(typed(WORDS.help), typed(WORDS.start))
def test_help_and_start_stay_what_they_are(help_text: str, start_text: str) -> None:
    """The same holds of them, and neither turns into an opt-out."""
    assert read(help_text, start_text) == [HELP, START]


def made_of_words(text: str, words: tuple[str, ...]) -> bool:
    """The plain rule: letters in capitals, cut into words from the left in every way there is."""
    ends = {0}
    for end in range(1, len(text) + 1):
        if any(end - len(word) in ends and text.endswith(word, 0, end) for word in words):
            ends.add(end)
    return len(text) in ends


KEYWORDS = (*WORDS.opt_out, *WORDS.help, *WORDS.start)
PIECES = st.sampled_from([*KEYWORDS, *WORDS.courtesies, "DONT", "NOT", "THE", "A", "UN", "TOP", "S", "ALL", "E"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=5), st.sampled_from(["", " ", ", ", "\u200b"]))
def test_what_is_not_built_from_keywords_is_not_read_as_one(pieces: list[str], between: str) -> None:
    """One piece that is no word of the rules makes the whole unrecognised."""
    written = "".join(pieces)
    built = made_of_words(written, (*KEYWORDS, *WORDS.courtesies)) and any(word in written for word in KEYWORDS)
    [meaning] = read(between.join(pieces))

    assert built or meaning == UNRECOGNISED


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=40) | typed(WORDS.start), max_size=8))
def test_nothing_ever_comes_out_as_a_permission(texts: list[str]) -> None:
    """Four codes are all there are, and none of them grants anything; a row does not depend on its neighbours."""
    found = read(*texts)

    assert set(found) <= {"opt_out", "help", "start", "unrecognised"}
    assert found == read(*texts[::-1])[::-1]
    assert found[:1] == read(*texts[:1])
