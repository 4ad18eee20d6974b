"""``check``: what is declared is judged together, and every finding names file, line and field."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.builders import offer, write_source
from tests.fakes.talking import SECRET, a_fake
from tests.fakes.twilio import ACCOUNT_SID

from reactivation import paths
from reactivation.steps.check import Finding, check
from reactivation.steps.settings import ProviderAccount, Settings

Edit = Callable[[str, str, str], None]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the declared files."""
    shutil.copytree(paths.INCLUDE, tmp_path / "include")
    return tmp_path / "include"


@pytest.fixture
def edit(house: Path) -> Edit:
    """Replaces words in one of the files, which must have them."""

    def change(file: str, before: str, after: str) -> None:
        text = (house / file).read_text(encoding="utf-8")
        assert before in text
        (house / file).write_text(text.replace(before, after, 1), encoding="utf-8")

    return change


def findings(
    house: Path, source: str = "", accounts: Mapping[str, ProviderAccount] | None = None
) -> list[Finding]:  # fmt: skip
    settings = Settings(
        home=house.parent, ledger_url="", address_keys=(), source=source, owners=house / "owners.yaml",
        tenant=house / "tenant.yaml", playbooks=house / "playbooks", accounts=accounts or {},
    )  # fmt: skip
    return check(settings, house)


def test_what_is_shipped_holds_together(house: Path) -> None:
    """The files in the house have no findings."""
    assert findings(house) == []


def test_days_on_which_nobody_would_be_asked_are_found(house: Path, edit: Edit) -> None:
    """At the owner's line: he is away, and nobody who is there stands in for him."""
    edit("owners.yaml", "roles: [marketing_owner, account_owner]",
         "roles: [marketing_owner, account_owner], away: [{since: 2026-12-21, until: 9999-12-31}]")  # fmt: skip
    (found,) = findings(house)
    assert (found.field, found.line) == ("owners.own-ben.away", 6)
    assert "own-ben is away as marketing_owner" in found.message
    assert "nobody who is there stands in" in found.message


@pytest.mark.parametrize(("file", "before", "after", "field", "message"), [
    ("templates/curiosity/body.txt", "{{ salutation }}", "{{ salutaton }}", "salutaton", "did you mean salutation?"),
    ("templates/_foot.mjml", "{{ legal_name }}", "{{ legal }}", "legal", "is no personalisation field"),
    ("templates/_foot.mjml", "</mj-text>", "", "", "is not well-formed: mismatched tag"),
    ("templates/trust/body.mjml", "<mj-button", "<mj-buton", "", "is not well-formed: mismatched tag"),
    ("templates/_head.mjml", "<mj-column padding", "<mj-colum padding", "mj-colum", "did you mean mj-column?"),
    ("playbooks/customer_reactivation.yaml", "template: curiosity", "template: curios", "", "cannot be read"),
    ("playbooks/customer_reactivation.yaml", "brand: harbour_finch", "brand: other", "brand", "the tenant's"),
    ("playbooks/customer_reactivation.yaml", "business: own-ben", "business: own-zed", "owners.business", "not in"),
    ("playbooks/customer_reactivation.yaml", "owner: own-ada, th", "owner: own-zed, th", "pilot.owner", "not in"),
    ("playbooks/customer_reactivation.yaml", "authored_by: operator", "authored_by: ben", "owners.business",
     "nobody may sign for own-ben"),
    ("playbooks/customer_reactivation.yaml", "authored_by: operator", "authored_by: olu", "touches",
     "no offer_approver who is not the author"),
    ("playbooks/customer_reactivation.yaml", "pattern: curiosity", "pattern: curiousity", "touches[0].pattern",
     "did you mean curiosity?"),
    ("owners.yaml", "roles: [compliance]", "roles: [complience]", "owners.own-cleo.roles[0]", "did you mean"),
    ("tenant.yaml", "legal_name:", "legal:", "tenant.legal", "did you mean legal_name?"),
    ("tenant.yaml", "example/unsubscribe", "example/u/{tokn}", "tenant", "ends in /u/{token}"),
    ("tenant.yaml", "sms: {", "accept: {authored_by: cleo, settings: [opt_out_email]}\n  sms: {",
     "tenant.accept.authored_by", "nobody may sign what cleo asks for"),
    ("tenant.yaml", "sms: {", "accept: {authored_by: ada, settings: [opt_out]}\n  sms: {",
     "tenant.accept.settings[0]", "did you mean opt_out_email?"),
    ("templates/curiosity/body.txt", "It has been a while", "It has been {{ offer_reward }}", "touches.0",
     "'offer_reward' is undefined"),
    ("templates/curiosity/body.mjml", "It has been a while", "A discount for you", "touches.0",
     "incentive_without_offer"),
    ("templates/value_reward/body.txt", "    Terms: {{ offer_terms }}\n", "", "touches.2", "terms"),
    ("templates/_footer.txt", "{{ unsubscribe_url }}\n", "", "touches.0", "unsubscribe"),
])  # fmt: skip
def test_each_mistake_is_named(
    house: Path, edit: Edit, *, file: str, before: str, after: str, field: str, message: str
) -> None:
    """One edit, and the finding names the field, says what is wrong and points to a line that exists."""
    edit(file, before, after)
    found = [one for one in findings(house) if one.field == field and message in one.message]
    assert found, findings(house)
    assert str(found[0]).startswith(f"{found[0].file}:{found[0].line} ")


