"""Checks everything declared, together, without any customer: playbooks, templates, offers, owners, tenant, rules, the
suites of readiness and the providers.

Each template is rendered for a made-up customer through the same function as a real draft, and linted. Offers and
claims are those of the source, where there is one already.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from reactivation import paths
from reactivation.contract.addresses import AddressKeys
from reactivation.measures import MEASURES
from reactivation.messages.claims import ClaimText, read_text, why_unusable
from reactivation.messages.fields import Offer
from reactivation.messages.subjects import subject_problems
from reactivation.messages.templates import load_template, template_problems
from reactivation.playbooks.absences import gaps
from reactivation.playbooks.declared import DeclarationError, line_of, near_miss
from reactivation.playbooks.loader import LoadedPlaybook, load_playbook
from reactivation.playbooks.owners import SIGNS_FOR, Owners, load_owners
from reactivation.playbooks.quality import Quality, quality
from reactivation.playbooks.quality_checks import one_place
from reactivation.playbooks.quality_checks import problems_of as problems_of_quality
from reactivation.playbooks.tenant import Tenant, load_tenant
from reactivation.playbooks.touches import Touch
from reactivation.readiness.conditions import conditions
from reactivation.readiness.suites import read_suite, suite_files
from reactivation.sources import SourceError, extract
from reactivation.steps.check_variants import every_touch, with_offers, with_subjects
from reactivation.steps.providers import open_account, problems_of
from reactivation.steps.rules import read_rules
from reactivation.steps.sample_drafts import KINDS, sample_problems
from reactivation.steps.settings import Settings
from reactivation.steps.sourcing import is_nowhere, open_sources, source_problems

T = TypeVar("T")
#: What is wrong, and the way to the field in the playbook.
Problem = tuple[str, *tuple[str | int, ...]]

#: Offers and claims have no addresses, so any key will do where none is configured yet.
_ANY_KEY = (bytes(32),)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that does not hold: the file, the line (from 1), the field and what was expected."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.field + ': ' if self.field else ''}{self.message}"


@dataclass(frozen=True)
class Told:
    """What the source says now that messages are made of: its offers, and the rows of its claims."""

    at: datetime
    offers: Mapping[str, Offer]
    claims: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Declared:
    """What playbooks are checked against; ``None`` for what is refused itself, or not there yet. ``include`` has the
    templates, and the words of the claims."""

    owners: Owners | None
    tenant: Tenant | None
    told: Told | None
    include: Path
    quality: Quality | None

    @property
    def templates(self) -> Path:
        return self.include / paths.TEMPLATES.name


def check(settings: Settings, include: Path = paths.INCLUDE) -> list[Finding]:
    """Everything that does not hold, by file and line; an empty list when all of it does."""
    findings: list[Finding] = []
    files = sorted(settings.playbooks.glob("*.yaml"))
    if not files:
        findings.append(Finding(str(settings.playbooks), 1, "", "has no *.yaml file; put a playbook there"))
    read = [_read(findings, lambda file=file: load_playbook(file)) for file in files]  # type: ignore[misc]
    playbooks = [loaded for loaded in read if loaded is not None]
    of_sources = [finding for loaded in playbooks for finding in _sources(loaded, playbooks, settings)]
    declared = Declared(
        _read(findings, lambda: load_owners(settings.owners)),
        _read(findings, lambda: load_tenant(settings.tenant)),
        None if of_sources else _read(findings, lambda: _told(settings, playbooks)),
        include,
        _read(findings, quality),
    )
    findings += _accepted(settings.tenant, declared)
    findings += _reached(settings, declared)
    _read(findings, read_rules)
    _read(findings, conditions)
    for file in suite_files():
        _read(findings, lambda file=file: read_suite(file))  # type: ignore[misc]
    for loaded in playbooks:
        findings += _playbook(loaded, declared, playbooks)
    findings += _providers(settings)
    return sorted({*findings, *of_sources})


def _providers(settings: Settings) -> list[Finding]:
    """Each configured provider lets us in and leaves our bytes as they are; it is asked, so the machine needs it."""
    opened = [open_account(account) for account in settings.accounts.values()]
    return [Finding("providers", 1, "", problem) for problem in asyncio.run(problems_of(opened))] if opened else []


def _read(findings: list[Finding], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except DeclarationError as error:
        findings += [Finding(error.name, p.line, p.field, p.message) for p in error.problems]
    except SourceError as error:
        findings.append(Finding("source", 1, "", str(error)))
    return None


def _accepted(tenant: Path, declared: Declared) -> Iterator[Finding]:
    """Somebody other than who asks for a setting can sign it."""
    if declared.tenant is None or declared.owners is None or declared.tenant.accept is None:
        return
    author = declared.tenant.accept.authored_by
    if all(one.user_id == author for one in declared.owners.by_role("compliance")):
        line = line_of(tenant.read_text(encoding="utf-8"), "tenant", "accept", "authored_by")
        yield Finding(
            str(tenant), line, "tenant.accept.authored_by",
            f"nobody may sign what {author} asks for: the owners file needs a compliance who is somebody else",
        )  # fmt: skip


def _reached(settings: Settings, declared: Declared) -> Iterator[Finding]:
    """On every day to come somebody is there to be asked for each owner."""
    if declared.owners is None or declared.tenant is None:
        return
    now = settings.given_now or datetime.now(UTC)
    text = settings.owners.read_text(encoding="utf-8")
    for gap in gaps(declared.owners, now.astimezone(ZoneInfo(declared.tenant.timezone)).date()):
        line = line_of(text, "owners", gap.owner_id, "away")
        yield Finding(str(settings.owners), line, f"owners.{gap.owner_id}.away", str(gap))


def _sources(loaded: LoadedPlaybook, playbooks: Sequence[LoadedPlaybook], settings: Settings) -> Iterator[Finding]:
    """Every source a playbook names is there, and all playbooks take a table from the same one."""
    for problem in source_problems(loaded, playbooks, settings):
        yield Finding(str(loaded.path), problem.line, problem.field, problem.message)


def _told(settings: Settings, playbooks: Sequence[LoadedPlaybook]) -> Told | None:
    """The offers and claims the sources have now; ``None`` where there is no source yet."""
    if is_nowhere(settings.source):
        return None
    source = open_sources(settings, playbooks).part_of("offers", "claims")
    at = source.speaks_as_of()
    with tempfile.TemporaryDirectory() as work:
        folder = extract(
            source, into=Path(work) / "told", snapshot_id="told", as_of=at,
            keys=AddressKeys(settings.address_keys or _ANY_KEY), customer_ids=(),
        )  # fmt: skip
        offers = folder.read("offers").select([field.name for field in fields(Offer)]).to_pylist()
        claims = folder.read("claims").to_pylist()
    return Told(at, {row["offer_id"]: Offer(**row) for row in offers}, tuple(claims))


def _playbook(loaded: LoadedPlaybook, declared: Declared, playbooks: Sequence[LoadedPlaybook]) -> Iterator[Finding]:
    """What of a playbook does not hold with the rest, at its line."""
    text = loaded.path.read_text(encoding="utf-8")
    for message, *loc in (
        *one_place(loaded.playbook, [one.playbook for one in playbooks]),
        *(() if declared.quality is None else problems_of_quality(loaded.playbook, declared.quality, MEASURES)),
        *_with_people(loaded, declared),
        *_with_offers(loaded, declared),
        *with_subjects(loaded),
        *(() if declared.told is None else with_offers(loaded, declared.told.offers)),
        *_with_claims(loaded, declared),
        *_drafted(loaded, declared),
    ):
        yield Finding(str(loaded.path), line_of(text, *loc), ".".join(map(str, loc)), str(message))
    for name in {touch.template for _, touch, _ in every_touch(loaded) if touch.template is not None}:
        for file, found in template_problems(declared.templates, name).items():
            yield from (Finding(file, problem.line, problem.field, problem.message) for problem in found)


def _with_people(loaded: LoadedPlaybook, declared: Declared) -> Iterator[Problem]:
    """Brand and owners: somebody other than the author can sign everything this playbook will ask."""
    playbook, owners, tenant = loaded.playbook, declared.owners, declared.tenant
    if tenant is not None and playbook.brand != tenant.brand:
        yield f"found {playbook.brand!r}, expected the tenant's {tenant.brand!r}", "brand"
    if owners is None:
        return
    for segment, owner_id in playbook.owners.items():
        role = SIGNS_FOR[playbook.subject]
        signers = owners.signers_for(owner_id, role)
        if not owners.knows(owner_id):
            yield f"{owner_id} is not in the owners file", "owners", segment
        elif all(signer.user_id == playbook.authored_by for signer in signers):
            yield (f"nobody may sign for {owner_id}: it needs a {role} who is not the author, or a delegate "
                   "who is one", "owners", segment)  # fmt: skip
    if not owners.knows(playbook.pilot.owner):
        yield f"{playbook.pilot.owner} is not in the owners file", "pilot", "owner"
    approvers = owners.by_role("offer_approver")
    if any(t.offer for t in playbook.touches) and all(one.user_id == playbook.authored_by for one in approvers):
        yield "offers are made, but the owners file has no offer_approver who is not the author", "touches"


def _with_offers(loaded: LoadedPlaybook, declared: Declared) -> Iterator[Problem]:
    """Every offer named is one the source has, and of a kind its touch may carry."""
    for position, touch in enumerate(loaded.playbook.touches):
        if touch.offer is None or declared.told is None:
            continue
        offers = declared.told.offers
        offer = offers.get(touch.offer)
        if offer is None:
            known = near_miss(touch.offer, list(offers)) or f"; it has {', '.join(sorted(offers))}"
            yield f"the source has no offer {touch.offer}{known}", "touches", position, "offer"
        elif offer.kind not in KINDS[touch.incentive]:
            kinds = " or ".join(KINDS[touch.incentive])
            yield f"{touch.offer} is of kind {offer.kind}, expected {kinds}", "touches", position, "offer"


def _words(touch: Touch, declared: Declared) -> dict[str, ClaimText]:
    """The words of the claims a touch may make now."""
    said = {row["claim_id"]: read_text(declared.include, row["text_ref"]) for row in _usable(touch, declared)}
    return {claim_id: words for claim_id, words in said.items() if words is not None}


def _with_claims(loaded: LoadedPlaybook, declared: Declared) -> Iterator[Problem]:
    """Every claim a touch may make has words that were reviewed with the templates."""
    for position, touch in enumerate(loaded.playbook.touches):
        for claim in _usable(touch, declared):
            if read_text(declared.include, claim["text_ref"]) is None:
                expected = f"expected texts/<name>.txt below {declared.include}, one short paragraph of UTF-8 text"
                yield f"claim {claim['claim_id']} has no words: {expected}", "touches", position


def _usable(touch: Touch, declared: Declared) -> list[Mapping[str, Any]]:
    """The claims of the source a touch may make now."""
    told = declared.told
    return [row for row in told.claims if why_unusable(row, touch.pattern, told.at) is None] if told else []


def _drafted(loaded: LoadedPlaybook, declared: Declared) -> Iterator[Problem]:
    """Every template makes messages that pass the checks."""
    if declared.owners is None or declared.tenant is None:
        return
    for way, touch, loc in every_touch(loaded):
        if touch.template is None or template_problems(declared.templates, touch.template):
            continue
        if list(subject_problems(touch.subject or "")):
            continue
        template = load_template(declared.templates, touch.template)
        offer = declared.told.offers.get(touch.offer or "") if declared.told else None
        for problem in sample_problems(
            way, touch, template, declared.owners, declared.tenant, offer=offer, claims=_words(touch, declared)
        ):
            yield f"template {touch.template}: {problem}", *loc
