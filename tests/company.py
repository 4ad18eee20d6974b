"""A whole company for tests of the whole flow: its sample CRM, a ledger, an outbox, and owners who answer.

The clock is given: a Tuesday, 11:00 in Bristol.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from reactivation.approvals.form import point_field
from reactivation.ledger import lists, views
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import questions
from reactivation.sample import generate
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.settings import Settings
from reactivation.steps.whole import RunRequest, run_playbook
from reactivation.steps.workspace import Workspace, open_workspace

NOW = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
AS_OF = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
PLAYBOOK = "customer_reactivation"
KEY = b"a secret of at least sixteen bytes"


@dataclass
class Company:
    """Its workspace, and what its people do."""

    workspace: Workspace
    requests: int = field(default=0)
    playbook: str = PLAYBOOK

    def run(self, now: datetime = NOW, playbook: str | None = None, **asked: Any) -> str:
        """One whole run from the CRM to open lists; its id."""
        request = RunRequest(playbook or self.playbook, triggered_by="operator", **asked)
        return run_playbook(self.workspace, request, now=now, as_of=None, say=lambda _: None)

    def asked(self, now: datetime = NOW) -> list[tuple[RequestId, ListRow, tuple[ListItem, ...]]]:
        """A request for every open question, with its list and items."""
        shown = []
        for question_id in questions_to_ask(self.workspace, now):
            request = RequestId("ask_people", "asset__1", "ask", self.requests)
            self.requests += 1
            bind_request(self.workspace, request, question_id, now)
            with self.workspace.ledger.begin() as conn:
                list_id = conn.scalar(select(questions.c.list_id).where(questions.c.question_id == question_id))
                row = lists.list_of(conn, str(list_id))
                assert row is not None
                shown.append((request, row, lists.items_of(conn, row.list_id)))
        return shown

    def answer(
        self, request: RequestId, row: ListRow, items: Iterable[ListItem], option: str, *, by: str,
        left_out: Iterable[str] = (), now: datetime = NOW, **fields: str,
    ) -> str:  # fmt: skip
        """``by`` looks at every item, types the code, agrees to every individual item and answers; ``fields`` are
        others of the form."""
        items = tuple(items)
        with self.workspace.ledger.begin() as conn:
            views.insert_view(
                conn, view_id=str(uuid4()), list_id=row.list_id, user_id=by, touch_ids=[i.touch_id for i in items],
                now=now,
            )  # fmt: skip
        points = self.workspace.playbook(row.playbook).playbook.approval.review_points
        form = {
            "signing_code": row.signing_code, "left_out": " ".join(left_out), "reason": "",
            "individual": " ".join(i.touch_id for i in items if i.individual),
            **{point_field(p): "ok" for p in points}, **fields,
        }  # fmt: skip
        event = {
            "chosen_options": [option], "params_input": form, "responded_at": now.isoformat(),
            "responded_by_user": {"id": by, "name": by}, "timedout": False,
        }  # fmt: skip
        return record_answer(self.workspace, request, event, now)

    def outbox(self) -> list[EmailMessage]:
        """Everything that was sent."""
        files = sorted(self.workspace.settings.outbox.rglob("*.eml"))
        return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]


def company(home: Path, ledger_url: str, *, customers: int = 400, seed: int = 7) -> Company:
    """A company with its sample CRM below ``home``."""
    generate(home / "sample", customers=customers, seed=seed, as_of=AS_OF)
    settings = Settings(
        home=home, ledger_url=ledger_url, address_keys=(KEY,), source=str(home / "sample"), environment="test",
        owners=home / "sample" / "owners.yaml", given_now=NOW,
    )  # fmt: skip
    return Company(open_workspace(settings))
