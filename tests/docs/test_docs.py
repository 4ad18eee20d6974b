"""What the documentation quotes is what the code has."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from reactivation import cli
from reactivation.delivery.resend import Resend
from reactivation.delivery.sendgrid import SendGrid
from reactivation.delivery.twilio import CODES, SET_UP, Twilio
from reactivation.ledger.tables import metadata
from reactivation.measures import MEASURES
from reactivation.messages.fields import FIELDS
from reactivation.orchestration import connections, pools, telling
from reactivation.orchestration.provider_info import CONNECTION_TYPES
from reactivation.orchestration.provider_info import PREFIX as PREFIX_OF_TYPES
from reactivation.playbooks.model import ReadinessLimits
from reactivation.policy.deliverability import BOUNCES, COMPLAINTS, FEW_AND_A_COMPLAINT
from reactivation.public import app, hooks, kept, serving, unsubscribing, verifying
from reactivation.readiness.conditions import conditions
from reactivation.steps.deliverability import PREFIX, SOURCES
from reactivation.steps.erase import REASONS
from reactivation.steps.rules import read_rules
from reactivation.steps.taking_out import REWRITTEN

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _table_cells(page: str) -> list[str]:
    """The code words in the first column of a page's tables."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [w for line in re.findall(r"^\| (`.*?) \|", text, re.M) for w in re.findall(r"`([^`]+)`", line)]


def test_every_command_of_the_readme_exists() -> None:
    """Each command in the README's table is understood by the command line, and none is left out."""
    quoted = {cell.split()[0] for cell in _table_cells("README.md")}
    commands = {action for a in cli.parser()._subparsers._group_actions for action in a.choices}  # type: ignore[union-attr]
    assert quoted <= commands
    assert commands - quoted == {"ledger", "clean"}, "set-up commands are in docs/deploy.md"


@pytest.mark.parametrize("make_target", ["run", "test", "demo", "clean"])
def test_every_make_target_of_the_readme_exists(make_target: str) -> None:
    """The README's make commands are targets of the Makefile."""
    assert f"make {make_target}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^{make_target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_every_setting_is_documented() -> None:
    """The variables and connections the code reads are exactly those of docs/deploy.md."""
    rooms = (connections, pools, telling)
    source = "".join(Path(room.__file__).read_text(encoding="utf-8") for room in rooms)
    read = set(re.findall(r'"(REACTIVATION_[A-Z_]+|reactivation_[a-z_]+)"', source))
    told = {c.removesuffix("<NAME>") for c in _table_cells("docs/deploy.md")}
    assert read == {c for c in told if c.lower().startswith("reactivation_")}


def test_every_field_a_template_may_name_is_explained() -> None:
    """docs/messages.md has each field as the allow-list describes it."""
    page = (ROOT / "docs/messages.md").read_text(encoding="utf-8")
    for field, meaning in FIELDS.items():
        assert f"| `{field}` | {meaning} |" in page


def test_every_ledger_table_of_the_review_page_exists() -> None:
    """The tables a reviewer is told about are tables of the ledger."""
    named = {c for c in _table_cells("docs/review.md") if not c.endswith((".parquet", ".json", ".yaml", ".zip"))}
    assert named <= set(metadata.tables)


def test_the_privacy_page_has_the_times_of_the_rules() -> None:
    """docs/privacy.md names each rule of retention with its number, the reasons of an erasure, and what is audited."""
    page = (ROOT / "docs/privacy.md").read_text(encoding="utf-8")
    rules = read_rules().retention.model_dump(exclude={"version", "suppressions"})
    for name, value in rules.items():
        unit = "days" if name.endswith("_days") else "years"
        assert f"{value} {unit} (`{name}`)" in page
    assert all(f"`{reason}`" in page for reason in REASONS)
    assert f"`{REWRITTEN}`" in page


def test_every_measure_is_explained_as_it_is_counted() -> None:
    """docs/operate.md has each measure with its definition, and no other."""
    told = {cell for cell in _table_cells("docs/operate.md") if not cell.startswith(PREFIX)}
    assert told == set(MEASURES)
    page = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    for measure in MEASURES.values():
        assert f"| `{measure.name}` | {measure.title} | {measure.definition} |" in page


