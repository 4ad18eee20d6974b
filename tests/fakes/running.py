"""A fake in a process of its own, for tests that kill who talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    """``at``: its URL, or the port of an SMTP server."""

    at: str
    faults: Path
    log: Path

    def do_wrong(self, *faults: dict[str, Any] | None) -> None:
        """What goes wrong with the next sends; ``None``: nothing."""
        with self.faults.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(fault) + "\n" for fault in faults)

    def accepted(self) -> list[dict[str, Any]]:
        """The messages it took so far."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines]


@contextmanager
def running(name: str, folder: Path) -> Iterator[Running]:
    """The fake of that name, which ends with the block."""
    faults, log = folder / f"{name}.faults", folder / f"{name}.log"
    command = [sys.executable, "-m", f"tests.fakes.{name}", "--faults", str(faults), "--log", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Running(process.stdout.readline().strip(), faults, log)
        finally:
            process.kill()
