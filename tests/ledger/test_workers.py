"""Which dispatchers live: known at once, also after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from reactivation.ledger import workers
from reactivation.ledger.engine import Ledger

_WORK = """
import sys, time
from reactivation.ledger import workers
from reactivation.ledger.engine import open_ledger
with workers.at_work(open_ledger(sys.argv[1])) as worker:
    print(worker, flush=True)
    time.sleep(60)
"""


def test_a_dispatcher_lives_as_long_as_its_block(ledger: Ledger) -> None:
    """Two at once are told apart; afterwards both are gone."""
    with workers.at_work(ledger) as first:
        with workers.at_work(ledger) as second:
            assert first != second
            assert workers.gone(ledger, [first, second]) == frozenset()
        assert workers.gone(ledger, [first, second]) == {second}
    assert workers.gone(ledger, [first, second]) == {first, second}


def test_a_dispatcher_nobody_knows_is_gone(ledger: Ledger) -> None:
    """A name alone holds nothing."""
    assert workers.gone(ledger, ["somebody"]) == {"somebody"}
    assert workers.gone(ledger, []) == frozenset()


def test_a_killed_dispatcher_is_gone_at_once(ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL lets go of the lock; no lease has to run out."""
    monkeypatch.setenv("PYTHONPATH", "plugins")
    with subprocess.Popen([sys.executable, "-c", _WORK, ledger_url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = process.stdout.readline().strip()
        assert workers.gone(ledger, [worker]) == frozenset()
        process.send_signal(signal.SIGKILL)
        process.wait()
        for _ in range(50):
            if workers.gone(ledger, [worker]):
                break
    assert workers.gone(ledger, [worker]) == {worker}
