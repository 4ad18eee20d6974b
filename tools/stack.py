"""Airflow's processes on this machine: started together, watched, and stopped together with all they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tools.home import REPOSITORY, Home, LocalError

_NEEDED = ("api-server", "scheduler", "dag-processor")
_STEP_TIMEOUT = 300
_GRACE_SECONDS = 8

Say = Callable[[str], None]


class Stack:
    """Airflow of one home: use it as a context manager; leaving it stops everything it started, and nothing else."""

    def __init__(
        self, home: Home, port: int, *, say: Say, fresh: bool = False, overrides: Mapping[str, str] | None = None
    ) -> None:
        """``fresh`` empties the home first; ``overrides`` are further variables for every process. ``LocalError`` if
        the port or the home is taken; nothing is changed or started then."""
        check_port(port)
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self._say = say
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = home.lock()
        if fresh:
            home.clear()
        home.prepare()
        self.environment = home.environment(port, log_ports=(_free_port(), _free_port())) | dict(overrides or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _undisturbed():
            self.stop()
        os.close(self._lock)

    def run(self, title: str, *command: str) -> None:
        """One short command of this home, to its end; ``LocalError`` with the tail of what it said."""
        self._say(title)
        log = self.home.logs / f"{Path(command[0]).name}-{command[1]}.log"
        with log.open("wb") as out:
            ended = subprocess.run(  # noqa: S603
                [*_resolved(command)], env=self.environment, cwd=REPOSITORY, stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, timeout=_STEP_TIMEOUT, check=False,
            )  # fmt: skip
        if ended.returncode:
            raise LocalError(f"{title} failed (exit code {ended.returncode}):\n{_tail(log)}\nThe whole log: {log}")

    def start(self, *, triggerer: bool = False) -> None:
        """Starts Airflow's processes, each in a process group of its own.

        Nothing of ours needs the triggerer; without it, Airflow's first page shows a red mark, so people get one.
        """
        self._say(f"starting Airflow on {self.url}")
        for component in (*_NEEDED, *(["triggerer"] if triggerer else [])):
            with (self.home.logs / f"{component}.log").open("wb") as out:
                self._children[component] = subprocess.Popen(  # noqa: S603
                    _resolved(("airflow", component)), env=self.environment, cwd=self.home.airflow, stdout=out,
                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=(self._lock,),
                )  # fmt: skip

    def check(self) -> None:
        """``LocalError`` with the tail of the log if a process has ended by itself."""
        for component, child in self._children.items():
            if child.poll() is not None:
                log = self.home.logs / f"{component}.log"
                raise LocalError(
                    f"Airflow's {component} ended by itself (exit code {child.returncode}):\n{_tail(log)}\n"
                    f"The whole log: {log}"
                )

    def wait_until(self, done: Callable[[], bool], what: str, seconds: float) -> None:
        """Asks ``done`` every second; ``LocalError`` if a process ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not done():
            self.check()
            if time.monotonic() > deadline:
                raise LocalError(f"{what} did not happen within {seconds:.0f} s. The logs are in {self.home.logs}")
            time.sleep(1)

    def stop(self) -> None:
        """TERM, TERM, KILL: one TERM does not stop the scheduler. Tasks have process groups of their own, so what
        our processes started is remembered before the first signal."""
        family = self._family()
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            alive = [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
            if not alive:
                break
            family += [p for p in self._family() if p not in family]
            targets = family if number == signal.SIGKILL else [p for p in family if p.pid in self._pids()]
            for process in targets:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            psutil.wait_procs(family, timeout=_GRACE_SECONDS)
        for child in self._children.values():
            child.wait()
        self._children.clear()

    def _pids(self) -> set[int]:
        return {child.pid for child in self._children.values()}

    def _family(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for child in self._children.values():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(child.pid)
                found += [process, *process.children(recursive=True)]
        return found


def check_port(port: int) -> None:
    """``LocalError`` with the way out when something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise LocalError(
                f"port {port} on 127.0.0.1 is taken. Choose another one in PORT, for example: PORT={port + 1} make run"
            ) from None


def port_of(environment: Mapping[str, str]) -> int:
    """The port asked for in ``PORT`` (default 8080)."""
    text = environment.get("PORT", "8080")
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise LocalError(f"PORT={text} is no port; use a whole number from 1024 to 65535")
    return int(text)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the processes behind."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _resolved(command: tuple[str, ...]) -> tuple[str, ...]:
    """The program of this very environment, whatever else is on the path."""
    return (str(Path(sys.executable).parent / command[0]), *command[1:])


def _tail(log: Path, lines: int = 25) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
