"""Claims: what may be said, for how long, and only in the reviewed words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.messages.letters import SEND

from reactivation import paths
from reactivation.messages.claims import ClaimText, read_text, why_fallen, why_unusable

WORDS = ClaimText("They came on a Sunday.", "ab" * 32)
SIGNED = {"claim_id": "clm-1", "text_digest": "ab" * 32}


def claim(**changes: Any) -> dict[str, Any]:
    """A reviewed row of the contract's claims, captured an hour before the send."""
    return {
        "claim_id": "clm-1", "kind": "review", "text_ref": "texts/clm-1.txt", "evidence_ref": "evidence/1.pdf",
        "captured_at": SEND - timedelta(hours=1), "valid_until": None, "audience_category": None, "rights_ok": True,
        "reviewed_by": "own-cleo", "reviewed_at": SEND - timedelta(hours=1),
    } | changes  # fmt: skip


def stock(**changes: Any) -> dict[str, Any]:
    return claim(kind="stock") | changes


class TestUse:
    @pytest.mark.parametrize(("row", "pattern"), [
        (claim(), "trust"), (claim(kind="community"), "trust"), (stock(), "urgency"),
        (stock(kind="benefit"), "urgency"), (claim(kind="benefit"), "finality"), (claim(kind="closure"), "finality"),
        (claim(captured_at=SEND - timedelta(days=400)), "trust"),
        (stock(captured_at=SEND - timedelta(hours=24)), "urgency"),
        (claim(valid_until=SEND + timedelta(seconds=1)), "trust"),
    ])  # fmt: skip
    def test_a_reviewed_claim_of_the_right_kind_may_be_made(self, row: dict[str, Any], pattern: str) -> None:
        """Social proof for trust, limits for urgency, losses for the end."""
        assert why_unusable(row, pattern, SEND) is None

    @pytest.mark.parametrize(("row", "pattern", "code"), [
        (claim(), "finality", "claim_kind"), (stock(), "trust", "claim_kind"), (claim(), "curiosity", "claim_kind"),
        (claim(rights_ok=False), "trust", "claim_without_rights"),
        (claim(rights_ok=None), "trust", "claim_without_rights"),
        (claim(reviewed_by=None), "trust", "claim_not_reviewed"),
        (claim(reviewed_at=None), "trust", "claim_not_reviewed"),
        (claim(evidence_ref=""), "trust", "claim_without_evidence"),
        (claim(captured_at=None), "trust", "claim_without_evidence"),
        (claim(captured_at=SEND + timedelta(seconds=1)), "trust", "claim_without_evidence"),
        (claim(valid_until=SEND), "trust", "claim_expired"),
        (stock(captured_at=SEND - timedelta(hours=24, seconds=1)), "urgency", "claim_stale"),
    ])  # fmt: skip
    def test_any_other_may_not(self, row: dict[str, Any], pattern: str, code: str) -> None:
        """Unknown is no: rights, review, evidence, end, and the day for what is limited."""
        assert why_unusable(row, pattern, SEND) == code

    @given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
    def test_a_fallen_claim_does_not_stand_up_by_itself(self, later: timedelta) -> None:
        """The same row never becomes usable by waiting."""
        for row in (claim(valid_until=SEND), stock(captured_at=SEND - timedelta(days=2))):
            pattern = "trust" if row["kind"] == "review" else "urgency"
            assert why_unusable(row, pattern, SEND + later) is not None


class TestAtTheSend:
    @pytest.mark.parametrize(("latest", "words", "code"), [
        (stock(), WORDS, None),
        (None, WORDS, "claim_withdrawn"),
        (stock(), None, "claim_text_changed"),
        (stock(), ClaimText("They came on a Monday.", "cd" * 32), "claim_text_changed"),
        (stock(captured_at=SEND - timedelta(hours=25)), WORDS, "claim_stale"),
        (stock(reviewed_by=None), WORDS, "claim_not_reviewed"),
        (stock(valid_until=SEND - timedelta(hours=1)), WORDS, "claim_expired"),
    ])  # fmt: skip
    def test_a_signed_claim_is_read_again(
        self, latest: dict[str, Any] | None, words: ClaimText | None, code: str | None
    ) -> None:
        """The latest row of the same claim, its words unchanged, its evidence of the day."""
        assert why_fallen(SIGNED, latest, words, "urgency", SEND) == code


class TestWords:
    def shelf(self, folder: Path, words: bytes) -> Path:
        (folder / "texts").mkdir()
        (folder / "texts" / "clm-1.txt").write_bytes(words)
        return folder

    def test_words_are_read_as_one_line(self, tmp_path: Path) -> None:
        """How a file is wrapped changes neither words nor digest."""
        wrapped = read_text(self.shelf(tmp_path, b"They came\non a Sunday.\n"), "texts/clm-1.txt")
        (tmp_path / "texts" / "clm-1.txt").write_bytes(b"They came on a Sunday.")
        flat = read_text(tmp_path, "texts/clm-1.txt")
        assert wrapped == flat
        assert wrapped is not None
        assert wrapped.text == "They came on a Sunday."

    @pytest.mark.parametrize("words", [b"", b" \n", b"caf\xe9", b"a\x07b", "a\u202eb".encode(), b"word " * 200])
    def test_words_nobody_could_print_are_none(self, tmp_path: Path, words: bytes) -> None:
        """Empty, not UTF-8, with hidden characters, or endless."""
        assert read_text(self.shelf(tmp_path, words), "texts/clm-1.txt") is None

    @pytest.mark.parametrize("ref", [
        None, "", "texts/clm-2.txt", "../owners.yaml", "texts/../owners.yaml", "/etc/passwd", "texts/.txt",
        "owners.yaml", "texts/clm-1", "https://evil.test/clm-1.txt",
    ])  # fmt: skip
    def test_a_reference_leads_to_reviewed_texts_only(self, ref: str | None) -> None:
        """A source cannot name another file of the machine."""
        assert read_text(paths.INCLUDE, ref) is None

    def test_every_shipped_text_can_be_said(self) -> None:
        """All of them are read."""
        files = sorted((paths.INCLUDE / "texts").iterdir())
        assert files
        assert all(read_text(paths.INCLUDE, f"texts/{file.name}") for file in files)
