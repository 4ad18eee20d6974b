"""Opening one list: frozen in the ledger with its question, and told in the trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from reactivation.approvals import ListToSign, signing_code
from reactivation.ledger import audit, lists, questions
from reactivation.ledger.lists import ListSigner
from reactivation.ledger.runs import Run


def open_list(conn: Connection, run: Run, to_sign: ListToSign, now: datetime) -> str:
    """Freeze one list with its question; returns the question's id."""
    list_id, question_id = str(uuid4()), str(uuid4())
    digest = to_sign.digest(list_id)
    row = {
        "list_id": list_id, "run_id": run.run_id, "playbook": run.playbook, "kind": to_sign.kind,
        "channel": to_sign.channel, "touch_number": to_sign.touch_number, "segment": to_sign.segment,
        "variant": to_sign.variant, "owner_id": to_sign.owner_id, "offer_id": to_sign.offer_id,
        "offer_terms": to_sign.offer_terms, "cost": to_sign.cost, "currency": to_sign.currency,
        "authors": list(to_sign.authors), "digest": digest,
        "signing_code": signing_code(digest), "opened_at": now, "expires_at": to_sign.expires_at, "state": "open",
    }  # fmt: skip
    signers = [ListSigner(s.user_id, s.owner_id, s.role) for s in to_sign.signers]
    lists.insert_list(conn, row, to_sign.items, signers)
    questions.insert_question(
        conn, question_id=question_id, kind="sign_offer" if to_sign.kind == "offer" else "sign_list", subject=list_id,
        list_id=list_id, opened_at=now, expires_at=to_sign.expires_at,
    )  # fmt: skip
    audit.write(
        conn, at=now, actor=run.playbook, action="list_opened", subject=list_id,
        details={"run_id": run.run_id, "question_id": question_id, "digest": digest, "authors": list(to_sign.authors),
                 "signers": [s.user_id for s in to_sign.signers], **facts_of(to_sign)},
    )  # fmt: skip
    return question_id


def facts_of(made: ListToSign) -> dict[str, Any]:
    """What is told of a list beside its items: ids, codes and counts."""
    return {
        "kind": made.kind, "owner_id": made.owner_id, "segment": made.segment, "variant": made.variant,
        "touch_number": made.touch_number, "channel": made.channel, "offer_id": made.offer_id, "cost": made.cost,
        "currency": made.currency, "expires_at": made.expires_at, "items": len(made.items),
        "individual": sum(i.individual for i in made.items),
    }  # fmt: skip
