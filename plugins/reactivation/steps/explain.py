"""One customer's story in words: every gate with its question, passed or not, the values used and the records behind
them; where it did not pass, what that means and whose sentence the gate stands for; and what has happened since, from
the ledger.

Ids, codes, dates and amounts only; no names, addresses or notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from reactivation.ledger import extract, runs
from reactivation.ledger.runs import StepError
from reactivation.playbooks.model import Playbook
from reactivation.policy.decisions import GATES, PASS
from reactivation.policy.gate_rules import GateRules, Source
from reactivation.policy.rules import Rules
from reactivation.steps.decide import OWNERS_SAID, decide_snapshot
from reactivation.steps.results import decisions_of
from reactivation.steps.story import story

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

Row = Mapping[str, Any]
Teller = Callable[[Row, Row], str]

_DECISIONS = {
    "enrol": "may be enrolled",
    "review": "may be enrolled once a person has agreed to this customer by name",
    "hold": "is held back for now",
    "suppress": "is not contacted",
}


def explain_customer(workspace: Workspace, customer_id: str, playbook: str, run_id: str | None = None) -> str:
    """The story of a customer in a run (the playbook's last when none is named), and his history in every playbook.

    Raises ``StepError`` for a run that decided nothing and for a customer nothing at all is known of.
    """
    run_id, decisions = decisions_of(workspace, playbook, run_id)
    found = decisions.filter(pc.equal(decisions["customer_id"], customer_id)).to_pylist()
    keys = [key for row in found for key in (row["email_key"], row["phone_key"]) if key]
    happened = story(workspace, customer_id, keys)
    decided = _decided(workspace, customer_id, playbook, run_id, found=found, known=bool(happened))
    return "\n".join([decided, "", "history:", *(happened or ["nothing yet"])])


def _decided(
    workspace: Workspace, customer_id: str, playbook: str, run_id: str, *, found: Sequence[Row], known: bool
) -> str:
    """What the run made of the customer."""
    declared = workspace.playbook(playbook).playbook
    if found:
        return explain(found[0], declared, workspace.rules)
    if any(one.file == "decisions.parquet" for one in workspace.run_folder(run_id).rewrites):
        return f"what run {run_id} decided about {customer_id} is no longer kept, if anything: its time is over"
    with workspace.ledger.begin() as conn:
        run = runs.run_of(conn, run_id)
    folder = workspace.run_folder(run_id)
    decided = decide_snapshot(
        workspace.snapshot_folder(run.snapshot_id), extract.of_any_version(folder.read("ledger_extract")), declared,
        workspace.rules, workspace.owners, run.as_of, before=[one.playbook for one in workspace.before(playbook)],
        owners_said=folder.read(OWNERS_SAID),
    )  # fmt: skip
    others = decided.others.filter(pc.equal(decided.others["customer_id"], customer_id)).to_pylist()
    if not others and known:
        return f"customer {customer_id} is not in snapshot {run.snapshot_id} of the last run"
    if not others:
        raise StepError(f"snapshot {run.snapshot_id} has no customer {customer_id}; see `reactivation candidates`")
    return _no_candidate(others[0], declared, workspace.rules.gates)


def explain(row: Row, playbook: Playbook, rules: Rules) -> str:
    """The story of one row of ``decisions.parquet``."""
    evidence = row["evidence"]
    reasons = f" because of {_list(row['reason_codes'])}" if row["reason_codes"] else ""
    lines = [
        f"customer {row['customer_id']} in {playbook.title} ({row['playbook']}), as of {_time(row['as_of'])}",
        f"decision: {row['decision']} — {_DECISIONS[row['decision']]}{reasons}",
        f"next: {row['next_best_action']}{_until(row)}; owner {row['owner_id'] or 'unknown'}; {_channel(row)}",
        f"who: {_who(row)}",
        f"why quiet: {row['inactivity_reason']} ({row['reason_basis']}{_from(evidence['reason_evidence'])})",
        f"priority {row['priority']} = value {row['priority_value']} × {rules.priority.weights.value}"
        f" + recency {row['priority_recency']} × {rules.priority.weights.recency}"
        f" + engagement {row['priority_engagement']} × {rules.priority.weights.engagement}"
        f" + chance {row['priority_chance']} × {rules.priority.weights.chance}",
        f"next 90 days: {_scored(row)}",
        *_adapted(row, playbook),
        *_rung(row),
        *_skipped_at_random(row),
        f"experiment: {_experiment(row)}",
        f"review flags: {_list(row['review_flags']) or 'none'}",
        "",
        "the ladder, first no decides:",
        *_ladder(row, rules.gates),
        *_beside_the_ladder(row, rules.gates),
        "",
        f"rules {row['rules_version']}",
    ]
    return "\n".join(lines)


def _rung(row: Row) -> Iterator[str]:
    """Up to which step of the ladder incentives go, where the playbook limits it."""
    if row["rung"] is not None:
        yield f"incentives: up to {row['rung']} (the segment's step, or by chance a neighbour)"


def _skipped_at_random(row: Row) -> Iterator[str]:
    """Which touches chance withholds, where the playbook lets it; a run from before that was asked has none."""
    if row.get("skipped_touches"):
        touches = _list(row["skipped_touches"])
        yield f"skipped at random: touch {touches} (so that what each touch adds can be told)"


def _adapted(row: Row, playbook: Playbook) -> Iterator[str]:
    """Each adaptation that was met, with the playbook's words for it."""
    because = {one.name: one.because for one in playbook.adaptations}
    for name in row["adaptations"]:
        yield f"adapted: {name} — {because.get(name, 'no longer declared')}"


def _scored(row: Row) -> str:
    """What the scores say, with what they were told from; a probability is never exact."""
    if row["churn"] is None:
        return "not scored"
    parts = [f"stays away with a probability of about {row['churn']:.2f} ({row['score_method']})"]
    if row["frequency"] is not None:
        bought = f"{row['frequency'] + 1} purchase days over {row['recency_days']} of {row['age_days']} days"
        parts.append(f"told from {bought}")
    if row["alive"] is not None:
        parts.append(f"P(alive) {row['alive']:.2f} (ranks nobody)")
    if row["expected_value"] is not None:
        order = f"{row['expected_order']:.2f} {row['evidence']['currency']}"
        parts.append(
            f"about {row['expected_purchases']:.2f} purchases of {order}, with a margin of {row['expected_value']:.2f}"
        )
    return "; ".join(parts)


def _no_candidate(row: Row, playbook: Playbook, gates: GateRules) -> str:
    told = {"in_scope": "", "dormant": _quiet(row["dormant_days"], row["window_days"])}
    return "\n".join(
        [
            f"customer {row['customer_id']} is no candidate of {playbook.title} ({playbook.playbook})",
            *(line for name, values in told.items() for line in _gate(name, row[f"gate_{name}"], values, gates)),
        ]
    )


def _ladder(row: Row, gates: GateRules) -> Iterator[str]:
    for number, name in enumerate(GATES, start=1):
        first, *rest = _gate(name, row[f"gate_{name}"], _TOLD[name](row, row["evidence"]), gates)
        yield f"{number:>3}{first[1:]}"
        yield from rest


def _gate(name: str, result: str, told: str, gates: GateRules) -> list[str]:
    """The gate in one line: its result, its question, and what was found; beneath it what a result that is no pass
    means, and the sentences it stands for."""
    rule = gates.gates[name]
    line = f"  {name:<18} {result:<28} {rule.question} {told}".rstrip()
    return [line] if result == PASS else [line, *_meaning(gates.meaning(name, result), rule.sources)]


def _meaning(meaning: str, sources: Sequence[Source]) -> list[str]:
    return [f"{'':8}{meaning}", *(f"{'':8}{source}" for source in sources)]


def _beside_the_ladder(row: Row, gates: GateRules) -> list[str]:
    """What asks for a person although every gate passed."""
    reasons = [reason for reason in row["review_reasons"] if reason in gates.reviews]
    told = [(reason, gates.reviews[reason]) for reason in reasons]
    lines = [line for reason, rule in told for line in (f"  {reason}", *_meaning(rule.meaning, rule.sources))]
    return ["", "a person is asked besides, because of:", *lines] if lines else []


def _in_scope(row: Row, evidence: Row) -> str:
    now = "enrolled in it now, " if row["enrolled"] else ""
    return f"{now}{evidence['enrolments_total']} enrolments so far"


def _dormant(row: Row, evidence: Row) -> str:
    last = f"{row['last_activity_kind']} on {_time(row['last_activity_at'])}" if row["last_activity_at"] else "nothing"
    return f"{_quiet(row['dormant_days'], evidence['window_days'])} ({row['business_segment']}); last: {last}"


def _evidence(row: Row, evidence: Row) -> str:
    return (
        f"{evidence['purchases']} purchases, value {row['value_tier']}{_from([evidence['value_tier_source']])}, "
        f"owner {row['owner_id'] or 'unknown'}"
    )


def _not_suppressed(row: Row, evidence: Row) -> str:
    broken = f"; unreadable in {_list(evidence['broken_tables'])}" if evidence["broken_tables"] else ""
    said = [*evidence["suppression_reasons"], *filter(None, [evidence["ledger_suppressed_reason"]])]
    return f"{_list(said) or 'no suppression'}{_from(evidence['suppression_ids'])}{broken}"


def _relationship(row: Row, evidence: Row) -> str:
    notes = {True: "with notes", False: "no notes"}.get(evidence["has_notes"], "notes unknown")
    return f"{evidence['relationship']}, {notes}"


def _fit(row: Row, evidence: Row) -> str:
    return f"{evidence['fit']}; margin of 24 months {_money(evidence['margin_24m'], evidence['currency'])}"


def _no_open_issue(row: Row, evidence: Row) -> str:
    return f"open: {_list(evidence['open_case_ids']) or 'none'}; past: {_list(evidence['past_case_ids']) or 'none'}"


def _permission(row: Row, evidence: Row) -> str:
    told = [_basis(row, channel) for channel in ("email", "sms")]
    places = _list(row["jurisdictions"]) or "unknown"
    return f"{'; '.join(told)}; in {places}; on record: {_list(evidence['consent_record_ids']) or 'nothing'}"


def _reachable(row: Row, evidence: Row) -> str:
    shared = f"; shared with {_list(evidence['shares_address_with'])}" if evidence["shares_address_with"] else ""
    return f"e-mail {evidence['email_problem'] or 'good'}, phone {evidence['phone_problem'] or 'good'}{shared}"


def _context_consistent(row: Row, evidence: Row) -> str:
    return f"account {row['account_id'] or 'none'}, owner {row['owner_id'] or 'unknown'}"


def _offer_allowed(row: Row, evidence: Row) -> str:
    share = f"{row['offer_cap'] * 100:.2f} %"
    average = _money(evidence["average_order"], evidence["currency"])
    return (
        f"up to {row['offer_position']}, at most {share} of an order of {average}; "
        f"{evidence['redeemed_incentives']} incentives redeemed{_of_the_margin(evidence)}"
    )


def _of_the_margin(evidence: Row) -> str:
    """What redeemed incentives cost, beside the margin of a lifetime; nothing of a run from before that was asked."""
    if not evidence["redeemed_incentives"] or "redeemed_cost" not in evidence:
        return ""
    cost = _money(evidence["redeemed_cost"], evidence["redeemed_currency"])
    return f" for {cost} of a margin of {_money(evidence['lifetime_margin'], evidence['currency'])} ever"


def _timing(row: Row, evidence: Row) -> str:
    last = f"; last message {_time(evidence['last_sent_at'])}" if evidence["last_sent_at"] else "; no message known"
    return f"clock of {_list(row['zones']) or 'unknown'}{_from(row['zone_sources'])}{last}"


_TOLD: dict[str, Teller] = {
    "in_scope": _in_scope, "dormant": _dormant, "evidence": _evidence, "not_suppressed": _not_suppressed,
    "relationship": _relationship, "fit": _fit, "no_open_issue": _no_open_issue, "permission": _permission,
    "reachable": _reachable, "context_consistent": _context_consistent, "offer_allowed": _offer_allowed,
    "timing": _timing,
}  # fmt: skip


def _basis(row: Row, channel: str) -> str:
    if row[f"{channel}_basis"] is None:
        return f"{channel}: no ({row[f'{channel}_why']})"
    until = row[f"{channel}_valid_until"]
    ends = f"until {_time(until)}" if until else "without end"
    return f"{channel}: {row[f'{channel}_basis']}{_from(row[f'{channel}_records'])} {ends}"


def _who(row: Row) -> str:
    return (
        f"{row['business_segment']}, dormancy {row['dormancy_range']}, {row['purchase_kind']} {row['purchase_repeat']} "
        f"purchases at {row['margin_class']} margin, {row['aov_tier']} orders, value {row['value_tier']}, "
        f"{row['engagement_pattern']}, likes {row['product_affinity']}, came by {row['acquisition_channel']}; "
        f"population {row['population']}"
    )


def _experiment(row: Row) -> str:
    if row["holdout"]:
        return "held out of all touches"
    return "not held out" + (f"; variant {row['variant']}" if row["variant"] else "")


def _channel(row: Row) -> str:
    if row["recommended_channel"] is None:
        return f"no channel ({row['channel_reason']})" if row["channel_reason"] else "no channel"
    return f"by {row['recommended_channel']} ({row['channel_reason']})"


def _until(row: Row) -> str:
    return f" until {_time(row['hold_until'])}" if row["hold_until"] else ""


def _quiet(days: int | None, window: int | None) -> str:
    shown = "never active" if days is None else f"quiet for {days} days"
    return f"{shown}, window {window if window is not None else 'not declared'}"


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "unknown" if amount is None else f"{amount:.2f} {currency or ''}".rstrip()


def _from(records: list[str] | None) -> str:
    known = [record for record in records or () if record]
    return f" from {_list(known)}" if known else ""


def _list(values: list[str] | None) -> str:
    return ", ".join(values or ())


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
