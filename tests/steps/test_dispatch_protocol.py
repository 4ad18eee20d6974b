"""What a dispatcher needs before it calls a provider, and what it makes of how the call ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.ledgers import an_id
from tests.postman import Postman, goes_by, sign_live
from tests.sending import NOW, Ready, key_of

from reactivation.approvals import SendableTouch
from reactivation.delivery import DeliveryError, Result
from reactivation.ledger import sends
from reactivation.ledger.engine import LedgerError
from reactivation.ledger.tables import touches
from reactivation.steps.dispatch import dispatch
from reactivation.steps.settings import ConfigurationError


class TestForged:
    def test_changed_bytes_are_not_sent(self, ready: Ready) -> None:
        """Whoever edits drafts.parquet sends nothing at all."""
        (run_id,) = {row.draft_run_id for row in ready.rows("touches")}
        file = Path(str(ready.workspace.run_folder(run_id).path)) / "drafts.parquet"
        file.write_bytes(file.read_bytes().replace(b"gmail", b"gmeil"))
        summary = dispatch(ready.workspace, NOW)
        assert (summary.accepted, set(summary.reasons)) == (0, {"draft_unreadable"})
        assert ready.files() == []

    def test_a_touch_made_signed_by_hand_is_not_sent(self, ready: Ready) -> None:
        """The state of a touch is not a signature: another digest than the signed one is held."""
        who, *others = sorted(ready.states())
        with ready.workspace.ledger.begin() as conn:
            forged = touches.c.address_key == key_of(who)
            conn.execute(update(touches).where(forged, touches.c.number == 1).values(draft_run_id=None))
        dispatch(ready.workspace, NOW)
        assert ready.states()[who] == ("held", "draft_missing")
        assert ready.written_to() == others

    def test_a_ledger_of_another_environment_or_key_does_not_even_open(self, ready: Ready) -> None:
        """Nothing is sent by a workspace that cannot recognise people."""
        from dataclasses import replace

        from reactivation.steps.workspace import open_workspace

        known = ready.workspace.settings
        for other in (
            replace(known, environment="prod"),
            replace(known, address_keys=(b"another key of 32 bytes length !",)),
        ):
            with pytest.raises(LedgerError):
                open_workspace(other)
        with pytest.raises(ConfigurationError):
            open_workspace(replace(known, address_keys=()))


class TestProviders:
    def test_nothing_but_the_outbox_sends_before_it_is_signed(self, ready: Ready) -> None:
        """Another provider is not even called."""
        postman = Postman(lambda _: Result("accepted"))
        vars(ready.workspace)["providers"] = {"email": postman}
        summary = dispatch(ready.workspace, NOW)
        assert (summary.accepted, set(summary.reasons), postman.had) == (0, {"not_live"}, [])
        with ready.workspace.ledger.begin() as conn:
            sign_live(conn, ready.workspace)
        assert dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted == len(postman.had) == len(ready.states())

    def test_an_unknown_outcome_is_never_repeated(self, ready: Ready) -> None:
        """A provider that breaks off may have it: the touch stays unknown until the provider is found to have it."""

        def break_off(_: SendableTouch) -> Result:
            raise TimeoutError

        postman = Postman(break_off)
        goes_by(ready, postman)
        due = len(ready.states())
        assert dispatch(ready.workspace, NOW).unknown == due
        assert set(ready.states().values()) == {("unknown", "raised:TimeoutError")}
        assert dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted == 0
        assert len(postman.had) == len(set(postman.had)) == due
        postman.found = Result("accepted", reference="m-1")
        found = dispatch(ready.workspace, NOW + timedelta(minutes=2))
        assert (found.recovered, found.accepted) == (due, 0)
        assert set(ready.states().values()) == {("accepted", None)}
        assert len(postman.had) == due

    def test_a_refusal_is_final(self, ready: Ready) -> None:
        """With its reason; not tried again."""
        postman = Postman(lambda _: Result("refused", reason="blocked_recipient"))
        goes_by(ready, postman)
        assert dispatch(ready.workspace, NOW).refused == len(ready.states())
        assert set(ready.states().values()) == {("refused", "blocked_recipient")}
        dispatch(ready.workspace, NOW + timedelta(minutes=1))
        assert len(postman.had) == len(ready.states())

    def test_a_channel_without_a_provider_waits(self, ready: Ready) -> None:
        """Nothing is lost, nothing is sent."""
        vars(ready.workspace)["providers"] = {}
        assert set(dispatch(ready.workspace, NOW).reasons) == {"no_provider"}

    def test_an_outbox_that_cannot_be_written_gives_everything_back(self, ready: Ready) -> None:
        """An error with the fix; once mended, everybody gets the message, once."""
        ready.workspace.settings.outbox.write_text("a file is in the way")
        with pytest.raises(DeliveryError, match="make room or correct its rights"):
            dispatch(ready.workspace, NOW)
        assert ready.rows("sends") == []
        assert {state for state, _ in ready.states().values()} == {"signed"}
        ready.workspace.settings.outbox.unlink()
        assert dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted == len(ready.states())
        assert ready.written_to() == sorted(ready.states())

    def test_an_intent_whose_lease_ended_is_freed(self, ready: Ready) -> None:
        """A dispatcher that hangs keeps nothing for ever, and cannot call any more."""
        touch = next(row for row in ready.rows("touches") if row.state == "signed" and row.number == 1)
        with ready.workspace.ledger.begin() as conn:
            row = {
                "send_id": an_id("hung"), "touch_id": touch.touch_id, "provider": "outbox", "channel": "email",
                "address_key": touch.address_key, "draft_digest": touch.draft_digest, "answer_ids": [], "basis": {},
                "gates": {}, "local_time": "", "zone": "", "zone_source": "", "rules_version": "", "worker": "hung",
                "intended_at": NOW - timedelta(minutes=11), "lease_until": NOW - timedelta(minutes=1),
            }  # fmt: skip
            sends.intend(conn, [row])
        assert dispatch(ready.workspace, NOW).recovered == 1
        assert ready.written_to() == sorted(ready.states())
        with ready.workspace.ledger.begin() as conn:
            assert not sends.win_calls(conn, [an_id("hung")], worker="hung", now=NOW)
