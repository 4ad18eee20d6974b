"""The real process: it says where it listens, answers, keeps its log clean, and ends in order."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import httpx
import pytest
import uvicorn
from starlette.responses import Response
from tests.public.signing import HOOKS, sendgrid
from tests.public.visits import EMAIL, KEY, NOW, ONE_CLICK, House, asking

from reactivation import cli
from reactivation.public.serving import Impatient, configured


@dataclass
class Served:
    """The process of a house: where it listens."""

    process: subprocess.Popen[str]
    url: str

    def end(self) -> tuple[int, str]:
        """Its exit code and what it wrote, once it was told to end."""
        self.process.terminate()
        _, written = self.process.communicate(timeout=30)
        return self.process.returncode, written


@pytest.fixture
def served(house: House) -> Iterator[Served]:
    """``reactivation public`` over the house, with SendGrid's webhook switched on."""
    (hook,) = [one for one in HOOKS if one.provider == "sendgrid"]
    command = [sys.executable, "-m", "reactivation.cli", "public", "--port", "0"]
    with subprocess.Popen(command, env=_environment(house, hook.keys[0]), stderr=subprocess.PIPE, text=True) as one:
        assert one.stderr is not None
        said = [one.stderr.readline() for _ in range(2)]
        assert said[0] == "webhooks switched on: sendgrid\n"
        yield Served(one, said[1].removeprefix("listening on ").strip())
        one.kill()


def _environment(house: House, key: str = "") -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if "REACTIVATION" not in name}
    given = {
        "REACTIVATION_HOME": str(house.home), "REACTIVATION_ENVIRONMENT": "test",
        "REACTIVATION_NOW": NOW.isoformat(),
        "AIRFLOW_CONN_REACTIVATION_LEDGER": house.url.replace("sqlite:///", "sqlite:////"),
        "AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY": json.dumps({"conn_type": "generic", "password": KEY.decode()}),
    }  # fmt: skip
    if key:
        given["AIRFLOW_CONN_REACTIVATION_WEBHOOK_SENDGRID"] = json.dumps({"conn_type": "generic", "password": key})
    return ours | given


def test_it_serves_until_it_is_told_to_end(house: House, served: Served) -> None:
    """Both doors are open, the log has nobody in it, whatever was asked, and SIGTERM is an orderly end."""
    call = sendgrid()
    told = [
        httpx.get(f"{served.url}/health"), httpx.get(served.url + house.link()),
        httpx.post(served.url + house.link("c-bob"), data=ONE_CLICK),
        httpx.post(served.url + call.path, **call.request()),
        httpx.get(f"{served.url}/{EMAIL}", headers={"x-forwarded-for": "198.51.100.1"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in told] == [200, 200, 200, 200, 404]
    assert {answer.headers.get("connection") for answer in told} == {"close"}
    assert house.exits() == {"c-ann": "opted_out", "c-bob": "opted_out"}
    code, written = served.end()
    assert code == 0
    assert "POST /u/{token} 200" in written
    assert not any(word in written for word in (EMAIL, house.link()[3:], "127.0.0.1", "198.51.100.1"))


@pytest.mark.parametrize(("words", "changed", "message"), [
    (("--port", "70000"), {}, "'70000' is no port"),
    (("--host", "192.0.2.1"), {}, "cannot listen on 192.0.2.1:0"),
    ((), {"AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY": ""}, "connection reactivation_address_key"),
    ((), {"AIRFLOW_CONN_REACTIVATION_WEBHOOK_SENDGRID": "generic://:no@"}, "no verification key"),
])  # fmt: skip
def test_it_does_not_start_half(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, words: tuple[str, ...],
    changed: dict[str, str], message: str,
) -> None:  # fmt: skip
    """What is wrong is said at once, with 2."""
    for name, value in (_environment(house) | changed).items():
        monkeypatch.setenv(name, value)
    try:
        code = cli.main(["public", "--port", "0", *words])
    except SystemExit as left:
        code = int(left.code or 0)
    assert code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("behind", "told"), [(None, {404, 429}), ("198.51.100.9", {404, 429}), ("203.0.113.7", {404})])
def test_who_asks_is_said_by_a_named_proxy_alone(house: House, behind: str | None, told: set[int]) -> None:
    """Anybody may write whatever he likes into a header, and would have no limit by it."""
    config = configured(house.app(), behind)
    config.load()
    ask = asking(config.loaded_app)
    forwarded = [{"x-forwarded-for": f"192.0.2.{one % 100}", "x-forwarded-proto": "https"} for one in range(70)]
    assert {ask("GET", "/u/guess", headers=one).status_code for one in forwarded} == told


def test_whoever_says_nothing_loses_his_place() -> None:
    """A connection without the head of a request is closed, however slowly it comes."""

    class AtOnce(Impatient):
        patience = 0.2

    config = uvicorn.Config(
        Response("ok"), http=AtOnce, ws="none", lifespan="off", log_config=None, log_level="error", access_log=False
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "):
            with socket.create_connection(address, timeout=20) as slow:
                slow.sendall(begun)
                assert slow.recv(1000) == b""
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
