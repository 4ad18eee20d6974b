"""Until a signed setting says so, only the outbox sends."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection, insert
from tests.ledgers import NOW, an_id

from reactivation.approvals import SendableTouch
from reactivation.delivery import Call, Outbox, Provider, Result, may_send
from reactivation.ledger import identity
from reactivation.ledger.engine import Ledger
from reactivation.ledger.settings import licence
from reactivation.ledger.tables import answers, questions, settings
from reactivation.ledger.together import answer

SENDER = "Harbour & Finch <hello@harbour-finch.example>"


class Postman(Provider):
    """A provider that would really send."""

    name: ClassVar[str] = "postman"
    repeatable: ClassVar[bool] = False

    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        raise AssertionError("nothing may be sent in these tests")

    async def find(self, call: Call) -> Result | None:
        return None


def _known(conn: Connection) -> str:
    return identity.identify(conn, environment="production", check_values=["a" * 64], now=NOW).ledger_id


def _sign(conn: Connection, value: dict[str, Any], *, accepted: bool = True, at: datetime = NOW) -> None:
    question, said = an_id("question", at, accepted, value), an_id("answer", at, accepted, value)
    conn.execute(insert(questions), {
        "question_id": question, "kind": "sign_setting", "list_id": None, "subject": "live_email", "state": "open",
        "opened_at": at, "expires_at": at + timedelta(days=3), "closed_at": None,
    })  # fmt: skip
    conn.execute(insert(answers), {
        "answer_id": said, "question_id": question, "responder": "cleo", "chosen": "Sign", "form": {},
        "responded_at": at, "recorded_at": at, "accepted": accepted, "refusal": None if accepted else "not_a_signer",
    })  # fmt: skip
    conn.execute(insert(settings), {
        "setting_id": an_id("setting", said), "name": "live_email", "value": value, "answer_id": said,
        "signed_at": at,
    })  # fmt: skip


def _asked(conn: Connection, provider: Provider, **changes: str) -> str | None:
    found = answer(conn, licence("email"))
    return may_send(found, provider, **({"environment": "production", "sender": SENDER} | changes))


def test_an_unknown_ledger_sends_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """Not even into the outbox."""
    with ledger.begin() as conn:
        assert _asked(conn, Outbox(tmp_path)) == "ledger_unknown"


def test_the_outbox_needs_no_signature(ledger: Ledger, tmp_path: Path) -> None:
    """It reaches nobody; another environment's ledger is refused all the same."""
    with ledger.begin() as conn:
        _known(conn)
        assert _asked(conn, Outbox(tmp_path)) is None
        assert _asked(conn, Outbox(tmp_path), environment="local") == "environment_differs"


def test_a_live_ledger_does_not_fall_back_to_the_outbox(ledger: Ledger, tmp_path: Path) -> None:
    """A process that lost its connection would count as sent what nobody gets."""
    with ledger.begin() as conn:
        value = {"environment": "production", "ledger_id": _known(conn), "sender": SENDER}
        _sign(conn, value)
        assert _asked(conn, Outbox(tmp_path)) == "live_without_provider"


def test_another_provider_waits_for_the_signature(ledger: Ledger) -> None:
    """Signed for this ledger, environment and sender it may send."""
    with ledger.begin() as conn:
        ledger_id = _known(conn)
        assert _asked(conn, Postman()) == "not_live"
        _sign(conn, {"environment": "production", "ledger_id": ledger_id, "sender": SENDER})
        assert _asked(conn, Postman()) is None


@pytest.mark.parametrize(
    "changed", [{"environment": "staging"}, {"ledger_id": an_id("copied")}, {"sender": "Other <x@other.example>"}]
)
def test_a_signature_for_something_else_counts_for_nothing(ledger: Ledger, changed: dict[str, str]) -> None:
    """A copied database, another environment or another From must be signed anew."""
    with ledger.begin() as conn:
        value = {"environment": "production", "ledger_id": _known(conn), "sender": SENDER}
        _sign(conn, value | changed)
        assert _asked(conn, Postman()) == "not_live"


def test_an_answer_that_was_not_accepted_signs_nothing(ledger: Ledger) -> None:
    """A row of settings without a valid signature behind it is only a row."""
    with ledger.begin() as conn:
        _sign(conn, {"environment": "production", "ledger_id": _known(conn), "sender": SENDER}, accepted=False)
        assert _asked(conn, Postman()) == "not_live"


def test_the_newest_signature_counts(ledger: Ledger) -> None:
    """Signing something else later takes the permission back."""
    with ledger.begin() as conn:
        value = {"environment": "production", "ledger_id": _known(conn), "sender": SENDER}
        _sign(conn, value)
        _sign(conn, {}, at=NOW + timedelta(hours=1))
        assert _asked(conn, Postman()) == "not_live"
