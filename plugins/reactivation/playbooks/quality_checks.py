"""Proofs of the quality gates of a playbook file. Pure: a playbook in, what does not hold out.

A problem is a message and the way to the field it is about. Source: seeds 000 and 001, Quality and stop gates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from reactivation.contract.tables import TABLES
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.quality import Quality
from reactivation.playbooks.words import ActivitySignal, Input

Problem = tuple[str, *tuple[str | int, ...]]
Check = Callable[[Playbook, Quality, Collection[str]], Iterator[Problem]]

#: Where a signal can be seen: a table, or a column of one; any of them will do.
_SEEN_IN: dict[ActivitySignal, tuple[tuple[str, str | None], ...]] = {
    "purchase": (("purchases", None),), "booking": (("purchases", None),), "reply": (("engagements", None),),
    "open": (("engagements", None), ("contacts", "last_email_opened")),
    "click": (("engagements", None), ("contacts", "last_email_link_clicked")),
    "seen": (("contacts", "last_seen"), ("engagements", None)),
    "visit": (("engagements", None), ("contacts", "last_seen")),
    "login": (("engagements", None), ("contacts", "last_seen")),
    "usage": (("engagements", None), ("contacts", "last_seen")),
}  # fmt: skip
#: The tables a required input is read from.
_BEHIND: dict[Input, tuple[str, ...]] = {
    "last_activity": ("contacts",), "value_tier": (), "purchase_history": ("purchases",),
    "inactivity_reason": ("cases",), "consent": ("consents", "suppressions"), "relationship_notes": ("cases",),
    "offer_boundaries": ("offers",), "owner": (),
    "account_value": ("accounts",), "account_history": ("purchases", "engagements"), "recipient": ("accounts",),
}  # fmt: skip


def _trigger(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    requires = playbook.requires
    for position, signal in enumerate(playbook.activity):
        places = _SEEN_IN[signal]
        if not any(table in requires and (column is None or column in requires[table]) for table, column in places):
            wanted = " or ".join(f"{table}.{column}" if column else table for table, column in places)
            yield f"nobody can see a {signal}: require {wanted}", "activity", position
    if playbook.population.cool_down_days == 0:
        yield "0 days: the same silence would trigger again at once; say how long", "population", "cool_down_days"


def _evidence(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    offers = any(touch.offer for touch in playbook.touches)
    for position, wanted in enumerate(playbook.inputs):
        if wanted == "offer_boundaries" and not offers:
            continue
        missing = [table for table in _BEHIND[wanted] if table not in playbook.requires]
        if missing:
            yield f"{wanted} is a required input, and {', '.join(missing)} not required", "inputs", position


def _approval(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    points = declared.review_points[playbook.subject]
    wanted = [*points.always, *(points.offers if any(touch.offer for touch in playbook.touches) else ())]
    missing = [point for point in wanted if point not in playbook.approval.review_points]
    if missing:
        yield f"nobody is asked about {', '.join(missing)}", "approval", "review_points"


def _judgment(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    if "consent" not in playbook.inputs:
        yield "consent is no required input", "inputs"
    if not any("consent" in rule for rule in playbook.approval.stop_rules):
        yield "no stop rule names consent", "approval", "stop_rules"


def _measurement(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    plan = playbook.measurement
    if plan.baseline_metric not in counted:
        yield f"{plan.baseline_metric} is counted nowhere", "measurement", "baseline_metric"
    for position, measure in enumerate(plan.measures):
        if measure not in counted:
            yield f"{measure} is counted nowhere", "measurement", "measures", position
    for field, value in (("days", playbook.pilot.days), ("threshold_share", playbook.pilot.threshold_share)):
        if not value:
            yield "a pilot of 0 proves nothing", "pilot", field


def _attached(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    for table, columns in playbook.requires.items():
        key = TABLES[table].key if table in TABLES else None
        if key is not None and key not in columns:
            yield f"its records have no name without {key}; require it", "requires", table


def _context(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    if not {"consent", "relationship_notes"} & set(playbook.inputs):
        yield "neither consent nor relationship_notes is a required input", "inputs"


def _owner(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    for segment in playbook.windows:
        if not playbook.owners.get(segment, "").strip():
            yield "has no owner", "owners", segment
    if not playbook.pilot.owner.strip():
        yield "the pilot has no owner", "pilot", "owner"


def _stop_rules(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    rules = playbook.approval.stop_rules
    if len(set(rules)) < len(rules) or not all(rules):
        yield "one is empty or stands there twice", "approval", "stop_rules"


#: By gate, for those that are proven of a playbook.
CHECKS: dict[str, Check] = {
    "trigger_is_narrow": _trigger, "evidence_is_listed": _evidence, "approval_is_explicit": _approval,
    "judgment_is_protected": _judgment, "measurement_is_defined": _measurement,
    "source_evidence_is_attached": _attached, "context_is_reviewed": _context, "owner_is_assigned": _owner,
    "stop_rules_are_visible": _stop_rules,
}  # fmt: skip


def problems_of(playbook: Playbook, declared: Quality, counted: Collection[str]) -> Iterator[Problem]:
    """What keeps a quality gate from holding of a playbook, each with the gate's name and sentence. ``counted``: the
    names of the measures there are."""
    for name, check in CHECKS.items():
        for message, *loc in check(playbook, declared, counted):
            yield f"{message} [{name}: {declared.gates[name].sentence}]", *loc


def one_place(playbook: Playbook, playbooks: Collection[Playbook]) -> Iterator[Problem]:
    """No two playbooks have one place in the order in which they go first (PLAYBOOKS.md, duplicate guard)."""
    place = playbook.population.precedence
    same = [one.playbook for one in playbooks if one.population.precedence == place and one is not playbook]
    if same:
        yield (f"{place} is that of {', '.join(same)}, too: who goes first where both want one person? Give each its "
               "own", "population", "precedence")  # fmt: skip
