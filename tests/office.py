"""A company that writes to accounts, what its account owner is asked, and what he answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from tests.builders import (
    AS_OF,
    Row,
    account,
    consent,
    contact,
    days_ago,
    purchase,
    tables,
    write_source,
)
from tests.company import Company
from tests.sending import settings

from reactivation.ledger import accounts, lists, questions
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import enrolments
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.deciding import DECIDE, asked_account
from reactivation.steps.workspace import open_workspace

PLAYBOOK = "dormant_account_outreach"
NOW = AS_OF + timedelta(hours=2)
FIRMS = ("oak", "elm", "ash")

Asked = tuple[RequestId, ListRow, tuple[ListItem, ...]]


def source(*, cases: list[Row] | None = None) -> dict[str, list[Row]]:
    """Three firms with notes and two contacts each, quiet for nine months, and the households of the builders."""
    known = tables()
    leads, seconds = [f"c-{firm}" for firm in FIRMS], [f"c-{firm}two" for firm in FIRMS]
    people = [
        contact(customer, account_id=f"a-{firm}", business_segment="business", owner_id="own-ben")
        for firm in FIRMS for customer in (f"c-{firm}", f"c-{firm}two")
    ]  # fmt: skip
    return known | {
        "contacts": [*(row for row in known["contacts"] if row["customer_id"] != "c-cem"), *people],
        "accounts": [
            account(f"a-{firm}", name=f"{firm.title()} Dental Ltd", primary_contact_id=f"c-{firm}",
                    relationship_notes="Prefers a call.", annual_value=Decimal(5000 - number), tier=None)
            for number, firm in enumerate(FIRMS)
        ],
        "purchases": [
            *(row for row in known["purchases"] if row["customer_id"] != "c-cem"),
            *(purchase(f"b-{customer}", customer, days_ago(275), kind="booking", amount=Decimal(900),
                       margin=Decimal(300)) for customer in leads),
        ],
        "consents": [
            *(row for row in known["consents"] if row["customer_id"] != "c-cem"),
            *(consent(f"r-{customer}", customer) for customer in (*leads, *seconds)),
        ],
        "cases": [*known["cases"], *(cases or [])],
    }  # fmt: skip


class Office(Company):
    """A company that writes to accounts, and what its account owner does."""

    home: Path

    def says(self, at: datetime = AS_OF, **changed: Any) -> None:
        write_source(self.home / "source", as_of=at, **(source() | changed))


def open_office(home: Path, ledger_url: str) -> Office:
    """The company below ``home``, its CRM written."""
    write_source(home / "source", as_of=AS_OF, **source())
    made = Office(open_workspace(settings(home, ledger_url)))
    made.home = home
    return made


def owners_say(office: Office, before: str, after: str) -> None:
    """The owners' file with a change, read by whatever comes next."""
    file = office.home / "owners.yaml"
    text = office.workspace.settings.owners.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    office.workspace = replace(office.workspace, settings=replace(office.workspace.settings, owners=file))


def with_message(office: Office, now: datetime = NOW) -> dict[str, Asked]:
    """What the owner is asked with a message to sign, by account."""
    found = {}
    for request, row, items in office.asked(now):
        with office.workspace.ledger.begin() as conn:
            about = accounts.question_of_list(conn, row.list_id)
        assert about is not None
        found[about.account_id] = (request, row, items)
    return found


def to_sign(office: Office, account_id: str, now: datetime = NOW) -> Asked:
    """The request for one account's message alone, whatever else is asked."""
    with office.workspace.ledger.begin() as conn:
        list_id = accounts.open_list_of(conn, PLAYBOOK, account_id, now)
        row = lists.list_of(conn, str(list_id))
        assert row is not None
        question_id = questions.question_ids_of_lists(conn)[row.list_id]
        items = lists.items_of(conn, row.list_id)
        shown_by = questions.request_of(conn, question_id)
    request = shown_by or RequestId("ask_people", "asset__8", str(uuid4()), 0)
    bind_request(office.workspace, request, question_id, now)
    return request, row, items


def decided(office: Office) -> dict[str, str]:
    """The last word about each account."""
    with office.workspace.ledger.begin() as conn:
        return {one.account_id: one.decision for one in accounts.decisions(conn, PLAYBOOK)}


def state(office: Office) -> dict[str, tuple[str, str | None]]:
    """State and exit of each enrolment, by account; the latest of an account."""
    query = select(enrolments.c.account_id, enrolments.c.state, enrolments.c.exit_reason).order_by(
        enrolments.c.enrolled_at
    )
    with office.workspace.ledger.begin() as conn:
        return {row.account_id: (row.state, row.exit_reason) for row in conn.execute(query)}


def by_itself(office: Office, now: datetime = NOW) -> dict[str, tuple[RequestId, str, str]]:
    """Open questions about accounts that have no list: request, question and signing code, by account."""
    found = {}
    for question_id in questions_to_ask(office.workspace, now):
        with office.workspace.ledger.begin() as conn:
            about = accounts.question_of(conn, question_id)
        if about is None:
            continue
        request = RequestId("ask_people", "asset__9", str(uuid4()), 0)
        bind_request(office.workspace, request, question_id, now)
        with office.workspace.ledger.begin() as conn:
            question = questions.question_of(conn, question_id)
            if question is not None and question.list_id is None:
                asked = asked_account(office.workspace, conn, question)
                found[about.account_id] = (request, question_id, asked.signing_code)
    return found


def decide(office: Office, request: RequestId, code: str, *, by: str = "ben", at: datetime = NOW, **fields: str) -> str:
    event = {
        "chosen_options": [DECIDE], "params_input": {"signing_code": code, **fields}, "timedout": False,
        "responded_at": NOW.isoformat(), "responded_by_user": {"id": by, "name": by},
    }  # fmt: skip
    return record_answer(office.workspace, request, event, at)
