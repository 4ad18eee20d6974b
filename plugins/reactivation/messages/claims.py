"""Claims: what may be said only because somebody reviewed the evidence for it, and only in the reviewed words.

A claim's words are a file beside the templates, named by its ``text_ref`` and reviewed like code. What is signed is the
claim's id with the digest of its words; whether the claim still holds is asked once more right before the send.

Source: framework 003, touches 4, 5 and 7; RULES.md, Content (claims); PLAYBOOKS.md, section 1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

#: The kinds of claim each pattern may make: what others say, what is really limited, what would really be lost.
KINDS: Mapping[str, tuple[str, ...]] = {
    "trust": ("review", "community"),
    "urgency": ("stock", "benefit"),
    "finality": ("benefit", "closure"),
}
#: The patterns whose evidence must be of the day.
FRESH: Mapping[str, timedelta] = {"urgency": timedelta(hours=24)}

_REF = re.compile(r"texts/[A-Za-z0-9][A-Za-z0-9_-]*\.txt")
_LONGEST = 600


@dataclass(frozen=True)
class ClaimText:
    """The words of a claim on one line, and the hex SHA-256 of them."""

    text: str
    digest: str


def read_text(include: Path, text_ref: str | None) -> ClaimText | None:
    """The words a claim names, from below ``include``; ``None`` where there are none that could be said."""
    if text_ref is None or not _REF.fullmatch(text_ref):
        return None
    try:
        text = " ".join((include / text_ref).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        return None
    if not text or len(text) > _LONGEST or not text.isprintable():
        return None
    return ClaimText(text, hashlib.sha256(text.encode()).hexdigest())


def why_unusable(claim: Mapping[str, Any], pattern: str, now: datetime) -> str | None:
    """Why a row of the contract's claims may not be used in a pattern at an instant, as a code; ``None`` if it may."""
    fresh_for = FRESH.get(pattern)
    until, captured = claim["valid_until"], claim["captured_at"]
    checks = [
        ("claim_kind", claim["kind"] not in KINDS.get(pattern, ())),
        ("claim_without_rights", claim["rights_ok"] is not True),
        ("claim_not_reviewed", claim["reviewed_by"] is None or claim["reviewed_at"] is None),
        ("claim_without_evidence", not claim["evidence_ref"] or captured is None or captured > now),
        ("claim_expired", until is not None and until <= now),
        ("claim_stale", fresh_for is not None and captured is not None and now - captured > fresh_for),
    ]
    return next((code for code, fails in checks if fails), None)


def why_fallen(
    signed: Mapping[str, Any], latest: Mapping[str, Any] | None, words: ClaimText | None, pattern: str, now: datetime
) -> str | None:
    """Why a signed claim (id and text_digest) no longer holds, by its latest row and its words as they are now."""
    if latest is None:
        return "claim_withdrawn"
    if words is None or words.digest != signed["text_digest"]:
        return "claim_text_changed"
    return why_unusable(latest, pattern, now)