def test_two_playbooks_do_not_go_first_at_once(house: Path, edit: Edit) -> None:
    """Each of those with one precedence is named, at its line, with the other."""
    edit("playbooks/customers_not_active.yaml", "precedence: 3", "precedence: 2")
    found = findings(house)
    assert [(Path(one.file).stem, one.field) for one in found] == [
        ("customer_reactivation", "population.precedence"), ("customers_not_active", "population.precedence"),
    ]  # fmt: skip
    assert "customers_not_active" in found[0].message
    assert "precedence: 2" in Path(found[1].file).read_text().splitlines()[found[1].line - 1]


def test_a_link_out_to_our_own_page_holds_together(house: Path, edit: Edit) -> None:
    """Every shipped message passes with a token in its link."""
    edit("tenant.yaml", "harbour-finch.example/unsubscribe", "go.harbour-finch.example/u/{token}")
    assert findings(house) == []


def test_a_template_is_blamed_at_its_line(house: Path, edit: Edit) -> None:
    """An undefined variable is named with file and line."""
    edit("templates/value_reward/body.txt", "{{ offer_deadline }}", "{{ offer_deadlin }}")
    [finding] = findings(house)
    file = house / "templates" / "value_reward" / "body.txt"
    line = next(n for n, words in enumerate(file.read_text().splitlines(), 1) if "offer_deadlin }}" in words)
    assert str(finding) == f"{file}:{line} offer_deadlin: is no personalisation field; did you mean offer_deadline?"


def test_all_files_are_judged_at_once(house: Path, edit: Edit) -> None:
    """A broken owners file does not hide a broken tenant or playbook."""
    edit("owners.yaml", "roles: [compliance]", "roles: []")
    edit("tenant.yaml", "timezone: Europe/London", "timezone: Mars")
    edit("playbooks/customer_reactivation.yaml", "holdout_share: 0.1", "holdout_share: 2")
    assert {Path(one.file).name for one in findings(house)} == {
        "owners.yaml", "tenant.yaml", "customer_reactivation.yaml",
    }  # fmt: skip


class TestOffersOfTheSource:
    def test_offers_that_fit_have_no_findings(self, house: Path, tmp_path: Path) -> None:
        """The six customers' source has the credit that touch 3 names."""
        assert findings(house, str(write_source(tmp_path / "crm"))) == []

    def test_a_source_that_is_not_there_yet_is_no_finding(self, house: Path, tmp_path: Path) -> None:
        """A newcomer may check the playbooks before there is any CRM."""
        assert findings(house, str(tmp_path / "crm")) == []

    @pytest.mark.parametrize(("offers", "field", "message"), [
        ([offer("offer-credit-10")], "touches.2.offer", "has no offer offer-credit-15; did you mean offer-credit-10?"),
        ([offer("offer-credit-15", kind="percent", currency=None)], "touches.2.offer", "expected credit or points"),
        ([offer("offer-credit-15", terms="Worth 15% of a visit.")], "touches.2", "percent_in_reward"),
        ([offer("offer-credit-15", currency=None)], "touches.2", "offer_currency"),
    ])  # fmt: skip
    def test_an_offer_that_does_not_fit_is_named(
        self, house: Path, tmp_path: Path, *, offers: list[dict[str, Any]], field: str, message: str
    ) -> None:
        """Missing, of the wrong kind, with terms or money the touch cannot state."""
        found = findings(house, str(write_source(tmp_path / "crm", offers=offers)))
        assert {one.field for one in found if message in one.message} == {field}, found

    def test_a_broken_source_is_a_finding(self, house: Path, tmp_path: Path) -> None:
        """What cannot be read is said with the file's name."""
        source = write_source(tmp_path / "crm", formats={"offers": "parquet"}, offers=b"PAR1 cut off")
        [finding] = findings(house, str(source))
        assert "offers.parquet" in finding.message


def test_no_playbook_is_a_finding(house: Path) -> None:
    """An empty folder is not an all-clear."""
    for file in (house / "playbooks").glob("*.yaml"):
        file.unlink()
    [finding] = findings(house)
    assert "put a playbook there" in finding.message


def test_a_missing_owners_file_is_a_finding(house: Path) -> None:
    """What cannot be read is said, not raised."""
    (house / "owners.yaml").unlink()
    assert ["cannot be read" in one.message for one in findings(house)] == [True]


def test_findings_are_plain_and_ordered() -> None:
    """A finding without a field reads as well as one with."""
    one = Finding("a.yaml", 3, "", "is not YAML")
    assert str(one) == "a.yaml:3 is not YAML"
    assert sorted([replace(one, line=9), one])[0] == one


class TestProviders:
    def test_each_configured_provider_is_asked(self, house: Path) -> None:
        """What it says is a finding like any other, so that check does not end well."""
        fake = a_fake("twilio")
        fake.settings = {f"/2010-04-01/Accounts/{ACCOUNT_SID}.json": {"status": "active", "type": "Trial"}}

        async def scenario() -> list[Finding]:
            async with fake.serving() as url:
                account = ProviderAccount("reactivation_sms", "twilio", host=url, login=ACCOUNT_SID, secret=SECRET)
                return await asyncio.to_thread(findings, house, accounts={"sms": account})

        (finding,) = asyncio.run(scenario())
        assert str(finding).startswith("providers:1 connection reactivation_sms: Twilio puts a sentence before each")
