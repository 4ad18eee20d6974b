"""Do the books balance? Decisions, ledger and outbox are each counted by themselves and held against one another."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from sqlalchemy import Connection, select

from reactivation.ledger.tables import enrolments, item_verdicts, list_items, lists, measurement_events, sends, touches
from reactivation.steps.results import decisions_of
from reactivation.steps.workspace import Workspace

_MAY_BEGIN = ("enrol", "review")


def reconcile(workspace: Workspace, run_id: str) -> list[str]:
    """Every sum that does not come out, as a sentence; none when all do. For a ledger whose lists are all closed."""
    _, decisions = decisions_of(workspace, "customer_reactivation", run_id)
    with workspace.ledger.begin() as conn:
        return [*_decisions(decisions, conn, run_id), *_verdicts(conn), *_sends(workspace, conn)]


def _decisions(table: pa.Table, conn: Connection, run_id: str) -> list[str]:
    decided = {row["customer_id"]: row for row in table.select(["customer_id", "decision", "holdout"]).to_pylist()}
    begun = set(conn.scalars(select(enrolments.c.customer_id).where(enrolments.c.run_id == run_id)))
    events = measurement_events.c
    recorded = conn.scalars(select(events.subject).where(events.run_id == run_id, events.kind == "decision"))
    told = Counter(recorded)
    wrong = []
    if len(decided) != table.num_rows:
        wrong.append(f"{table.num_rows} decisions about {len(decided)} customers")
    if told != Counter(decided.keys()):
        wrong.append(f"{len(decided)} decisions, but {told.total()} measurement events of them")
    allowed = {c for c, row in decided.items() if row["decision"] in _MAY_BEGIN and not row["holdout"]}
    if not begun <= allowed:
        wrong.append(f"{len(begun - allowed)} enrolments without a decision that allows them")
    if not begun:
        wrong.append("nobody was enrolled")
    return wrong


def _verdicts(conn: Connection) -> list[str]:
    verdicts = Counter(conn.scalars(select(item_verdicts.c.verdict)))
    items = len(conn.execute(select(list_items.c.touch_id)).all())
    still_open = len(conn.execute(select(lists.c.list_id).where(lists.c.state == "open")).all())
    wrong = [f"no item was {verdict}" for verdict in ("signed", "held", "rejected") if not verdicts[verdict]]
    if still_open:
        wrong.append(f"{still_open} lists are still open")
    if items != verdicts.total():
        wrong.append(f"{items} listed items, but {verdicts.total()} verdicts")
    return wrong


def _sends(workspace: Workspace, conn: Connection) -> list[str]:
    made = {row.send_id: row for row in conn.execute(select(sends))}
    delivered = {send_id for send_id, row in made.items() if row.state == "accepted"}
    in_outbox = {
        file.name.partition(".")[0]
        for messages in ("*.eml", "*.sms.json")
        for file in workspace.settings.outbox.glob(messages)
    }
    state = {row.touch_id: row for row in conn.execute(select(touches))}
    by_verdict: dict[str, set[str]] = {"signed": set(), "held": set(), "rejected": set()}
    for row in conn.execute(select(item_verdicts.c.touch_id, item_verdicts.c.verdict)):
        by_verdict[row.verdict].add(row.touch_id)
    sent = {made[send_id].touch_id for send_id in delivered}
    overdue = [t for t in state.values() if t.state == "signed" and t.not_before <= workspace.now()]
    sums = [
        (in_outbox == delivered, f"{len(in_outbox)} messages in the outbox, but {len(delivered)} sends in the ledger"),
        (bool(sent), "nothing was sent"),
        (sent <= by_verdict["signed"], "something was sent that nobody signed"),
        (not sent & (by_verdict["held"] | by_verdict["rejected"]), "something held or rejected was sent"),
        (sent == {t for t, row in state.items() if row.state == "accepted"}, "touches and sends differ"),
        (len(sent) == len(delivered), "a touch was sent twice"),
        (not overdue, f"{len(overdue)} touches are signed and due, and were not sent"),
    ]
    return [sentence for holds, sentence in sums if not holds]
