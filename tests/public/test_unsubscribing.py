"""The recipient's way out: one POST commits it, and nothing else does anything."""

from __future__ import annotations

import asyncio
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.public.signing import HOOKS, sendgrid
from tests.public.visits import EMAIL, KEYS, LINKS, NOW, ONE_CLICK, PHONE, Ask, House, asking, lifespan

from reactivation.contract.links import LinkKeys
from reactivation.ledger.engine import LedgerError
from reactivation.ledger.tables import audit, events, measurement_events, suppressions
from reactivation.public import create_app
from reactivation.public.kept import Kept
from reactivation.steps.workspace import Workspace

FORM = "application/x-www-form-urlencoded"


class TestOneClick:
    def test_the_no_is_in_the_ledger_when_the_answer_comes(self, on_both: House) -> None:
        """For all their addresses and every channel of the brand; what waits is cancelled, and only theirs."""
        answer = asking(on_both.app())("POST", on_both.link(), data=ONE_CLICK)
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
        assert on_both.noes() == {(KEYS.key_of(one), "*", "opt_out") for one in (EMAIL, PHONE)}
        assert {row.brand for row in on_both.rows(suppressions)} == {"harbour_finch"}
        assert (on_both.exits(), on_both.waiting()) == ({"c-ann": "opted_out"}, {"c-bob"})
        assert [(row.kind, row.source, row.touch_id) for row in on_both.rows(events)] == [
            ("unsubscribe", "unsubscribe_link", on_both.touch_id())
        ]  # fmt: skip

    def test_again_is_the_same(self, on_both: House) -> None:
        """A mail program that repeats itself gets the same answer, and nothing is recorded twice."""
        ask, tables = asking(on_both.app()), (suppressions, events, measurement_events, audit)
        ask("POST", on_both.link(), data=ONE_CLICK)
        first = [on_both.rows(table) for table in tables]
        assert ask("POST", on_both.link(), data=ONE_CLICK).status_code == 200
        assert [on_both.rows(table) for table in tables] == first

    def test_several_at_once_are_one(self, on_both: House) -> None:
        """A mail program, a person and a second window: all are answered, and it is recorded once."""
        app = on_both.app()
        with ThreadPoolExecutor(4) as pool:
            told = [pool.submit(asking(app), "POST", on_both.link(), data=ONE_CLICK) for _ in range(4)]
        assert [one.result().status_code for one in told] == [200] * 4
        assert (len(on_both.rows(events)), on_both.exits()) == (1, {"c-ann": "opted_out"})

    def test_a_form_in_parts_says_it_too(self, house: House, ask: Ask) -> None:
        """RFC 8058 allows either encoding."""
        answer = ask("POST", house.link(), files={name: (None, value) for name, value in ONE_CLICK.items()})
        assert (answer.status_code, house.exits()) == (200, {"c-ann": "opted_out"})

    def test_no_cookie_no_redirect(self, house: House, ask: Ask) -> None:
        """Nothing that a mail program would have to follow or keep."""
        answer = ask("POST", house.link(), data=ONE_CLICK)
        assert not {"set-cookie", "location"} & set(answer.headers)

    def test_a_touch_of_a_playbook_that_is_gone_is_left_for_every_brand(self, house: House, ask: Ask) -> None:
        """A link outlives its playbook; a no that cannot be narrowed is a whole one."""
        (house.home / "none").mkdir()
        object.__setattr__(house.workspace.settings, "playbooks", house.home / "none")
        assert ask("POST", house.link(), data=ONE_CLICK).status_code == 200
        assert {row.brand for row in house.rows(suppressions)} == {"*"}


class TestThePage:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_looking_changes_nothing(self, house: House, ask: Ask, method: str) -> None:
        """Whatever checks links looks at them all; a button asks."""
        before = house.noes()
        answer = ask(method, house.link())
        assert answer.status_code == 200
        assert (house.noes(), house.exits()) == (before, {})
        if method == "GET":
            assert answer.text.count('<form method="post">') == answer.text.count("<button") == 1

    def test_what_its_button_sends_is_one_click(self, house: House, ask: Ask) -> None:
        """The page's form has the one field, and leads to the link itself."""
        page = ask("GET", house.link()).text
        assert '<input type="hidden" name="List-Unsubscribe" value="One-Click">' in page
        assert "action=" not in page

    def test_nothing_is_loaded_kept_or_told(self, house: House, ask: Ask) -> None:
        """Our own style by its hash, no script, no other host, and nobody learns where the reader was."""
        answer = ask("GET", house.link())
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert not {"set-cookie", "server"} & set(answer.headers)
        assert not any(mark in answer.text for mark in ("<script", "src=", "http://", "https://", "@import", "url("))

    def test_it_says_nothing_of_the_reader(self, house: House, ask: Ask) -> None:
        """Whoever finds a link learns the company's name, which stands in the message as well."""
        pages = [ask("GET", house.link()).text, ask("POST", house.link(), data=ONE_CLICK).text]
        assert all("Harbour &amp; Finch" in page for page in pages)
        assert not any(word in page.lower() for page in pages for word in ("ann", "example.com", "c-", "touch"))