def test_every_reason_that_stops_all_e_mail_is_explained() -> None:
    """docs/operate.md has those the dispatcher and readiness give; a count nobody knows is none of our own."""
    told = {cell for cell in _table_cells("docs/operate.md") if cell.startswith(PREFIX)}
    assert told == {PREFIX + reason for reason in (COMPLAINTS, FEW_AND_A_COMPLAINT, BOUNCES, SOURCES)}


def test_every_condition_of_readiness_is_explained() -> None:
    """docs/readiness.md has each with its document and whether it may be waived, in order, and every threshold."""
    page = (ROOT / "docs/readiness.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| .* \| (\d{3}) \| ?(.*?) ?\|$", page, re.M)
    waived = {True: "for one run", False: "never"}
    assert rows == [
        (name, one.document[:3], waived[one.waivable] if one.severity == "critical" else "")
        for name, one in conditions().items()
    ]
    assert all(f"`{setting}`" in page for setting in ReadinessLimits.model_fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page is a file of the project."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_type_of_connection_is_explained() -> None:
    """docs/providers.md has each with its options, and how fast it is called without one."""
    page = (ROOT / "docs/providers.md").read_text(encoding="utf-8")
    kinds = {"sendgrid": SendGrid, "resend": Resend, "twilio": Twilio}
    for name, kind in CONNECTION_TYPES.items():
        (row,) = re.findall(rf"^\| `{PREFIX_OF_TYPES}{name}` \| .*$", page, re.M)
        assert all(f"`{option}`" in row for option in kind.options)
        assert name not in kinds or f"`per_second` ({kinds[name].per_second:g})" in row


def test_every_code_of_twilio_is_explained() -> None:
    """docs/providers.md has each with what the send is, and the fix where there is one."""
    page = (ROOT / "docs/providers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\d{5})` \| ([a-z ]+) \| (.*) \|$", page, re.M)
    states = {int(code): state for code, state, _ in rows}
    assert states == {code: result.state.replace("_", " ") for code, result in CODES.items()} | dict.fromkeys(
        SET_UP, "taken back"
    )
    assert {int(code): fix for code, state, fix in rows if state == "taken back"} == dict(SET_UP)


def test_how_long_an_unknown_send_is_settled_is_explained() -> None:
    """docs/providers.md has each provider's own time."""
    page = (ROOT / "docs/providers.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (SendGrid|Twilio) \| looked up.* \| (.*) \|$", page, re.M))
    assert told == {"SendGrid": "3 hours", "Twilio": "3 hours"}
    hours = [kind.look_up_for.total_seconds() / 3600 for kind in (SendGrid, Resend, Twilio)]
    assert hours == [3, 0, 3]


def test_what_strangers_may_ask_is_explained_as_it_is() -> None:
    """docs/deploy.md has the limits of the public process, and docs/providers.md how old a call may be."""
    page = " ".join((ROOT / "docs/deploy.md").read_text(encoding="utf-8").split())
    (strangers, guesses), (link, uses), (hook, calls) = app.STRANGERS, unsubscribing.ONE_LINK, hooks.PACE
    assert f"{guesses} at once, then {strangers:g} a second for each client" in page
    assert f"{uses} at once, then one in two seconds" in page
    assert link == 1 / 2
    assert f"{calls:,} at once, then {hook:g} a second for each client" in page
    assert (
        f"{unsubscribing.LONGEST // 1024} KiB for an unsubscribe, {hooks.LONGEST // 1024**2} MiB for a webhook" in page
    )
    assert f"read within {unsubscribing.WITHIN:g} and {hooks.WITHIN:g} seconds" in page
    assert f"{serving.CONNECTIONS} at once, one request each, its head within {serving.Impatient.patience:g}" in page
    assert f"what is being answered has {serving.GRACE} seconds" in page
    assert kept.EVERY == 30
    assert f"up to {verifying.OfSendGrid.OLDEST // timedelta(hours=1)} hours old" in " ".join(
        (ROOT / "docs/providers.md").read_text(encoding="utf-8").split()
    )
