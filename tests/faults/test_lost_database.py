"""PostgreSQL crashes, or ends a dispatcher's connections, in the middle of a batch: nothing goes out twice, nothing is
lost, and the provider's own log says what the ledger says.

Within a transaction the dispatcher ends with an error that names the ledger; between two it goes on where the database
is there again.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from uuid import uuid4

import pytest
from tests.fakes.running import Running
from tests.faults.agreeing import send, sendgrid, settled
from tests.faults.cluster import Cluster, running_cluster
from tests.faults.killing import BATCH, BY_HTTP, meanwhile
from tests.sending import NOW, Ready, prepare

from reactivation.ledger import migrations
from reactivation.ledger.engine import LedgerError
from reactivation.steps import dispatch as dispatching

PREPARED = "prepared"
CLAIMING, RECORDING = "in the claim, after an intent", "in the transaction that records the outcomes"
CALLING, ANSWERED = "when the calls are won", "when a call is answered"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as made:
        yield made


@pytest.fixture(scope="module")
def prepared(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger is a database of that cluster, to be copied."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    with cluster.connect() as server:
        server.execute(f"CREATE DATABASE {PREPARED}")
    migrations.upgrade(cluster.server + PREPARED)
    prepare(home, cluster.server + PREPARED)
    return home


@pytest.fixture
def ready(cluster: Cluster, prepared: Path, tmp_path: Path) -> Iterator[Ready]:
    """A company of this test's own, its ledger in the cluster."""
    name = f"ledger_{uuid4().hex[:12]}"
    with cluster.connect() as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {PREPARED}")
        server.execute("CHECKPOINT")  # a copied sequence that has not seen one goes back when the server crashes
    shutil.copytree(prepared, tmp_path / "home")
    made = Ready(tmp_path / "home", cluster.server + name)
    yield made
    made.close()


@pytest.fixture
def provider(ready: Ready, tmp_path: Path) -> Iterator[Running]:
    with sendgrid(ready, tmp_path) as fake:
        yield fake


def _first(
    ready: Ready, provider: Running, monkeypatch: pytest.MonkeyPatch, point: str, happens: Callable[[], object]
) -> None:
    """A dispatcher to whom something happens in the middle of its work."""
    once_a_batch = BY_HTTP[point][1] not in ("send", "ask")
    happened: list[str] = []

    def noted() -> None:
        happens()
        happened.append(point)

    with monkeypatch.context() as patched:
        patched.setattr(dispatching, "_BATCHES", 1)
        meanwhile(BY_HTTP[point], 2 if once_a_batch else BATCH + 2, noted, patched.setattr)
        ending = pytest.raises(LedgerError, match="cannot be used") if point in (CLAIMING, RECORDING) else nullcontext()
        with ending:
            send(ready, provider, NOW, batch=BATCH)
    assert happened
    ready.close()


def _all_of_it(ready: Ready, provider: Running) -> None:
    """Another run later everybody has it, or a person is asked whether he has."""
    send(ready, provider)
    assert len(settled(ready, provider)) == len(ready.states())


@pytest.mark.parametrize("point", [CLAIMING, CALLING, RECORDING])
def test_the_server_crashes_and_is_there_again(
    ready: Ready, provider: Running, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """In the claim, while calls are under way, and in the recording of outcomes."""
    _first(ready, provider, monkeypatch, point, cluster.restart)
    _all_of_it(ready, provider)


def test_the_server_crashes_and_stays_away(
    ready: Ready, provider: Running, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be given back then; nor can a dispatcher begin. Both say so, naming the ledger and the fix."""
    _first(ready, provider, monkeypatch, RECORDING, cluster.crash)
    with pytest.raises(LedgerError, match=r"cannot be used: .* Start the database"):
        send(ready, provider)
    cluster.start()
    _all_of_it(ready, provider)


@pytest.mark.parametrize("point", [CLAIMING, ANSWERED, RECORDING])
def test_every_connection_ends(
    ready: Ready, provider: Running, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The one by which others know that it is alive, too."""
    database = ready.url.rpartition("/")[2]
    _first(ready, provider, monkeypatch, point, lambda: cluster.disconnect(database))
    _all_of_it(ready, provider)


def test_one_that_is_taken_for_dead_and_is_not(
    ready: Ready, provider: Running, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lost its connections, so another takes over what it left while its own calls are still to be made: the other
    looks them up, calls none of them again, and takes the rest."""
    database = ready.url.rpartition("/")[2]

    def taken_over() -> None:
        cluster.disconnect(database)
        other = threading.Thread(target=send, args=(ready, provider))
        other.start()
        other.join()

    _first(ready, provider, monkeypatch, CALLING, taken_over)
    assert {row.state for row in settled(ready, provider).values()} == {"accepted"}
    assert len(settled(ready, provider)) == len(ready.states())
