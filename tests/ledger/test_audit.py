"""What the audit trail says of one subject."""

from __future__ import annotations

from datetime import timedelta

from tests.ledgers import NOW

from reactivation.ledger import audit
from reactivation.ledger.engine import Ledger


def test_what_was_done_to_a_subject_in_its_order(ledger: Ledger) -> None:
    """Only of the actions asked for, only of that subject, and with its details read."""
    told = [("run-1", "told", {"people": ["own-cleo"]}), ("run-2", "told", {}), ("run-1", "seen", {}),
            ("run-1", "failed", {"problem": "no_connection"})]  # fmt: skip
    with ledger.begin() as conn:
        for minutes, (subject, action, details) in enumerate(told):
            at = NOW - timedelta(minutes=minutes)
            audit.write(conn, at=at, actor="notifier", action=action, subject=subject, details=details)

        found = audit.about(conn, "run-1", ("told", "failed"))
        assert [(one.action, one.details) for one in found] == [
            ("told", {"people": ["own-cleo"]}), ("failed", {"problem": "no_connection"}),
        ]  # fmt: skip
        assert (found[0].at, found[0].actor) == (NOW, "notifier")
        assert audit.about(conn, "run-3", ("told",)) == []