class TestRefused:
    def test_a_link_that_was_never_given_out_is_the_same_page_for_all(self, house: House, ask: Ask) -> None:
        """Forged, cut off, of another installation, of a touch that never was: 404, word for word."""
        token = house.link().removeprefix("/u/")
        forged = urlsafe_b64encode(bytes(byte ^ 1 for byte in urlsafe_b64decode(token))).decode()
        foreign = LinkKeys([b"the key of somebody else's house"]).token_of("6f0f4c1e-3d0e-5d0a-9c39-2b8a4c5d6e7f")
        ours = LINKS.token_of("6f0f4c1e-3d0e-5d0a-9c39-2b8a4c5d6e7f")
        before = house.noes()
        told = {
            (answer.status_code, answer.text)
            for one in (forged, foreign, token[:-1], f"{token}A", "x", ours)
            for answer in [ask("POST", f"/u/{one}", data=ONE_CLICK)]
        }
        assert {status for status, _ in told} == {404}
        assert len(told) == 1
        assert (house.noes(), house.exits()) == (before, {})

    @pytest.mark.parametrize(("sent", "status"), [
        ({"data": {"List-Unsubscribe": "one click"}}, 400),
        ({"data": {"other": "One-Click"}}, 400),
        ({"data": {f"f{n}": "x" for n in range(20)}}, 400),
        ({"content": b"List-Unsubscribe=One-Click\xff", "headers": {"content-type": FORM}}, 400),
        ({"content": b"--b\r\n\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"json": ONE_CLICK}, 415),
        ({}, 415),
        ({"data": ONE_CLICK, "headers": {"content-encoding": "gzip"}}, 415),
        ({"data": ONE_CLICK | {"more": "x" * 5000}}, 413),
    ])  # fmt: skip
    def test_anything_but_one_click_changes_nothing(
        self, house: House, ask: Ask, sent: dict[str, object], status: int
    ) -> None:
        """Other words, other types, too much of it."""
        before = house.noes()
        assert ask("POST", house.link(), **sent).status_code == status
        assert (house.noes(), house.exits()) == (before, {})

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_other_methods_are_refused(self, house: House, ask: Ask, method: str) -> None:
        """With those there are."""
        answer = ask(method, house.link())
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
        assert house.exits() == {}

    def test_a_body_that_goes_on_is_left_at_its_limit(self, house: House, ask: Ask) -> None:
        """Whatever length it says it has, and when it says none."""
        taken = 0

        async def endless():  # type: ignore[no-untyped-def]  # noqa: ANN202
            nonlocal taken
            while True:
                taken += 1000
                yield b"x" * 1000

        assert ask("POST", house.link(), content=endless(), headers={"content-type": FORM}).status_code == 413
        assert taken < 10_000


class TestTooFast:
    def test_who_guesses_has_to_wait_and_who_has_a_link_has_not(self, house: House, ask: Ask) -> None:
        """Guesses of one client are slowed down; the links of recipients work all the same, from the same address."""
        told = [ask("GET", "/u/guess").status_code for _ in range(70)]
        assert (told[:60], set(told[65:])) == ([404] * 60, {429})
        assert int(ask("GET", "/u/guess").headers["retry-after"]) >= 1
        assert ask("GET", "/u/guess", client="198.51.100.1").status_code == 404
        assert ask("POST", house.link(), data=ONE_CLICK).status_code == 200

    def test_one_link_again_and_again_is_slowed_down(self, house: House, ask: Ask) -> None:
        """It costs the ledger a transaction each time; but whoever looks at it keeps nobody from using it."""
        told = {way: [ask(way, house.link(), data=ONE_CLICK).status_code for _ in range(12)] for way in ("GET", "POST")}
        assert [(one[0], one[-1]) for one in told.values()] == [(200, 429), (200, 429)]
        assert house.exits() == {"c-ann": "opted_out"}


class TestWithoutTheLedger:
    def test_it_is_kept_and_not_promised(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        """503 with a time to come back; the log says whose it is by id; the page is shown all the same."""
        ask = asking(create_app(house.settings, _unreachable))
        with caplog.at_level(logging.INFO, logger="reactivation.public"):
            answer = ask("POST", house.link(), data=ONE_CLICK)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "120")
        assert "We have kept that you want to unsubscribe" in answer.text
        assert house.exits() == {}
        assert f"unsubscribe of touch {house.touch_id()} is not recorded, and is kept: LedgerError" in caplog.text
        assert ask("GET", house.link()).status_code == 200

    def test_what_is_kept_is_committed_when_it_can_be(self, on_both: House) -> None:
        """With the instant it was said at, once, and then it is kept no longer."""
        asking(create_app(on_both.settings, _unreachable))("POST", on_both.link(), data=ONE_CLICK)
        kept = Kept(on_both.home / "unsubscribes")
        assert kept.keep(on_both.touch_id(), NOW + timedelta(days=1)), "asked again, it is one and the same"
        with pytest.raises(LedgerError):
            kept.commit(_unreachable)
        assert kept.commit(lambda: on_both.workspace) == 1
        assert (on_both.exits(), kept.commit(_unreachable)) == ({"c-ann": "opted_out"}, 0)
        assert [row.occurred_at for row in on_both.rows(events)] == [NOW]

    def test_the_process_commits_what_an_earlier_one_kept(self, house: House) -> None:
        """It begins with that, whether anybody asks or not."""
        Kept(house.home / "unsubscribes").keep(house.touch_id(), NOW)

        async def run() -> None:
            while not house.exits():
                await asyncio.sleep(0.01)

        async def begun() -> None:
            async with asyncio.timeout(20), lifespan(house.app()):
                await run()

        asyncio.run(begun())
        assert house.exits() == {"c-ann": "opted_out"}

    def test_what_the_ledger_does_not_know_stays(self, house: House) -> None:
        """It may be the wrong ledger; whose no it was is not forgotten for that."""
        kept = Kept(house.home / "unsubscribes")
        kept.keep(house.touch_id("c-zoe"), NOW)
        assert [kept.commit(lambda: house.workspace) for _ in range(2)] == [0, 0]
        assert len(list((house.home / "unsubscribes").iterdir())) == 1

    def test_what_cannot_be_kept_is_not_said_to_be(self, house: House) -> None:
        """A folder that cannot be written to: the page says that nothing happened yet."""
        (house.home / "unsubscribes").write_text("in the way")
        answer = asking(create_app(house.settings, _unreachable))("POST", house.link(), data=ONE_CLICK)
        assert (answer.status_code, "<strong>not</strong> unsubscribed yet" in answer.text) == (503, True)

    def test_a_file_that_is_damaged_is_still_a_no(self, house: House) -> None:
        """Whose it is, its name says; when, is now."""
        folder = house.home / "unsubscribes"
        folder.mkdir()
        (folder / f"{house.touch_id()}.unsubscribe").write_bytes(b"\xff")
        assert Kept(folder).commit(lambda: house.workspace) == 1
        assert house.exits() == {"c-ann": "opted_out"}


def _unreachable() -> Workspace:
    raise LedgerError("ledger postgresql://reactivation:***@db/x cannot be used: connection refused")


class TestTheLog:
    def test_it_has_routes_and_numbers_only(self, house: House, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
        """No token, no address, no word of a request, whatever is asked."""
        path = house.link()
        with caplog.at_level(logging.DEBUG, logger="reactivation.public"):
            ask("POST", path, data=ONE_CLICK)
            ask("GET", "/ann.sample@example.com?q=ann", headers={"user-agent": "ann.sample@example.com"})
            ask("ANN", path)
            ask("GET", "/health")
        lines = [record.getMessage() for record in caplog.records if record.name == "reactivation.public"]
        assert [line.rpartition(" ")[0].rpartition(" ")[0] for line in lines] == [
            "POST /u/{token} 200", "GET other 404", "other /u/{token} 405", "GET /health 200",
        ]  # fmt: skip
        assert not any(word in caplog.text for word in (path, "ann", "203.0.113"))

    def test_a_defect_of_ours_is_told_by_its_place_and_nothing_more(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its words might quote somebody; and the no is kept all the same."""

        def rooms() -> Workspace:
            raise KeyError(EMAIL)

        ask = asking(create_app(house.settings, rooms, HOOKS))
        with caplog.at_level(logging.INFO, logger="reactivation.public"):
            told = [ask("POST", house.link(), data=ONE_CLICK), ask("POST", sendgrid().path, **sendgrid().request())]
        assert [answer.status_code for answer in told] == [503, 500]
        assert "is not recorded, and is kept: KeyError at test_unsubscribing.py:" in caplog.text
        assert "failed: KeyError at test_unsubscribing.py:" in caplog.text
        assert EMAIL not in told[0].text + told[1].text + caplog.text


def test_any_path_is_answered(tmp_path: Path) -> None:
    """Whatever a stranger writes there: a page that says nothing, never an error."""
    app = create_app(House(tmp_path, "sqlite:///nowhere.db").settings, _closed)

    @given(st.text(max_size=40), st.sampled_from(["GET", "POST"]), st.integers(0, 2**32 - 1))
    def any_path(text: str, method: str, client: int) -> None:
        address = ".".join(str(client >> shift & 255) for shift in (24, 16, 8, 0))
        assert asking(app)(method, f"/u/{quote(text, safe='')}", client=address, data=ONE_CLICK).status_code in (
            404,
            429,
        )

    any_path()


def _closed() -> Workspace:
    raise AssertionError("nobody without a token reaches the ledger")
