"""A PostgreSQL cluster of the tests' own, that can be broken: the server of all other tests is left alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Cluster:
    """A cluster in ``folder``. It belongs to ``postgres`` where root runs the tests: a server never runs as root."""

    folder: Path
    port: int

    @property
    def server(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c shared_buffers=16MB"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-w", "-l", str(self.folder / "log"), "start")

    def crash(self) -> None:
        """Every server process ends at once; nothing is written down."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        """It crashes and is there again, recovered."""
        self.crash()
        self.start()

    def disconnect(self, database: str) -> None:
        """Everybody's connection to a database ends, whatever it does."""
        with self.connect() as server:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.server, dbname="postgres", autocommit=True)

    def make(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        with (self.folder / "said").open("a") as said:  # a server keeps what it inherits, so no pipe
            subprocess.run(
                [str(_binaries() / program), *arguments], check=True, stdout=said, stderr=said, cwd=self.folder, **owner
            )  # type: ignore[call-overload]


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A new cluster, at work until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Cluster(folder, port)
    try:
        made.make()
        made.start()
        yield made
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            made.crash()
        shutil.rmtree(folder)


def _binaries() -> Path:
    """Where the newest PostgreSQL of this machine has its programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise FileNotFoundError("no initdb in /usr/lib/postgresql nor on the path; install PostgreSQL's server")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent
