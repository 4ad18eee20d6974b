"""Checks everything declared, together, without any customer: playbooks, templates, offers, owners, tenant and rules.

Each template is rendered for a made-up customer through the same function as a real draft, and linted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from reactivation import paths
from reactivation.messages.drafts import Drafter, DueTouch
from reactivation.messages.fields import MessageError, Offer
from reactivation.messages.templates import MessageTemplate, load_template, template_problems
from reactivation.playbooks.declared import DeclarationError, line_of
from reactivation.playbooks.loader import LoadedPlaybook, load_playbook
from reactivation.playbooks.model import Touch
from reactivation.playbooks.owners import Owners, load_owners
from reactivation.playbooks.tenant import Tenant, load_tenant
from reactivation.steps.rules import read_rules
from reactivation.steps.settings import Settings

T = TypeVar("T")

_NOON = datetime(2026, 6, 2, 12, 0, tzinfo=UTC)
_TOUCH_ID = "00000000-0000-5000-8000-000000000000"
_CODE = "K7QD-M2RX"
_KINDS = {"points_or_credit": ("credit", "points"), "percent": ("percent",)}


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that does not hold: the file, the line (from 1), the field and what was expected."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.field + ': ' if self.field else ''}{self.message}"


def check(settings: Settings, templates: Path = paths.TEMPLATES) -> list[Finding]:
    """Everything that does not hold, by file and line; an empty list when all of it does."""
    findings: list[Finding] = []
    owners = _read(findings, lambda: load_owners(settings.owners))
    tenant = _read(findings, lambda: load_tenant(settings.tenant))
    _read(findings, read_rules)
    files = sorted(settings.playbooks.glob("*.yaml"))
    if not files:
        findings.append(Finding(str(settings.playbooks), 1, "", "has no *.yaml file; put a playbook there"))
    for file in files:
        loaded = _read(findings, lambda file=file: load_playbook(file))  # type: ignore[misc]
        if loaded is not None:
            findings += _playbook(loaded, owners, tenant, templates)
    return sorted(set(findings))


def _read(findings: list[Finding], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except DeclarationError as error:
        findings += [Finding(error.name, p.line, p.field, p.message) for p in error.problems]
        return None


def _playbook(
    loaded: LoadedPlaybook, owners: Owners | None, tenant: Tenant | None, templates: Path
) -> Iterator[Finding]:
    playbook, text = loaded.playbook, loaded.path.read_text(encoding="utf-8")

    def at(message: str, *loc: str | int) -> Finding:
        return Finding(str(loaded.path), line_of(text, *loc), ".".join(map(str, loc)), message)

    if tenant is not None and playbook.brand != tenant.brand:
        yield at(f"found {playbook.brand!r}, expected the tenant's {tenant.brand!r}", "brand")
    if owners is not None:
        for segment, owner_id in playbook.owners.items():
            signers = owners.signers_for(owner_id, "marketing_owner")
            if not owners.knows(owner_id):
                yield at(f"{owner_id} is not in the owners file", "owners", segment)
            elif not any(signer.user_id != playbook.authored_by for signer in signers):
                yield at(f"nobody may sign for {owner_id}: it needs a marketing_owner who is not the author, or a "
                         "delegate who is one", "owners", segment)  # fmt: skip
        if not owners.knows(playbook.pilot.owner):
            yield at(f"{playbook.pilot.owner} is not in the owners file", "pilot", "owner")
        approvers = [one for one in owners.by_role("offer_approver") if one.user_id != playbook.authored_by]
        if any(touch.offer for touch in playbook.touches) and not approvers:
            yield at("offers are made, but the owners file has no offer_approver who is not the author", "touches")
    for position, touch in enumerate(playbook.touches):
        if touch.template is None:
            continue
        broken = template_problems(templates, touch.template)
        for file, problems in broken.items():
            yield from (Finding(file, problem.line, problem.field, problem.message) for problem in problems)
        if not broken and owners is not None and tenant is not None:
            template = load_template(templates, touch.template)
            for problem in _sample_problems(loaded, touch, template, owners, tenant):
                yield at(f"template {touch.template}: {problem}", "touches", position)


def _sample_problems(
    loaded: LoadedPlaybook, touch: Touch, template: MessageTemplate, owners: Owners, tenant: Tenant
) -> Iterator[str]:
    """What is wrong with the messages this touch would make: with and without a name, with and without a code."""
    offers = _sample_offers(touch)
    drafter = Drafter(
        playbook=loaded.playbook, playbook_digest=loaded.digest, rules_version="check", tenant=tenant, owners=owners,
        templates={template.name: template}, offers=offers, product_names=frozenset(),
    )  # fmt: skip
    owner_id = next((one for one in loaded.playbook.owners.values() if owners.knows(one)), None)
    if owner_id is None:
        return
    plain = DueTouch(
        touch_id=_TOUCH_ID, enrolment_id=_TOUCH_ID, customer_id="sample", owner_id=owner_id, number=touch.number,
        channel="email", address_key="", planned_send=_NOON, not_before=_NOON, not_after=_NOON + timedelta(days=1),
        offer_id=None, basis_records=(), zone="Europe/London", recipient="sample@example.com", first_name=None,
    )  # fmt: skip
    greeted = [plain, replace(plain, first_name="Sample")]
    offering = [replace(one, offer_id=kind, code=code) for one in greeted for kind in offers for code in (_CODE, None)]
    for sample in offering or greeted:
        try:
            drafter.draft(sample)
        except MessageError as error:
            yield f"{error} ({error.code})"


def _sample_offers(touch: Touch) -> Mapping[str, Offer]:
    """An offer of each kind this touch may carry."""
    if touch.offer is None:
        return {}
    return {
        kind: Offer(kind, kind, Decimal(25), None if kind != "credit" else "GBP", Decimal(1), 72, _NOON,
                    _NOON + timedelta(days=9), Decimal(1), 1, "Once per customer.")
        for kind in _KINDS[touch.incentive]
    }  # fmt: skip
