"""The six customers of ``tests.builders`` read into a snapshot, with a run begun and decided on it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from tests.builders import AS_OF, KEYS, Row, write_source

from reactivation import paths
from reactivation.ledger import runs
from reactivation.ledger.engine import Ledger
from reactivation.readiness.checker import CONCERNED
from reactivation.sources import extract
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import decide_run
from reactivation.steps.readiness import ROWS
from reactivation.steps.settings import Settings
from reactivation.steps.workspace import Workspace

#: The Tuesday of ``AS_OF``, an hour later: 10:00 in London.
NOW = AS_OF + timedelta(hours=1)
PLAYBOOK = "customer_reactivation"


@dataclass
class Six:
    """A home with a source, a ledger and playbooks of the test's own."""

    home: Path
    ledger: Ledger

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.copytree(paths.PLAYBOOKS, self.home / "playbooks", dirs_exist_ok=True)
        shutil.copy(paths.OWNERS, self.home / "owners.yaml")
        shutil.copy(paths.TENANT, self.home / "tenant.yaml")
        self.write()

    @classmethod
    def at(cls, home: Path, ledger: Ledger) -> Six:
        """One that is there already, for another process."""
        made = cls.__new__(cls)
        made.home, made.ledger = home, ledger
        return made

    def write(self, *, as_of: datetime = AS_OF, **tables: Sequence[Row] | str | bytes | None) -> None:
        """The source, afresh; see ``write_source``."""
        shutil.rmtree(self.home / "source", ignore_errors=True)
        write_source(self.home / "source", as_of=as_of, **tables)

    @property
    def workspace(self) -> Workspace:
        return Workspace(
            Settings(
                home=self.home, ledger_url=self.ledger.name, address_keys=(b"k" * 32,),
                source=str(self.home / "source"), playbooks=self.home / "playbooks", owners=self.home / "owners.yaml",
                tenant=self.home / "tenant.yaml",
            ),
            self.ledger,
            KEYS,
        )  # fmt: skip

    def change(self, file: str, change: Mapping[str, Any]) -> None:
        """Merge values into a declared file, such as ``playbooks/customer_reactivation.yaml``."""
        path = self.home / file
        path.write_text(yaml.safe_dump(_merged(yaml.safe_load(path.read_text()), change)))

    def snapshot(self, as_of: datetime = AS_OF) -> Path:
        """A snapshot of the source, vouched for by the ledger; its folder."""
        workspace, snapshot_id = self.workspace, str(uuid4())
        folder = Path(str(workspace.snapshot_folder(snapshot_id).path))
        extract(
            workspace.source(), into=folder, snapshot_id=snapshot_id, as_of=as_of, keys=workspace.keys
        )  # fmt: skip
        self._record(folder, as_of)
        return folder

    def adopt(self, folder: Path) -> None:
        """A snapshot taken before of the same source: reading takes two seconds, copying does not."""
        mine = Path(str(self.workspace.snapshot_folder(folder.name).path))
        shutil.copytree(folder, mine)
        self._record(mine, AS_OF)

    def _record(self, folder: Path, as_of: datetime) -> None:
        digest = self.workspace.snapshot_folder(folder.name).manifest_digest
        with self.ledger.begin() as conn:
            runs.record_snapshot(
                conn, snapshot_id=folder.name, as_of=as_of, taken_at=as_of, manifest_digest=digest, state="ready"
            )  # fmt: skip

    def decided(self, now: datetime = NOW, *, dry: bool = False, playbook: str = PLAYBOOK, **asked: Any) -> str:
        """A run on the newest snapshot, decided."""
        run_id = begin_run(self.workspace, playbook, now=now, dry=dry, triggered_by="operator", **asked)
        decide_run(self.workspace, run_id, now)
        return run_id

    def ready(
        self, now: datetime = NOW, *, dry: bool = False, counts: Mapping[str, Any] | None = None, **asked: Any
    ) -> str:
        """A run on the newest snapshot, decided, and recorded as ready without being judged, which takes a second."""
        run_id = self.decided(now, dry=dry, **asked)
        digest = self.workspace.run_folder(run_id).add_file(ROWS, CONCERNED.empty_table())
        with self.ledger.begin() as conn:
            runs.record_step(
                conn, run_id, "readiness", state="succeeded", manifest_digest=digest, counts=counts or {}, now=now
            )  # fmt: skip
        return run_id


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, Mapping)):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
