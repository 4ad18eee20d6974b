"""Playbook files: what is read, and how a wrong one is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from reactivation import paths
from reactivation.playbooks.loader import PlaybookError, load_all, load_playbook, parse_playbook

SHIPPED = paths.PLAYBOOKS / "customer_reactivation.yaml"
TEXT = SHIPPED.read_text(encoding="utf-8")


def line_of(words: str, text: str = TEXT) -> int:
    """The line of the shipped playbook where these words stand."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def changed(before: str, after: str) -> str:
    assert before in TEXT
    return TEXT.replace(before, after, 1)


class TestLoad:
    def test_reads_the_seven_touches_of_the_framework(self) -> None:
        """The shipped playbook declares framework 003's patterns in order, each with its incentive and a template;
        three of them make an offer."""
        playbook = load_playbook(SHIPPED).playbook
        patterns = [touch.pattern for touch in playbook.touches]
        assert patterns == [
            "curiosity", "relevance", "value_reward", "trust", "urgency", "economic_incentive", "finality",
        ]  # fmt: skip
        assert [(touch.number, touch.incentive) for touch in playbook.touches if touch.offer] == [
            (3, "points_or_credit"), (5, "access"), (6, "percent"),
        ]  # fmt: skip
        assert all(touch.template == touch.pattern for touch in playbook.touches)

    def test_digest_is_of_the_files_bytes(self, tmp_path: Path) -> None:
        """A changed comment is a changed playbook: who signed the old one did not sign this."""
        copy = tmp_path / SHIPPED.name
        copy.write_bytes(SHIPPED.read_bytes() + b"# one more word\n")
        assert load_playbook(SHIPPED).digest == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
        assert load_playbook(copy).digest != load_playbook(SHIPPED).digest

    def test_all_are_ordered_by_precedence(self, tmp_path: Path) -> None:
        """Lower precedence goes first, whatever the files are called."""
        for name, precedence in (("aaa", 3), ("bbb", 1)):
            text = changed("playbook: customer_reactivation", f"playbook: {name}")
            (tmp_path / f"{name}.yaml").write_text(text.replace("precedence: 2", f"precedence: {precedence}"))
        assert [one.playbook.playbook for one in load_all(tmp_path)] == ["bbb", "aaa"]

    def test_a_folder_without_playbooks_is_refused(self, tmp_path: Path) -> None:
        """No playbook is a mistake in the setting, not an empty success."""
        with pytest.raises(PlaybookError, match="put a playbook there"):
            load_all(tmp_path)

    def test_a_file_must_be_called_like_its_playbook(self, tmp_path: Path) -> None:
        """A run asks for a playbook by name, so the name in the file cannot be another."""
        path = tmp_path / "winback.yaml"
        path.write_text(TEXT)
        with pytest.raises(PlaybookError, match=r"winback.yaml:2 playbook: found 'customer_reactivation'"):
            load_playbook(path)

    @pytest.mark.parametrize(("raw", "message"), [
        (b"playbook: \xff\n", "is not UTF-8"), (None, "cannot be read"), (b"", "expected fields"),
        (b"- a\n- b\n", "expected fields"), (b"a: [1,\n", "is not YAML"), (b"a: \x07\n", "control character"),
        (b"a: &x [*x]\n", "references .* are not used"),
    ])  # fmt: skip
    def test_unreadable_files_name_the_file_and_the_line(self, tmp_path: Path, raw: bytes | None, message: str) -> None:
        """Missing, empty, not text and not YAML each say so, with the place."""
        path = tmp_path / "broken.yaml"
        if raw is not None:
            path.write_bytes(raw)
        with pytest.raises(PlaybookError, match=message) as refused:
            load_playbook(path)
        assert f"{path}:" in str(refused.value)


class TestRefusal:
    @pytest.mark.parametrize(("before", "after", "at", "field", "message"), [
        ("cool_down_days", "cooldown_days", "population:", "population.cooldown_days", "did you mean cool_down_days?"),
        ("pattern: curiosity", "pattern: curiousity", "number: 1", "touches[0].pattern", "did you mean curiosity?"),
        ("household: 90", "household: soon", "windows:", "windows.household", "found 'soon', expected a valid integer"),
        ("holdout_share: 0.1", "holdout_share: 10", "holdout_share", "holdout_share", "less than or equal to 1"),
        ("owners: {household: own-ada, ", "owners: {", "owners:", "owners", "no marketing owner for segment household"),
        ("day: 34", "day: 3", "touches:", "touches", "days must rise without repeating"),
        ("number: 7", "number: 6", "touches:", "touches", "numbers must rise without repeating"),
        ("incentive: access", "incentive: percent", "number: 5", "touches[4]", "expected none or access"),
        ("incentive: points_or_credit, offer: offer-credit-15", "incentive: points_or_credit", "number: 3",
         "touches[2]", "needs an offer"),
        ("template: curiosity", "offer: offer-credit-15, template: curiosity", "number: 1", "touches[0]",
         "takes no offer"),
        ("template: curiosity", "template: ../secret", "number: 1", "touches[0].template", "pattern"),
        ("channels: [email, sms]\nowners", "channels: [email]\nowners", "touches:", "touches", "touch 1 uses sms"),
        ("consent_unclear_share: 0.05", "consent_unclear_share: 0.5", "readiness:", "readiness.consent_unclear_share",
         "less than or equal to 0.05"),
    ])  # fmt: skip
    def test_names_line_field_and_expectation(self, before: str, after: str, at: str, field: str, message: str) -> None:
        """Each mistake is refused at its line, by its field, with what was expected."""
        with pytest.raises(PlaybookError) as refused:
            parse_playbook(changed(before, after), "p.yaml")
        [problem] = refused.value.problems
        assert (problem.line, problem.field) == (line_of(at), field)
        assert message in problem.message
        assert f"p.yaml:{problem.line} {field}: " in str(refused.value)

    def test_a_missing_field_is_named(self) -> None:
        """What is left out is named, not defaulted."""
        with pytest.raises(PlaybookError, match="no_response_tag: is missing"):
            parse_playbook(changed("no_response_tag: customer_reactivation_no_response\n", ""), "p.yaml")

    def test_a_repeated_field_is_refused(self) -> None:
        """YAML would silently keep the second of two; here neither counts."""
        with pytest.raises(PlaybookError, match="holdout_share: stands here a second time"):
            parse_playbook(TEXT + "holdout_share: 0.0\n", "p.yaml")

    def test_all_problems_come_at_once_in_order(self) -> None:
        """One reading finds every mistake, by line."""
        text = changed("brand: harbour_finch", "band: harbour_finch").replace("days: 45", "days: none")
        with pytest.raises(PlaybookError) as refused:
            parse_playbook(text, "p.yaml")
        assert [problem.field for problem in refused.value.problems] == ["brand", "band", "pilot.days"]
        assert "3 problems" in str(refused.value)

    @pytest.mark.parametrize("word", ["on", "yes", "NO", "10:00", "0123", "2026-01-01"])
    def test_plain_words_stay_words(self, word: str) -> None:
        """YAML's old surprises (NO is false, 10:00 is 600, 0123 is 83) do not happen."""
        assert parse_playbook(changed('holdout_salt: "2026-h2"', f"holdout_salt: {word}"), "p").holdout_salt == word
