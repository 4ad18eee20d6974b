"""Preview: what a customer would read, or why nothing; the same function that drafts for real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.builders import AS_OF, KEYS, consent, contact, write_source

from reactivation.ledger import runs, suppressions
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.suppressions import Suppression
from reactivation.ledger.tables import metadata
from reactivation.sources import extract, open_source
from reactivation.steps.preview import Shown, preview
from reactivation.steps.settings import ConfigurationError, Settings
from reactivation.steps.workspace import Workspace

#: The Tuesday of the source, 11:00 in London.
NOW = AS_OF + timedelta(hours=2)
PLAYBOOK = "customer_reactivation"
Open = Callable[..., Workspace]


@pytest.fixture
def open_house(tmp_path: Path, ledger: Ledger) -> Open:
    """A workspace over a ready snapshot of the six customers, with some tables replaced."""

    def opened(**tables: Any) -> Workspace:
        location = str(write_source(tmp_path / "crm", **tables))
        workspace = Workspace(Settings(tmp_path, ledger.name, (b"k" * 32,), location), ledger, KEYS)
        folder = extract(
            open_source(location), into=workspace.snapshot_folder("s-1").path, snapshot_id="s-1", as_of=AS_OF, keys=KEYS
        )
        with ledger.begin() as conn:
            runs.record_snapshot(
                conn, snapshot_id="s-1", as_of=AS_OF, taken_at=AS_OF, manifest_digest=folder.manifest_digest,
                state="ready",
            )  # fmt: skip
        return workspace

    return opened


def shown(workspace: Workspace, customer_id: str, number: int = 1) -> Shown:
    return preview(workspace, PLAYBOOK, number, customer_id, NOW)


class TestDraft:
    def test_shows_what_would_be_sent_now(self, open_house: Open) -> None:
        """Touch 1 for Ada: her name, her owner, her address."""
        made = shown(open_house(), "c-ada")
        assert made.reason is None
        assert made.draft is not None
        assert made.draft["recipient"] == "ada.hart@gmail.com"
        assert made.draft["text"].startswith("Hello Ada,")
        assert made.draft["not_before"] == NOW

    def test_shows_an_offer_with_its_deadline_and_a_code(self, open_house: Open) -> None:
        """Touch 3 is planned nine days on, and its deadline counted from there."""
        made = shown(open_house(), "c-ada", 3)
        assert made.draft is not None
        assert made.draft["deadline"] == made.draft["not_before"] + timedelta(hours=72)
        assert made.draft["code"] in made.draft["text"]

    def test_leaves_no_trace(self, open_house: Open, ledger: Ledger) -> None:
        """No touch, no code, no audit: looking is not doing."""
        workspace = open_house()

        def rows() -> dict[str, int]:
            with ledger.begin() as conn:
                return {t.name: conn.execute(select(func.count()).select_from(t)).scalar_one()
                        for t in metadata.sorted_tables}  # fmt: skip

        before = rows()
        shown(workspace, "c-ada", 3)
        assert rows() == before
        assert not (workspace.settings.evidence / "runs").exists()


class TestReason:
    @pytest.mark.parametrize(("customer_id", "number", "reason"), [
        ("c-dov", 1, "suppress: suppressed:opt_out"),
        ("c-eva", 1, "hold: open_issue:open_case"),
        ("c-fay", 1, "not a candidate"),
        ("c-ada", 7, "claim_missing"),
        ("c-ben", 3, "touch 3 is skipped: offer_not_allowed"),
    ])  # fmt: skip
    def test_no_draft_but_the_reason(self, open_house: Open, customer_id: str, number: int, reason: str) -> None:
        """Opted out, open issue, not dormant, nothing proven to say, no margin for it."""
        made = shown(open_house(), customer_id, number)
        assert made.draft is None
        assert (made.reason or "").startswith(reason)

    def test_without_permission_nothing_is_rendered(self, open_house: Open) -> None:
        """A customer whose consent is not evidenced is not written to, not even for a look."""
        made = shown(open_house(consents=[consent("r-ben", "c-ben")]), "c-ada")
        assert made.draft is None
        assert "permission" in (made.reason or "")

    def test_an_opt_out_of_this_minute_counts(self, open_house: Open, ledger: Ledger) -> None:
        """The ledger is asked now, not as of the snapshot."""
        workspace = open_house()
        key = KEYS.key_of("ada.hart@gmail.com")
        row = Suppression(key, "harbour_finch", "*", "opt_out", "reply", NOW)
        suppressions.commit(ledger, [row], actor="test", now=NOW)
        made = shown(workspace, "c-ada")
        assert made.draft is None
        assert (made.reason or "").startswith("suppress:")

    def test_a_name_that_could_forge_a_header_is_refused(self, open_house: Open) -> None:
        """The reason names the field and not its value."""
        made = shown(open_house(contacts=[contact("c-ada", first_name="Ada\nBcc: all@evil.test")]), "c-ada")
        assert made.draft is None
        assert "personalisation_unsafe" in (made.reason or "")
        assert "evil" not in (made.reason or "")


class TestWrongUse:
    def test_unknown_customer_touch_and_playbook(self, open_house: Open) -> None:
        """A typo is wrong usage, not a quiet nothing."""
        workspace = open_house()
        with pytest.raises(ConfigurationError, match="there is no customer c-zoe"):
            shown(workspace, "c-zoe")
        with pytest.raises(ConfigurationError, match="has no touch 9"):
            shown(workspace, "c-ada", 9)
        with pytest.raises(ConfigurationError, match="no playbook winback"):
            preview(workspace, "winback", 1, "c-ada", NOW)

    def test_no_snapshot_yet(self, tmp_path: Path, ledger: Ledger) -> None:
        """It says what to run first."""
        workspace = Workspace(Settings(tmp_path, ledger.name, (b"k" * 32,), ""), ledger, KEYS)
        with pytest.raises(StepError, match="reactivation run customer_reactivation --dry-run"):
            shown(workspace, "c-ada")
