"""The review brief of a dormant account: what its owner has to know before he decides, from the records of one run.

Everything is of the run's evidence: the decision with its gates, and the snapshot it was made from. Names and notes are
personal; they are in a brief only for whoever may decide about the account.

Source: seed 001 (expected outputs, required inputs, human approval point); PLAYBOOKS.md section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.contract.tables import CHANNELS
from reactivation.evidence import SnapshotFolder
from reactivation.ledger import accounts, runs
from reactivation.ledger.runs import StepError
from reactivation.policy.accounts import OWNER_DECISIONS
from reactivation.policy.decisions import FAIL, GATES, PASS, REVIEW

if TYPE_CHECKING:
    from reactivation.policy.gate_rules import GateRules
    from reactivation.policy.rules import Rules
    from reactivation.steps.workspace import Workspace

Row = Mapping[str, Any]
Rows = list[Sequence[str]]

#: The recommended next step in words; leaving an account alone is one.
_NEXT = {
    "start_sequence": "Write: a check-in and one follow-up, each signed by its owner.",
    "check_in": "Write: a check-in and one follow-up, each signed by its owner.",
    "owner_call": "Call before anything is written: something has to be heard first.",
    "resolve_issue_first": "Resolve the open issue first.",
    "wait_until": "Wait: the moment is not right.",
    "complete_evidence": "Complete the records first: what is known does not carry a message.",
    "close": "Close it.",
    "leave_alone": "Leave it alone.",
}
_OPTIONS = {
    "approve": "write: the check-in is drafted and asked about; a follow-up two weeks later is asked about again",
    "resolve_issue": "write about the open issue and nothing else",
    "hold_until": "hold it until a day; it wakes up on that day",
    "close": "close it for outreach, until you decide anew",
    "monitor": "watch it; it is decided afresh once somebody of it does anything",
    "no_outreach": "leave it alone; no outreach is best",
}


@dataclass(frozen=True)
class Part:
    """One table of a brief; ``empty`` stands where it has no rows."""

    title: str
    columns: Sequence[str]
    rows: Rows
    hint: str = ""
    empty: str = "Nothing on record."


@dataclass(frozen=True)
class Brief:
    """A review brief: what is recommended, by which path, and the tables behind it."""

    account_id: str
    run_id: str
    as_of: datetime
    recommendation: str
    path: str
    parts: Sequence[Part]

    def markdown(self) -> str:
        """The brief as a document."""
        head = [
            f"# Review brief: account {self.account_id}", f"As of {_day(self.as_of)}, run {self.run_id}.",
            f"**Recommended: {self.recommendation}** Path: {_words(self.path)}.",
        ]  # fmt: skip
        return "\n\n".join([*head, *(_table(part) for part in self.parts)]) + "\n"


def brief_of(
    workspace: Workspace, conn: Connection, playbook: str, account_id: str, *, run_id: str | None = None, personal: bool
) -> Brief:
    """The brief of an account by the playbook's last run, or by the run named. Raises ``StepError`` where it decided
    nothing about that account."""
    run = runs.latest_run(conn, playbook, step="decide") if run_id is None else runs.run_of(conn, run_id)
    said = accounts.decisions(conn, playbook, [account_id])
    if run is None:
        raise StepError(f"playbook {playbook} has decided nothing yet; say: reactivation run {playbook}")
    decisions = workspace.run_folder(run.run_id).read("decisions")
    found = decisions.filter(pc.equal(decisions["account_id"], account_id)).to_pylist()
    if not found:
        raise StepError(f"run {run.run_id} decided nothing about account {account_id}: not dormant, or not known")
    row, snapshot = found[0], workspace.snapshot_folder(run.snapshot_id)
    about = _first(snapshot.read("accounts"), "account_id", account_id)
    parts = [
        Part("The account", ("What", "Known"), list(_account(row, about))),
        Part("Why it went quiet", ("What", "Known"), list(_why(row))),
        Part("Value and history", ("What", "Known"), list(_value(row, snapshot))),
        Part("Issues", ("Case", "Kind", "State", "Opened", "Closed"), _issues(row, snapshot)),
        Part("Contacts", ("Number", "Contact", "Written to", "Said no"), _contacts(row, snapshot)),
        Part("Permission of the one written to", ("Channel", "Known", "Records"), list(_permission(row))),
        Part("Flags", ("Gate", "Found", "Which means"), list(_flags(row, workspace.rules.gates))),
        Part("Priority", ("Part", "Points", "Weight"), list(_priority(row, workspace.rules))),
        Part("Next-step options", ("Decision", "What follows"), [(one, _OPTIONS[one]) for one in OWNER_DECISIONS]),
    ]  # fmt: skip
    if said:
        parts.append(Part("Decided before", ("What", "Known"), [
            ("Decision", said[0].decision), ("When", _day(said[0].decided_at)), ("By", said[0].decided_by),
            ("Why", _words(said[0].reason)), ("Until", _day(said[0].until)),
        ]))  # fmt: skip
    if personal:
        parts.insert(1, Part("Names and notes", ("Whose", "Known"), list(_people(row, snapshot))))
    return Brief(account_id, run.run_id, row["as_of"], _NEXT[row["next_best_action"]], row["path"], parts)


def _account(row: Row, about: Row) -> Iterator[Sequence[str]]:
    yield "Status", _words(about.get("status"))
    yield "Health", _words(about.get("health"))
    yield "Relationship owner", row["owner_id"] or "unknown"
    yield "Relationship", _words(row["evidence"]["relationship"])
    yield "Fit", _words(row["evidence"]["fit"])
    yield "Business segment", _words(row["business_segment"])
    yield "Context", "high: its owner leads" if row["high_context"] else "light"
    yield "Renewal", _day(about.get("renewal_at"))
    yield "Open deal", {True: "yes", False: "no"}.get(about.get("open_deal"), "unknown")  # type: ignore[arg-type]
    yield "Next step on record", "yes" if row["has_next_step"] else "none"
    yield "Ended", _day(about.get("cancelled_at"))


def _why(row: Row) -> Iterator[Sequence[str]]:
    yield "Last activity", f"{_day(row['last_activity_at'])} ({_words(row['last_activity_kind'])})"
    yield "Quiet for", f"{row['dormant_days']} days; dormant from {row['evidence']['window_days']} on"
    yield "Reason", f"{_words(row['inactivity_reason'])} ({row['reason_basis']})"
    yield "Records behind it", ", ".join(row["evidence"]["reason_evidence"] or ()) or "none"


def _value(row: Row, snapshot: SnapshotFolder) -> Iterator[Sequence[str]]:
    known = row["evidence"]
    value = row["annual_value"]
    yield "Annual value", "unknown" if value is None else f"{row['annual_currency'] or ''} {value:,.2f}".strip()
    yield "Value tier", f"{row['value_tier']} (by {_words(known['value_tier_source'])})"
    yield "Purchases and bookings", f"{known['purchases']:,}"
    yield "Revenue of 24 months", _money(known["revenue_24m"], known["currency"])
    yield "Margin of 24 months", _money(known["margin_24m"], known["currency"])
    yield "Last purchase", _day(row["last_purchase_at"])
    usage = snapshot.read("engagement_summary", ("customer_id", "last_usage_at", "last_login_at"))
    mine = usage.filter(pc.is_in(usage["customer_id"], pa.array(row["account_contacts"], pa.string())))
    for name, title in (("last_usage_at", "Last use"), ("last_login_at", "Last login")):
        yield title, _day(pc.max(pc.cast(mine[name], pa.int64())).cast(mine[name].type).as_py())


def _issues(row: Row, snapshot: SnapshotFolder) -> Rows:
    ids = [*(row["evidence"]["open_case_ids"] or ()), *(row["evidence"]["past_case_ids"] or ())]
    cases = snapshot.read("cases")
    mine = cases.filter(pc.is_in(cases["case_id"], pa.array(ids, pa.string()))).sort_by("opened_at").to_pylist()
    still_open = set(row["evidence"]["open_case_ids"] or ())
    return [
        (one["case_id"], _words(one["kind"]), "open" if one["case_id"] in still_open else "closed",
         _day(one["opened_at"]), _day(one["closed_at"]))
        for one in mine
    ]  # fmt: skip


def _contacts(row: Row, snapshot: SnapshotFolder) -> Rows:
    contacts = pa.array(row["account_contacts"], pa.string())
    told = snapshot.read("suppressions", ("customer_id",))["customer_id"]
    suppressed = set(told.filter(pc.is_in(told, contacts)).to_pylist())
    return [
        (str(number), one, "yes" if one == row["customer_id"] else "", "yes" if one in suppressed else "")
        for number, one in enumerate(row["account_contacts"], start=1)
    ]


def _permission(row: Row) -> Iterator[Sequence[str]]:
    for channel in CHANNELS:
        basis, why = row[f"{channel}_basis"], row[f"{channel}_why"]
        known = f"permitted by {_words(basis)}" if basis else f"not permitted: {_words(why)}"
        yield channel, known, ", ".join(row[f"{channel}_records"] or ()) or "none"


def _people(row: Row, snapshot: SnapshotFolder) -> Iterator[Sequence[str]]:
    people = snapshot.read("people")
    ids = pa.array([row["account_id"], *row["account_contacts"]], pa.string())
    for one in people.filter(pc.is_in(people["key"], ids)).to_pylist():
        if one["kind"] == "account":
            yield "Account", one["account_name"] or "unknown"
        elif one["kind"] == "person":
            yield one["key"], " ".join(filter(None, (one["first_name"], one["last_name"]))) or "unknown"
        if one["relationship_notes"]:
            yield f"Notes on {one['key']}", one["relationship_notes"]


def _flags(row: Row, gates: GateRules) -> Iterator[Sequence[str]]:
    for name in GATES:
        result = row[f"gate_{name}"]
        if result != PASS:
            found = "no" if result.startswith(FAIL) else "look" if result.startswith(REVIEW) else "less"
            yield _words(name), found, gates.meaning(name, result)


def _priority(row: Row, rules: Rules) -> Iterator[Sequence[str]]:
    weights = rules.priority.weights
    for name in ("value", "recency", "engagement"):
        yield _words(name), f"{row[f'priority_{name}']}", str(getattr(weights, name))
    yield "Altogether", f"{row['priority']}", ""


def _first(table: pa.Table, key: str, value: str) -> Row:
    rows = table.filter(pc.equal(table[key], value)).to_pylist()
    return rows[0] if rows else {}


def _table(part: Part) -> str:
    if not part.rows:
        return f"## {part.title}\n\n{part.empty}"
    lines = [part.columns, ["---"] * len(part.columns), *part.rows]
    shown = "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
    return f"## {part.title}\n\n{shown}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _words(code: str | None) -> str:
    return code.replace("_", " ") if code else "unknown"


def _day(at: datetime | None) -> str:
    return "none" if at is None else f"{at:%Y-%m-%d}"


def _money(value: Any, currency: str | None) -> str:  # noqa: ANN401  (a decimal, or nothing)
    return "unknown" if value is None else f"{currency or ''} {value:,.2f}".strip()
