"""What a reply to a text message means: an opt-out, a call for help, a start, or nothing that is recognised.

An opt-out suppresses; help is the provider's to answer; a start restores nothing; whatever is not recognised holds all
sends to that person until a human labels it. No reply is ever a permission.

Source: RULES.md, Permission (inbound SMS).
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT
from reactivation.policy.columns import arrow, choose, series
from reactivation.policy.rules import InboundRules

OPT_OUT, HELP, START, UNRECOGNISED = "opt_out", "help", "start", "unrecognised"

#: Emoji that compatibility normalisation would turn into letters or digits: keycaps, ™ and its like where they are
#: shown as pictures, and squared ideographs.
_LETTERED_EMOJI = r"[0-9#*]\x{FE0F}?\x{20E3}|[ℹ™Ⓜ㊗㊙]\x{FE0F}|[\x{1F200}-\x{1F2FF}]"
#: Everything but letters and digits (accents come apart from their letters first), and the letters that are invisible.
_NO_LETTER = r"[^\p{L}\p{N}]|[\x{115F}\x{1160}]"


def meanings(texts: pd.Series, rules: InboundRules) -> pd.Series:
    """The code of each text: ``OPT_OUT``, ``HELP``, ``START`` or ``UNRECOGNISED``; a missing text is unrecognised."""
    letters = _letters(arrow(texts))
    every_word = (*rules.opt_out, *rules.help, *rules.start, *rules.courtesies)
    return choose(
        [
            (_made_of(letters, rules.opt_out, every_word), OPT_OUT),
            (_made_of(letters, rules.help, (*rules.help, *rules.courtesies)), HELP),
            (_made_of(letters, rules.start, (*rules.start, *rules.courtesies)), START),
        ],
        UNRECOGNISED,
    )


def _letters(texts: pa.Array) -> pa.Array:
    """What is left of each text without case, accents, punctuation, emoji and spaces."""
    pictureless = pc.replace_substring_regex(pc.cast(texts, TEXT), _LETTERED_EMOJI, "")
    apart = pc.utf8_normalize(pictureless, form="NFKD")
    return pc.utf8_upper(pc.replace_substring_regex(apart, _NO_LETTER, ""))


def _made_of(letters: pa.Array, needed: tuple[str, ...], allowed: tuple[str, ...]) -> pd.Series:
    """Whether each text is a row of allowed words with at least one that is needed."""
    around = f"(?:{'|'.join(allowed)})*"
    return series(pc.match_substring_regex(letters, f"^{around}(?:{'|'.join(needed)}){around}$"))
