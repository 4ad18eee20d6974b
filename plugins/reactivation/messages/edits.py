"""What an account's owner may change of a draft in his own words: its subject, and a line it opens with.

Plain words, not a template: they are escaped like every value, and the whole message is checked as if it had been
written so from the beginning.

Source: seed 001 (account owner reviews the message before outreach); docs/decisions/0027.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reactivation.messages.fields import MessageError, safe_text

SUBJECT, OPENING = "subject", "opening"
SUBJECT_MOST, OPENING_MOST = 120, 400

#: What leads elsewhere or is somebody's address or number has no place in a line about an account.
_ADDRESS_LIKE = re.compile(r"@|://|www\.|\+?\d[\d\s().-]{6,}\d", re.IGNORECASE)


@dataclass(frozen=True)
class Edit:
    """The words that stand instead of the template's subject, and before its first sentence; at least one of them."""

    subject: str | None = None
    opening: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts it changes."""
        named = ((SUBJECT, self.subject), (OPENING, self.opening))
        return tuple(name for name, words in named if words is not None)


def read_edit(subject: str | None, opening: str | None) -> Edit:
    """An edit of what somebody wrote, each part on one line. Raises ``MessageError``, whose text repeats none of it."""
    made = Edit(_line(SUBJECT, subject, SUBJECT_MOST), _line(OPENING, opening, OPENING_MOST))
    if not made.parts:
        raise MessageError("edit_empty", "nothing is changed: give a subject or an opening")
    return made


def _line(part: str, words: str | None, most: int) -> str | None:
    if words is None:
        return None
    line = safe_text(part, " ".join(words.split()))
    if not line:
        raise MessageError("edit_empty", f"the {part} is empty; leave it out where it stays as it is")
    if len(line) > most:
        raise MessageError("edit_long", f"the {part} has {len(line)} characters; {most} are the most")
    if _ADDRESS_LIKE.search(line):
        raise MessageError("edit_address", f"the {part} has an address, a link or a number to call; leave it out")
    return line
