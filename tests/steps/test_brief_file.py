"""A review brief as a file: everything it says, and nothing that runs."""

from __future__ import annotations

from datetime import UTC, datetime

from reactivation.steps.account_brief import Brief, Part
from reactivation.steps.brief_file import brief_html

AT = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)


def test_everything_a_source_wrote_stays_text() -> None:
    """Markup is escaped, and a sign that turns text around is named."""
    rows = [("<b>Notes</b>", '"><script>alert(1)</script>\u202etxt.exe')]
    page = brief_html(
        Brief("a-<1>", "r-1", AT, "Leave it alone.", "account_led", [Part("Notes", ("Whose", "Known"), rows)]),
        personal=True,
    )

    assert "<script" not in page
    assert "<b>" not in page
    assert "⟨U+202E⟩" in page
    assert "account led" in page
    assert "and nobody else" in page


def test_table_without_rows_says_so() -> None:
    """Nothing on record is told, not left out."""
    page = brief_html(
        Brief("a-1", "r-1", AT, "Close it.", "suppressed", [Part("Issues", ("Case",), [])]), personal=False
    )

    assert "Nothing on record." in page
    assert "Ids only" in page
