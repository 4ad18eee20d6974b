"""A message to an account in its owner's words: proposed, approved by him, and sent only when somebody else signed it.

What he writes is rendered and checked like every draft, into a run of its own for its bytes, and has its own digest and
code. To approve it, its owner types that code where he would sign: that signs nothing, it closes his list and asks
somebody else, as authors of the new list are whoever wrote and whoever approved. Only ids, digests and names of parts
are in the ledger and in Airflow; the words are in ``drafts.parquet`` alone.

Source: seed 001 (human approval point); docs/decisions/0027.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.approvals import Judgement, ListToSign, content_lists, signing_code
from reactivation.approvals.answers import Verdict
from reactivation.approvals.lists import DraftedTouch
from reactivation.approvals.reading import read_codes
from reactivation.contract.digests import digest
from reactivation.evidence import RunFolder
from reactivation.ledger import accounts, audit, edits, lists, runs, seals, touches
from reactivation.ledger.accounts import AccountQuestion
from reactivation.ledger.edits import DraftEdit
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.runs import Run, StepError
from reactivation.ledger.touches import DUE, Touch
from reactivation.messages.drafts import DRAFTS
from reactivation.messages.edits import Edit, read_edit
from reactivation.messages.fields import MessageError
from reactivation.steps.begin import AUDIT_HEAD
from reactivation.steps.begun import playbook_of, snapshot_of
from reactivation.steps.deciding import today_of
from reactivation.steps.drafting import decided, drafter_of, due_touch, with_customers
from reactivation.steps.opening import open_list
from reactivation.steps.signing import may_sign

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Among the inputs of the run of an edit: the run whose message it changes.
EDIT_OF = "edit_of"
_STEP = "draft"
_NO_SECOND = "no_second_approver"


# --- proposing ------------------------------------------------------------------------------------------------------
def propose_edit(
    workspace: Workspace, playbook_name: str, account_id: str, *, subject: str | None, opening: str | None, user: str,
    now: datetime,
) -> DraftEdit:  # fmt: skip
    """Draft the message an account's owner is being asked about in his words, for him to approve. Approves nothing.

    Raises ``StepError``: nobody is asked about the account, ``user`` may not sign for it, or the words do not hold.
    """
    try:
        edit = read_edit(subject, opening)
    except MessageError as refused:
        raise StepError(f"{refused} ({refused.code})") from None
    with workspace.ledger.begin() as conn:
        row, item, touch = _asked_now(conn, playbook_name, account_id, now)
        run = runs.run_of(conn, row.run_id)
        if edits.of_run(conn, run.run_id) is not None:
            raise StepError(f"the message to account {account_id} was changed, and waits for its second approver")
        if user not in {signer.user_id for signer in may_sign(workspace, conn, row)}:
            raise StepError(f"{user} is not asked about account {account_id}, so its message is not his to change")
    draft = _drafted(workspace, run, touch, edit, owner_id=row.owner_id, now=now)
    if draft["digest"] == item.draft_digest:
        raise StepError("the message says so already; nothing is changed")
    made = _run_of(workspace, run, draft, now)
    proposed = DraftEdit(
        edit_id=made.id, list_id=row.list_id, touch_id=item.touch_id, draft_digest=draft["digest"],
        signing_code=signing_code(digest([made.id, row.list_id, draft["digest"]])), parts=list(edit.parts),
        proposed_by=user, proposed_at=now,
    )  # fmt: skip
    with workspace.ledger.begin() as conn:
        still = lists.list_of(conn, row.list_id, lock=True)
        if still is None or still.state != "open":
            raise StepError(f"the owner of account {account_id} answered meanwhile; there is nothing left to change")
        runs.begin_run(
            conn, run_id=made.id, playbook=run.playbook, snapshot_id=run.snapshot_id, as_of=run.as_of,
            playbook_digest=run.playbook_digest, rules_version=run.rules_version, dry=False, segment=None,
            sample_size=None, triggered_by=user, started_at=now,
        )  # fmt: skip
        runs.record_step(
            conn, made.id, _STEP, state="succeeded", manifest_digest=made.manifest_digest, counts={"drafted": 1},
            now=now,
        )  # fmt: skip
        edits.propose(conn, proposed)
    seals.seal(workspace.ledger, now)
    return proposed


def _asked_now(conn: Connection, playbook: str, account_id: str, now: datetime) -> tuple[ListRow, ListItem, Touch]:
    list_id = accounts.open_list_of(conn, playbook, account_id, now)
    row = None if list_id is None else lists.list_of(conn, list_id)
    if row is None:
        raise StepError(f"nobody is asked to sign a message to account {account_id} now")
    [item] = lists.items_of(conn, row.list_id)
    [touch] = touches.touches_of(conn, [item.touch_id])
    if touch.offer_id is not None:
        raise StepError(f"the message to account {account_id} carries an offer, and is signed as it is or not at all")
    return row, item, touch


def _drafted(
    workspace: Workspace, run: Run, touch: Touch, edit: Edit, *, owner_id: str, now: datetime
) -> Mapping[str, Any]:
    """The row of ``DRAFTS`` with these words, made of what the run made the message of."""
    loaded, snapshot = playbook_of(workspace, run), snapshot_of(workspace, run)
    due = pa.Table.from_pylist([{**vars(touch), "owner_id": owner_id}], DUE)
    known = with_customers(
        due, snapshot, decided(workspace.run_folder(run.run_id), due), playbook=loaded.playbook,
        rules=workspace.rules.timing, now=now,
    )  # fmt: skip
    try:
        return drafter_of(workspace, loaded, snapshot).draft(due_touch(known.to_pylist()[0], None), edit)
    except MessageError as refused:
        raise StepError(f"the message does not hold with these words ({refused.code}): {refused}") from None


def _run_of(workspace: Workspace, run: Run, draft: Mapping[str, Any], now: datetime) -> RunFolder:
    """A run folder with the changed draft and nothing else."""
    inputs = workspace.run_folder(run.run_id).manifest["inputs"]
    folder = RunFolder.create(
        workspace.run_folder(str(uuid4())).path, as_of=run.as_of,
        inputs={**inputs, EDIT_OF: run.run_id, AUDIT_HEAD: seals.seal(workspace.ledger, now)},
    )  # fmt: skip
    folder.add_file("drafts", pa.Table.from_pylist([draft], DRAFTS))
    return folder


# --- approving ------------------------------------------------------------------------------------------------------
def edit_meant(conn: Connection, row: ListRow, event: object) -> DraftEdit | None:
    """The changed message whose code an answer to a list has."""
    edit = edits.newest_of_list(conn, row.list_id)
    typed = read_codes(event, (), {}).signing_code
    return edit if edit is not None and typed == edit.signing_code else None


def second_list(
    workspace: Workspace, conn: Connection, row: ListRow, item: ListItem, *, edit: DraftEdit, judged: Judgement,
    now: datetime,
) -> tuple[ListToSign | None, Judgement]:  # fmt: skip
    """The list of the changed message for somebody who neither wrote nor approved it, and the answer that approved it
    as one that signs nothing yet. Without such a person there is no list, and the answer does not count."""
    [touch] = touches.touches_of(conn, [item.touch_id])
    playbook = workspace.playbook(row.playbook).playbook
    changed = DraftedTouch(
        touch_id=item.touch_id, customer_id=item.customer_id, playbook=row.playbook, owner_id=row.owner_id,
        segment=row.segment, number=row.touch_number, channel=row.channel, draft_digest=edit.draft_digest,
        not_after=touch.not_after, individual=item.individual, review_reasons=item.review_reasons,
        variant=row.variant, escalated=True,
    )  # fmt: skip
    made = content_lists(
        [changed], owners=workspace.owners, authors={*row.authors, edit.proposed_by, str(judged.responder)}, now=now,
        today=today_of(workspace, now), answer_within=timedelta(days=playbook.approval.answer_within_days),
        of_accounts=True,
    )  # fmt: skip
    held: dict[str, Verdict] = dict.fromkeys(judged.verdicts, "held")
    if not made.opened:
        return None, replace(judged, accepted=False, refusal=_NO_SECOND, verdicts=held)
    return made.opened[0], replace(judged, form={**judged.form, "edit": edit.edit_id}, verdicts=held)


def ask_second(
    conn: Connection, to_sign: ListToSign, edit: DraftEdit, about: AccountQuestion, *, approved_by: str, now: datetime
) -> None:
    """Open the list of the changed message: from now on it is the touch's, and only its bytes can be signed."""
    touches.set_drafted(conn, {edit.touch_id: edit.draft_digest}, run_id=edit.edit_id, now=now)
    question_id = open_list(conn, runs.run_of(conn, edit.edit_id), to_sign, now)
    accounts.insert_questions(conn, [replace(about, question_id=question_id)])
    audit.write(
        conn, at=now, actor=approved_by, action="edit_approved", subject=edit.touch_id,
        details={"edit_id": edit.edit_id, "digest": edit.draft_digest, "question_id": question_id,
                 "second_approvers": [signer.user_id for signer in to_sign.signers]},
    )  # fmt: skip
