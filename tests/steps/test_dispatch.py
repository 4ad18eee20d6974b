"""Dispatching: what is signed, due and still allowed goes out once; everything else stays, with its reason."""

from __future__ import annotations

from tests.sending import NOW, Ready

from reactivation.steps.dispatch import dispatch


def test_what_is_signed_and_due_goes_out_once(ready: Ready) -> None:
    """Each customer has one message; a second dispatch sends nothing more."""
    due = sorted(ready.states())
    first = dispatch(ready.workspace, NOW)
    assert first.accepted == len(due) == len(ready.files())
    assert ready.written_to() == due
    assert dispatch(ready.workspace, NOW).accepted == 0
    assert len(ready.files()) == len(due)
