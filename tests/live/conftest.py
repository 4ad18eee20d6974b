"""One live Airflow for all tests here, with the product in it and lists that wait for their signers."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select
from tools.api import Api, instance_path
from tools.demo import NOW
from tools.home import REPOSITORY, USERS, Home
from tools.product import first_lists, start
from tools.stack import Stack

from reactivation.approvals import ListToSign, signing_code
from reactivation.ledger import lists, questions
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.tables import answers, item_verdicts, list_items, sends
from reactivation.ledger.tables import lists as lists_table
from reactivation.playbooks.owners import Signer
from reactivation.steps.dispatch import dispatch
from reactivation.steps.workspace import Workspace

ASKING = "ask_by_hand"
ITEMS = 2
#: A request answered within a moment of its opening can fail inside Airflow.
SETTLED_SECONDS = 6


@dataclass(frozen=True)
class Asked:
    """A list of a test's own with its question."""

    list_id: str
    question_id: str
    signing_code: str
    touch_ids: tuple[str, ...]


@dataclass
class Live:
    """The running product, everybody's session, and a supply of lists."""

    stack: Stack
    workspace: Workspace
    run_id: str
    users: dict[str, Api]
    model: ListRow
    touches: list[ListItem]
    taken: int = field(default=0)

    # --- lists ------------------------------------------------------------------------------------------------------
    def new_list(self, *, signers: tuple[str, ...] = ("ada", "ben")) -> Asked:
        """A list of two touches that no other test has, opened in the ledger just as the product opens lists."""
        mine = self.touches[self.taken : self.taken + ITEMS]
        assert len(mine) == ITEMS, "the sample has too few drafted touches for these tests"
        self.taken += ITEMS
        list_id, question_id, model = str(uuid4()), str(uuid4()), self.model
        to_sign = ListToSign(
            kind="content", playbook=model.playbook, owner_id=model.owner_id, segment=model.segment,
            touch_number=model.touch_number, channel=model.channel, offer_id=None, offer_terms=None, cost=None,
            currency=None, authors=tuple(model.authors), expires_at=model.expires_at,
            signers=tuple(Signer(user, f"own-{user}", "marketing_owner", user) for user in signers),
            items=tuple(
                ListItem(n, i.touch_id, i.customer_id, i.draft_digest, i.individual, i.review_reasons)
                for n, i in enumerate(mine, start=1)
            ),
        )  # fmt: skip
        digest = to_sign.digest(list_id)
        row = vars(model) | {"list_id": list_id, "digest": digest, "signing_code": signing_code(digest)}
        with self.workspace.ledger.begin() as conn:
            conn.execute(insert(lists_table).values(row))
            conn.execute(insert(list_items), [vars(i) | {"list_id": list_id} for i in to_sign.items])
            lists_signers = [lists.ListSigner(s.user_id, s.owner_id, s.role) for s in to_sign.signers]
            insert_signers(conn, list_id, lists_signers)
            questions.insert_question(
                conn, question_id=question_id, kind="sign_list", list_id=list_id, opened_at=model.opened_at,
                expires_at=model.expires_at,
            )  # fmt: skip
        return Asked(list_id, question_id, row["signing_code"], tuple(i.touch_id for i in mine))
