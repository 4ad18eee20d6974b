"""A setting of the tenant: asked for in its file, signed by compliance, and only then a permission, with its proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from tests.builders import contact, tables
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation import paths
from reactivation.approvals.form import HOLD_ALL, SIGN
from reactivation.delivery import may_send
from reactivation.ledger import identity, questions, settings
from reactivation.ledger.engine import Ledger
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import audit
from reactivation.ledger.together import answer
from reactivation.steps.accepting import ask_to_accept, asked_setting, rules_in_force
from reactivation.steps.answers import RequestRefused, bind_request, questions_to_ask, record_answer
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import SETTINGS, decide_run
from reactivation.steps.settings import ProviderAccount
from reactivation.steps.workspace import Workspace

FLAGS = "flag_only_email"
REQUEST = RequestId("ask_people", "asset__1", "ask", 0)


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    return Six(tmp_path / "home", ledger)


@pytest.fixture
def workspace(six: Six) -> Workspace:
    """A tenant that asks to accept bare flags."""
    return asking(six, FLAGS)


def asking(six: Six, *wanted: str, by: str = "operator") -> Workspace:
    declared = yaml.safe_load((paths.INCLUDE / "tenant.yaml").read_text())
    if wanted:
        declared["tenant"]["accept"] = {"authored_by": by, "settings": list(wanted)}
    (six.home / "tenant.yaml").write_text(yaml.safe_dump(declared))
    return replace(six.workspace, settings=replace(six.workspace.settings, tenant=six.home / "tenant.yaml"))


def asked(workspace: Workspace, now: datetime = NOW) -> list[str]:
    with workspace.ledger.begin() as conn:
        return ask_to_accept(workspace, conn, now)


def code(workspace: Workspace) -> str:
    """The signing code of the one question there is, shown by a request."""
    (question_id,) = questions_to_ask(workspace, NOW)
    bind_request(workspace, REQUEST, question_id, NOW)
    with workspace.ledger.begin() as conn:
        question = questions.question_of(conn, question_id)
        assert question is not None
        return asked_setting(workspace, conn, question).signing_code


def event(signing_code: str, option: str = SIGN, by: str = "cleo") -> dict[str, Any]:
    return {
        "chosen_options": [option], "params_input": {"signing_code": signing_code}, "responded_at": NOW,
        "responded_by_user": {"id": by, "name": by}, "timedout": False,
    }  # fmt: skip


def sign(workspace: Workspace) -> None:
    asked(workspace)
    assert "is signed" in record_answer(workspace, REQUEST, event(code(workspace)), NOW)


def in_force(workspace: Workspace) -> set[str]:
    with workspace.ledger.begin() as conn:
        return set(rules_in_force(workspace, conn).signed)


def audited(workspace: Workspace) -> list[str]:
    with workspace.ledger.begin() as conn:
        return list(conn.scalars(select(audit.c.action).where(audit.c.subject == FLAGS).order_by(audit.c.seq)))


class TestAsking:
    def test_compliance_is_asked_for_what_the_file_asks(self, workspace: Workspace) -> None:
        """One request to whoever has the role; it says what is signed and leads to its page."""
        (question_id,) = asked(workspace)
        shown = bind_request(workspace, REQUEST, question_id, NOW)
        assert [signer.user_id for signer in shown.signers] == ["cleo"]
        assert shown.page == f"/reactivation/questions/{question_id}"
        assert FLAGS in shown.subject
        assert "A no of the customer still beats it" in shown.body
        assert (shown.options, shown.default) == ((SIGN, HOLD_ALL), HOLD_ALL)

    def test_a_tenant_that_asks_for_nothing_is_asked_nothing(self, six: Six) -> None:
        """The default."""
        assert asked(asking(six)) == []

    def test_the_same_is_asked_once_a_week(self, workspace: Workspace) -> None:
        """Whoever held it, or did not answer, is not asked by every run."""
        assert len(asked(workspace)) == 1
        assert asked(workspace, NOW + timedelta(days=6)) == []
        assert len(asked(workspace, NOW + timedelta(days=7))) == 1

    def test_what_is_in_force_is_not_asked_again(self, workspace: Workspace) -> None:
        """Not after a week either."""
        sign(workspace)
        assert asked(workspace, NOW + timedelta(days=30)) == []

    @pytest.mark.parametrize("by", ["cleo", "own-cleo"])
    def test_who_asks_for_it_cannot_sign_it(self, six: Six, by: str) -> None:
        """Where nobody else may, nobody is asked, and the trail says so."""
        workspace = asking(six, FLAGS, by=by)
        assert asked(workspace) == []
        assert audited(workspace) == ["setting_not_asked"]


class TestAnswering:
    def test_a_signature_brings_it_into_force(self, workspace: Workspace) -> None:
        """And the trail has what was signed."""
        sign(workspace)
        assert in_force(workspace) == {FLAGS}
        assert audited(workspace) == ["setting_asked", "setting_signed"]

    @pytest.mark.parametrize(("answer", "refusal"), [
        (lambda code: event(code, by="ada"), "not_a_signer"),
        (lambda _: event("00000000"), "signing_code_differs"),
        (lambda code: event(code) | {"timedout": True}, "timed_out"),
        (lambda code: event(code, option="Waive for this run"), "option_unknown"),
        (lambda code: event(code, option=HOLD_ALL), None),
    ])  # fmt: skip
    def test_anything_else_signs_nothing(
        self, workspace: Workspace, answer: Callable[[str], object], refusal: str | None
    ) -> None:
        """And is kept with the reason."""
        asked(workspace)
        told = record_answer(workspace, REQUEST, answer(code(workspace)), NOW)
        assert told == f"setting {FLAGS} is not signed" + (f" ({refusal})" if refusal else "")
        assert in_force(workspace) == set()

    def test_what_the_file_no_longer_asks_for_cannot_be_signed(self, six: Six, workspace: Workspace) -> None:
        """Taken back before it was signed, or before it was asked."""
        (question_id,) = asked(workspace)
        signing_code = code(workspace)
        told = record_answer(asking(six), REQUEST, event(signing_code), NOW)
        assert "not_asked_for" in told
        with pytest.raises(RequestRefused, match="question_closed"):
            bind_request(workspace, RequestId("ask_people", "asset__2", "ask", 0), question_id, NOW)


class TestInForce:
    def test_it_ends_when_the_file_stops_asking_for_it(self, six: Six, workspace: Workspace) -> None:
        """At once, without a signature."""
        sign(workspace)
        assert in_force(asking(six)) == set()

    def test_a_signature_of_other_terms_counts_for_nothing(self, workspace: Workspace) -> None:
        """A longer time, or another place, has to be signed anew."""
        sign(workspace)
        permission = workspace.rules.permission
        us = permission.regimes["us"]
        longer = us.model_copy(update={"email": us.email | {"flag_only": us.email["flag_only"].model_copy(
            update={"months": 24})}})  # fmt: skip
        changed = permission.model_copy(update={"regimes": permission.regimes | {"us": longer}})
        workspace.__dict__["rules"] = replace(workspace.rules, permission=changed)
        assert in_force(workspace) == set()

    def test_another_brand_signed_for_itself(self, six: Six, workspace: Workspace) -> None:
        """A ledger that serves a second tenant does not lend the signature."""
        sign(workspace)
        other = asking(six, FLAGS)
        tenant = other.tenant.model_copy(update={"brand": "finch_gardens"})
        other.__dict__["tenant"] = tenant
        assert in_force(other) == set()

    def test_a_run_decides_by_it_and_keeps_the_proof(self, six: Six, workspace: Workspace) -> None:
        """The customer with a bare flag may be written to, by the record and the signature that lets it count."""
        ada, *others = tables()["contacts"]
        american = contact(ada["customer_id"], country="US", timezone="America/New_York", region="NY",
                           created_at=NOW - timedelta(days=400))  # fmt: skip
        consents = [one for one in tables()["consents"] if one["customer_id"] != ada["customer_id"]]
        six.write(contacts=[american, *others], consents=consents)
        six.snapshot()
        decided = {}
        for signed in (False, True):
            if signed:
                sign(workspace)
            run_id = begin_run(workspace, PLAYBOOK, now=NOW, dry=False, triggered_by="operator")
            decide_run(workspace, run_id, NOW)
            folder = workspace.run_folder(run_id)
            [row] = [r for r in folder.read("decisions").to_pylist() if r["customer_id"] == ada["customer_id"]]
            decided[signed] = (row["email_why"], row["email_records"], folder.read_json(SETTINGS))
        assert decided[False] == ("unverified", [], {})
        why, records, settings = decided[True]
        assert (why, records) == (None, [f"flag:{ada['customer_id']}", f"setting:{settings[FLAGS]}"])


class TestGoingLive:
    """A provider that would really send waits for a signature of environment, ledger and sender."""

    @pytest.fixture
    def live(self, six: Six) -> Workspace:
        """E-mail is to go by a real provider."""
        account = ProviderAccount("reactivation_email", "sendgrid", secret="a key")
        with six.ledger.begin() as conn:
            identity.identify(
                conn, environment=six.workspace.settings.environment, check_values=["a" * 64], now=NOW
            )  # fmt: skip
        return replace(
            six.workspace, settings=replace(six.workspace.settings, accounts={"email": account}, given_now=None)
        )

    def test_compliance_is_asked(self, live: Workspace) -> None:
        """Once, and only about the channel that has a provider."""
        (question_id,) = asked(live)
        assert asked(live) == []
        shown = bind_request(live, REQUEST, question_id, NOW)
        assert [signer.user_id for signer in shown.signers] == ["cleo"]
        assert "live_email" in shown.subject
        assert "hello@harbour" in shown.body.replace("\\", "")

    def test_signed_the_provider_may_send(self, live: Workspace) -> None:
        """As this sender of this ledger in this environment, and as nobody else."""
        sender = live.tenant.senders["email"]
        assert may(live, sender) == "not_live"
        sign(live)
        assert may(live, sender) is None
        assert may(live, "Somebody <x@harbour-finch.example>") == "not_live"
        assert asked(live, NOW + timedelta(days=8)) == []

    def test_with_the_outbox_alone_nobody_is_asked(self, six: Six) -> None:
        """It reaches nobody."""
        assert asked(six.workspace) == []


def may(workspace: Workspace, sender: str) -> str | None:
    with workspace.ledger.begin() as conn:
        licence = answer(conn, settings.licence("email"))
    return may_send(
        licence, workspace.providers["email"], environment=workspace.settings.environment, sender=sender
    )  # fmt: skip
