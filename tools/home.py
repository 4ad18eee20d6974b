"""One folder that holds everything of a local Airflow with the product in it: state, secrets and demo users."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

#: The demo users and their roles in Airflow's simple auth manager. Who may sign what is in ``include/owners.yaml``.
USERS = {
    "operator": "op", "ada": "user", "ben": "user", "dora": "user", "olu": "user", "cleo": "user", "vic": "viewer",
}  # fmt: skip


_LOCK = "in-use"
_OURS = ("airflow", "evidence", "ledger", "logs", "outbox", "sample", "secrets")
_NOT_OURS = ("AIRFLOW_", "_AIRFLOW_", "REACTIVATION_")


class LocalError(Exception):
    """The local product cannot start or go on; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Home:
    """The folder, by name ``REACTIVATION_HOME``."""

    root: Path

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def sample(self) -> Path:
        return self.root / "sample"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    def prepare(self) -> None:
        """Makes the folders and the secrets that are not there yet; only the owner of the folder may read them."""
        for folder in (self.root, self.airflow, self.logs, self.root / "secrets"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("address_key", "fernet_key", "jwt_secret", "api_secret"):
            self._secret(name)
        _write_once(self._passwords_file, json.dumps({user: secrets.token_urlsafe(9) for user in USERS}))

    def lock(self) -> int:
        """Claims the folder for this process and what it starts; returns the file descriptor to hand down.

        Children that outlive their parent keep the lock, so nobody starts a second Airflow on the same database.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.root / _LOCK
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode() or "unknown"
            os.close(descriptor)
            raise LocalError(
                f"{self.root} is in use by process {owner} or by what it started. Stop that first, or name another "
                "folder in REACTIVATION_HOME"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        os.set_inheritable(descriptor, True)
        return descriptor

    def clear(self) -> None:
        """Removes all that is ours in the folder, and nothing else."""
        for name in _OURS:
            if (self.root / name).exists():
                shutil.rmtree(self.root / name)

    @cached_property
    def passwords(self) -> dict[str, str]:
        """The password of each demo user."""
        passwords: dict[str, str] = json.loads(self._passwords_file.read_text(encoding="utf-8"))
        return passwords

    def environment(self, port: int, log_ports: tuple[int, int]) -> dict[str, str]:
        """The variables of every process of this home: the caller's own, without his Airflow's and product's.

        A connection or source of his own would make a laptop work on a real ledger.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
        ours = {
            "REACTIVATION_HOME": str(self.root),
            "AIRFLOW_HOME": str(self.airflow),
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(bytes.fromhex(self._secret("fernet_key"))).decode(),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords_file),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.airflow / 'airflow.db'}",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": self._secret("api_secret"),
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secret("jwt_secret"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.logs / "tasks"),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_ports[0]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(log_ports[1]),
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "PYTHONUNBUFFERED": "1",
        }
        return kept | ours

    @property
    def _passwords_file(self) -> Path:
        return self.root / "secrets" / "passwords.json"

    def _secret(self, name: str) -> str:
        path = self.root / "secrets" / name
        _write_once(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
