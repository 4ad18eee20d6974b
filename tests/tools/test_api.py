"""Airflow's API as a script uses it: a busy server is asked again, but nothing is ever said to it twice."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tools.api import Api
from tools.home import LocalError


class Busy(ThreadingHTTPServer):
    """A server that fails its first request and answers the second."""

    asked: list[str]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked = []


class _Answers(BaseHTTPRequestHandler):
    server: Busy

    def do_GET(self) -> None:
        self.server.asked.append(self.command)
        status, body = (200, b'{"answer": 1}') if len(self.server.asked) > 1 else (500, b"database is locked")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def busy() -> Iterator[Busy]:
    with Busy() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def as_operator(server: Busy) -> Api:
    return Api(f"http://127.0.0.1:{server.server_port}", "operator", "token")


def test_a_read_that_the_server_failed_is_asked_again(busy: Busy) -> None:
    assert as_operator(busy).get("/api/v2/dags") == {"answer": 1}
    assert busy.asked == ["GET", "GET"]


def test_a_change_is_never_repeated(busy: Busy) -> None:
    with pytest.raises(LocalError, match="500 database is locked"):
        as_operator(busy).post("/api/v2/dags/customer_reactivation/dagRuns", {})
    assert busy.asked == ["POST"]
