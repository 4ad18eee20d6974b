"""Each not-ready condition broken on its own in a whole sample CRM: exactly that one stops the run, and no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.company import AS_OF, KEY, NOW, PLAYBOOK, Company, company

from reactivation import paths
from reactivation.steps.settings import Settings
from reactivation.steps.whole import readiness_only
from reactivation.steps.workspace import open_workspace

#: Enough of them that a rate of bounces can be told.
CUSTOMERS = 1_200


@dataclass
class Export:
    """The files of one company, to be broken."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "sample"

    def read(self, table: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{table}.csv", dtype=str, keep_default_na=False)

    def write(self, table: str, rows: pd.DataFrame) -> None:
        rows.to_csv(self.folder / f"{table}.csv", index=False)

    def change(self, table: str, spoil: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        self.write(table, spoil(self.read(table)))

    def remove(self, table: str) -> None:
        (self.folder / f"{table}.csv").unlink()

    def speaks(self, hours_ago: int) -> None:
        at = (AS_OF - timedelta(hours=hours_ago)).isoformat()
        (self.folder / "source.json").write_text(json.dumps({"as_of": at}))

    def declare(self, file: str, **changes: Any) -> None:
        path = self.home / file
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company whose data is ready, and whose first run went on yesterday."""
    home = tmp_path_factory.mktemp("whole")
    made = company(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}", customers=CUSTOMERS)
    made.run()
    return made


@pytest.fixture
def export(whole: Company, tmp_path: Path) -> Export:
    """The same export again, the day after."""
    home = Path(str(whole.workspace.settings.home))
    for part in ("sample", "ledger"):
        shutil.copytree(home / part, tmp_path / part)
    shutil.copytree(paths.PLAYBOOKS, tmp_path / "playbooks")
    return Export(tmp_path)


def found(export: Export) -> dict[str, Any]:
    """The readiness report of the export as it is now."""
    settings = Settings(
        home=export.home, ledger_url=f"sqlite:///{export.home / 'ledger' / 'ledger.db'}", address_keys=(KEY,),
        source=str(export.folder), environment="test", given_now=NOW, playbooks=export.home / "playbooks",
        owners=export.folder / "owners.yaml",
    )  # fmt: skip
    workspace = open_workspace(settings)
    try:
        return readiness_only(workspace, PLAYBOOK, now=NOW + timedelta(minutes=10), as_of=None)[0]
    finally:
        workspace.ledger.close()


def blocking(report: dict[str, Any]) -> set[str]:
    return {one["id"] for one in report["conditions"] if one["blocks"]}


def other_ids(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(customer_id="x-" + rows["customer_id"], account_id="")


def without_some_customers(export: Export) -> None:
    """Three customers in ten are gone, with everything that was theirs."""
    customers = export.read("contacts")["customer_id"]
    gone = set(customers[customers.index % 10 < 3])
    for table in ("contacts", "purchases", "engagements", "cases", "consents", "suppressions"):
        export.change(table, lambda rows: rows[~rows["customer_id"].isin(gone)])


def much_bounced(export: Export) -> None:
    """Everybody was written to last week, and one in thirty of these messages came back."""
    customers = export.read("contacts")["customer_id"]
    at = (AS_OF - timedelta(days=6)).isoformat()
    blank = dict.fromkeys(export.read("engagements").columns, "")
    rows = [blank | {"event_id": f"new-{n}", "customer_id": one, "occurred_at": at, "kind": "sent", "channel": "email"}
            for n, one in enumerate(customers)]  # fmt: skip
    rows += [row | {"event_id": row["event_id"] + "-b", "kind": "bounce"} for row in rows[::30]]
    export.change("engagements", lambda old: pd.concat([old, pd.DataFrame(rows)]))


BREAKS: dict[str, tuple[Callable[[Export], object], str]] = {
    "all consents unknown": (
        lambda e: e.change("consents", lambda rows: rows.assign(state="unknown")), "consent_status_unclear",
    ),
    "a segment nobody declared": (
        lambda e: e.change("contacts", lambda rows: rows.assign(
            business_segment=["school", *rows["business_segment"].iloc[1:]], is_subscriber_only="false")),
        "inactivity_not_segment_specific",
    ),
    "no cases": (lambda e: e.remove("cases"), "support_history_unavailable"),
    "no relationships": (
        lambda e: e.change("contacts", lambda rows: rows.assign(relationship="")), "relationship_history_unavailable",
    ),
    "cases of other ids": (lambda e: e.change("cases", other_ids), "history_disconnected"),
    "no offers": (lambda e: e.remove("offers"), "evidence_missing"),
    "an export of the day before": (lambda e: e.speaks(24), "source_stale"),
    "three customers in ten gone": (without_some_customers, "source_shrunken"),
    "mail that bounces": (much_bounced, "deliverability_risk"),
    "a flag that says no where the records say yes": (
        lambda e: e.change("contacts", lambda rows: rows.assign(consent_email="false")), "sources_contradict",
    ),
    "nobody who may sign offers": (
        lambda e: e.declare("sample/owners.yaml", owners={
            name: one for name, one in yaml.safe_load((e.folder / "owners.yaml").read_text())["owners"].items()
            if "offer_approver" not in one["roles"]}),
        "approval_point_undefined",
    ),
    "a measure nobody can compute": (
        lambda e: e.declare("playbooks/customer_reactivation.yaml", measurement={
            "baseline_metric": "reactivation_eligibility_review_rate", "measures": ["vibes"]}),
        "measurement_plan_undefined",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BREAKS)
def test_exactly_that_condition_stops_the_run(export: Export, what: str) -> None:
    """Broken in one way, the data is not ready for one reason."""
    spoil, condition = BREAKS[what]
    spoil(export)
    assert blocking(found(export)) == {condition}


def test_the_same_export_again_is_ready(export: Export) -> None:
    """Nothing is broken, nothing has shrunk."""
    assert blocking(found(export)) == set()


def test_two_faults_are_both_said(export: Export) -> None:
    """Neither hides the other."""
    export.remove("cases")
    export.change("consents", lambda rows: rows.assign(state="unknown"))
    report = found(export)
    assert blocking(report) == {"support_history_unavailable", "consent_status_unclear"}
    assert all(word in report["message"] for word in ("support_history_unavailable", "consent_status_unclear"))
