"""What a recipient meets in a real browser, on a phone: one button, by keyboard too, and nothing else is asked for."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from playwright.sync_api import Browser
from tests.browser.contrast import contrast
from tests.public.visits import House

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 640}


@contextmanager
def serving(house: House) -> Iterator[str]:
    """The address its public application is served at."""
    config = uvicorn.Config(house.app(), log_level="error", ws="none", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield address
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
        server.should_exit = True
        thread.join(20)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_button_and_it_is_done(chromium: Browser, sqlite_template: Path, tmp_path: Path, scheme: str) -> None:
    """Readable, no wider than the screen, without a script, a cookie or a request of its own; Enter presses it."""
    file = tmp_path / "ledger.db"
    shutil.copyfile(sqlite_template, file)
    house = House(tmp_path, f"sqlite:///{file}")
    house.fill()
    with serving(house) as address:
        context = chromium.new_context(viewport=PHONE, color_scheme=scheme)
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda request: asked.append((request.method, request.url)))
        page.on("console", lambda message: said.append(message.text))
        link = f"{address}{house.link()}"
        page.goto(link)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert min(contrast(page, one) for one in ("h1", "p", "button", ".small")) >= 4.5
        box = page.locator("button").bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert house.exits() == {}
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("status").wait_for()
        assert (asked, said, context.cookies()) == ([("GET", link), ("POST", link)], [], [])
        assert house.exits() == {"c-ann": "opted_out"}
        context.close()
    house.workspace.ledger.close()
