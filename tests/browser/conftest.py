"""The pages served for real, and a real browser that looks at them as one of the owners."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from tests.approvals import house
from tests.approvals.asked import NOW
from tests.web.conftest import application, empty_house

from reactivation.steps.lists import open_lists
from reactivation.steps.workspace import Workspace

_ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip

Look = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium, for one file: while it is open its event loop runs, and nobody else can run one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Workspace]:
    """The household with its awkward names and offers, and seven more people: two pages of touch 1."""
    workspace = empty_house(tmp_path_factory.mktemp("served"), sqlite_template)
    house.drafted(workspace, [*house.household(), *house.crowd(12)[5:]])
    open_lists(workspace, house.RUN, NOW)
    yield workspace
    workspace.ledger.close()


@contextmanager
def serving(workspace: Workspace) -> Iterator[str]:
    """The address under which the pages over a workspace are served; ``x-test-user`` says who is logged in."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(application(workspace, None), host="127.0.0.1", port=port, log_level="error", ws="none")
    )
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the pages were not served within 30 seconds"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/reactivation"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def served(crowded: Workspace) -> Iterator[str]:
    """The address of the pages over the household."""
    with serving(crowded) as address:
        yield address


@pytest.fixture
def look(chromium: Browser, served: str) -> Iterator[Look]:
    """``look("ada", "/")`` is that page as Ada sees it; keywords go to the browser's context."""
    contexts = []

    def at(user: str, path: str, **context: object) -> Page:
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | context
        contexts.append(chromium.new_context(extra_http_headers={"x-test-user": user}, **settings))
        page = contexts[-1].new_page()
        page.goto(served + path)
        return page

    yield at
    for context in contexts:
        context.close()
