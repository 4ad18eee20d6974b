"""The books of the quarter, read with plain pandas out of the ledger's tables, the evidence and the outbox.

Nothing here uses what the product computes with: each question is asked anew, and the world says what was true.
"""

from __future__ import annotations

import email
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.policy import default
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from sqlalchemy import select
from tests.quarter.playing import ACCOUNTS, PLAYBOOKS, Quarter

from reactivation import paths
from reactivation.ledger import tables as ledger

#: What of the things people do a signal of a playbook's exits is.
SIGNALS = {"purchase": "purchase", "open": "open", "click": "click", "visit": "visit", "login": "login",
           "usage": "usage", "reply": "reply"}  # fmt: skip
NEVER = pd.Timestamp("2100-01-01", tz="UTC")


@dataclass
class Books:
    """Every table as a frame, read once."""

    quarter: Quarter

    def table(self, name: str) -> pd.DataFrame:
        """A table of the ledger, as it is at the end."""
        with self.quarter.company.workspace.ledger.begin() as conn:
            rows = [row._asdict() for row in conn.execute(select(ledger.metadata.tables[name]))]
        columns = [column.name for column in ledger.metadata.tables[name].columns]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def declared(self) -> dict[str, dict[str, Any]]:
        """The playbooks as they stand in their files."""
        return {name: yaml.safe_load((paths.PLAYBOOKS / f"{name}.yaml").read_text()) for name in PLAYBOOKS}

    @cached_property
    def enrolments(self) -> pd.DataFrame:
        found = self.table("enrolments")
        return found.assign(until=pd.to_datetime(found["ended_at"], utc=True).fillna(NEVER))

    @cached_property
    def touches(self) -> pd.DataFrame:
        mine = self.enrolments[["enrolment_id", "customer_id", "account_id", "segment", "owner_id", "run_id"]]
        return self.table("touches").merge(mine, on="enrolment_id")

    @cached_property
    def sends(self) -> pd.DataFrame:
        """Each send with its touch, its enrolment's customer, and the address it has in the outbox."""
        wanted = ["touch_id", "enrolment_id", "playbook", "number", "purpose", "customer_id", "account_id", "segment",
                  "owner_id", "not_before", "not_after", "offer_id", "draft_digest"]  # fmt: skip
        found = self.table("sends").merge(self.touches[wanted], on="touch_id", suffixes=("", "_of_touch"))
        return found.assign(address=found["send_id"].map(self.outbox)).sort_values(["called_at", "send_id"])

    @cached_property
    def outbox(self) -> dict[str, str]:
        """The address each message went to, by the name of its file."""
        folder, headers = self.quarter.company.workspace.settings.outbox, BytesHeaderParser(policy=default)
        found = {}
        for file in folder.glob("*.eml"):
            with file.open("rb") as opened:
                found[file.stem] = headers.parse(opened)["To"].addresses[0].addr_spec.casefold()
        for file in folder.glob("*.sms.json"):
            found[file.name.removesuffix(".sms.json")] = json.loads(file.read_text())["to"]
        return found

    def body(self, send_id: str) -> str:
        """What somebody read."""
        folder = self.quarter.company.workspace.settings.outbox
        if (folder / f"{send_id}.sms.json").exists():
            return str(json.loads((folder / f"{send_id}.sms.json").read_text())["body"])
        message = email.message_from_bytes((folder / f"{send_id}.eml").read_bytes(), policy=default)
        part = message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """What was said of each item: list, touch, verdict, digest, whether it stood by itself, by whom and when."""
        said = self.table("item_verdicts").merge(self.table("list_items"), on=["list_id", "touch_id"])
        said = said.merge(self.table("lists")[["list_id", "kind", "run_id", "expires_at"]], on="list_id")
        return said.merge(self.table("answers")[["answer_id", "responder", "recorded_at", "accepted"]], on="answer_id")

    @cached_property
    def events(self) -> pd.DataFrame:
        return self.table("measurement_events")

    def evidence(self, run_id: str, name: str, columns: list[str] | None = None) -> pa.Table:
        """A file of a run."""
        folder: Path = self.quarter.company.workspace.settings.evidence / "runs" / run_id
        return pq.read_table(folder / f"{name}.parquet", columns=columns)

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """Every decision of every day: day, playbook, run, customer, account, decision, first reason."""
        columns = ["customer_id", "account_id", "decision", "reason_codes", "business_segment", "enrolled", "holdout"]
        parts = []
        for day, begun in enumerate(self.quarter.runs):
            for playbook, run_id in begun.items():
                table = self.evidence(run_id, "decisions", columns).to_pandas()
                parts.append(table.assign(day=day, playbook=playbook, run_id=run_id))
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def plans(self) -> pd.DataFrame:
        """The sequence of each enrolment, as it was planned on the day it began."""
        begun = self.enrolments[["run_id", "customer_id", "enrolment_id", "state", "playbook"]]
        columns = ["customer_id", "number", "state", "reason", "not_before", "not_after"]
        runs = begun["run_id"].unique()
        parts = [self.evidence(run_id, "plan", columns).to_pandas().assign(run_id=run_id) for run_id in runs]
        return pd.concat(parts).merge(begun, on=["run_id", "customer_id"], suffixes=("", "_of_enrolment"))

    # --- what the world says -----------------------------------------------------------------------------------------
    @cached_property
    def facts(self) -> pd.DataFrame:
        """What customers did in the quarter: customer id, account, kind, at."""
        world = self.quarter.world
        rows = [(world.ids[who], world.account[who], kind, at) for who, kind, at, _ in world.facts]
        found = pd.DataFrame(rows, columns=["customer_id", "account_id", "kind", "at"])
        return found.assign(at=pd.to_datetime(found["at"], utc=True))

    def did(self, enrolment: Any, kinds: set[str], until: datetime | None = None) -> pd.DataFrame:
        """What counts of what was done since an enrolment was decided, by the customer or by anybody of the account.

        A source may have been silent for a day when it was decided.
        """
        since = enrolment.enrolled_at - timedelta(hours=24, minutes=5)
        by = self._by_account if enrolment.playbook == ACCOUNTS else self._by_customer
        subject = enrolment.account_id if enrolment.playbook == ACCOUNTS else enrolment.customer_id
        found = by.get(subject)
        if found is None:
            return self.facts.iloc[:0]
        end = enrolment.until if until is None else until
        return found[found["kind"].isin(kinds) & (found["at"] > since) & (found["at"] <= end)]

    @cached_property
    def _by_customer(self) -> dict[str, pd.DataFrame]:
        return dict(list(self.facts.groupby("customer_id")))

    @cached_property
    def _by_account(self) -> dict[str, pd.DataFrame]:
        return dict(list(self.facts.dropna(subset="account_id").groupby("account_id")))

    def exits(self, playbook: str) -> set[str]:
        """The kinds of facts that end an enrolment of a playbook, whoever's they are."""
        declared = {"purchase" if one == "booking" else one for one in self.declared[playbook]["exits"]}
        return {kind for kind, signal in SIGNALS.items() if signal in declared}
