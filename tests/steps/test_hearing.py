"""Providers are asked what came back, each from where the last asking ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.fakes.fake import Fake
from tests.fakes.resend import FakeResend
from tests.fakes.sendgrid import GROUPS, LISTS, FakeSendGrid
from tests.fakes.talking import SECRET, opened
from tests.fakes.twilio import ACCOUNT_SID, FakeTwilio
from tests.ledgers import NOW, an_id
from tests.told import ANN, BOB, CAT, LATER, NUMBER, address, company, exits, texts

from reactivation.delivery import NotTold, Provider
from reactivation.ledger import feeds
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import events, sends
from reactivation.ledger.tables import replies as replies_
from reactivation.steps.hearing import Heard, hear_providers, is_deaf
from reactivation.steps.hearing import hear as hearing
from reactivation.steps.workspace import Workspace

MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(tmp_path: Path, ledger: Ledger) -> Workspace:
    return company(tmp_path / "home", ledger, provider="twilio")


def hear(house: Workspace, fake: Fake, at: datetime = LATER, **options: Any) -> Heard:
    """What a provider tells, asked at that moment; neither broke a specification."""
    name = {FakeSendGrid: "sendgrid", FakeTwilio: "twilio", FakeResend: "resend"}[type(fake)]
    return heard_from(house, fake, lambda url: opened(name, url, **options), at)


def heard_from(house: Workspace, fake: Fake, make: Callable[[str], Provider], at: datetime) -> Heard:
    async def scenario() -> Heard:
        async with fake.serving() as url:
            provider = make(url)
            vars(house)["providers"] = {provider.channel if hasattr(provider, "channel") else "email": provider}
            return await hearing(house, at)

    told = asyncio.run(scenario())
    assert fake.violations == []
    return told


def until(house: Workspace, name: str) -> datetime | None:
    with house.ledger.begin() as conn:
        return feeds.told_until(conn, [name]).get(name)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


class TestSendGrid:
    def test_its_lists_say_no_for_whom_they_name(self, house: Workspace) -> None:
        """Each by what it is; who is blocked for the moment goes on."""
        unsubscribes, spam, bounces, _, blocks = LISTS
        fake = FakeSendGrid(lists={
            unsubscribes: [{"created": seconds(NOW), "email": address(ANN)}],
            spam: [{"created": seconds(NOW), "email": address(BOB), "ip": "10.0.0.1"}],
            bounces: [{"created": seconds(NOW), "email": address(CAT), "reason": "550", "status": "5.1.1"}],
            blocks: [{"created": seconds(NOW), "email": address(CAT), "reason": "full", "status": "4.0.0"}],
        })  # fmt: skip
        heard = hear(house, fake)
        assert exits(house) == {ANN: "opted_out", BOB: "complained", CAT: "unreachable"}
        assert heard.silent == ()
        assert (heard.counts["events"], heard.counts["suppressions"]) == (4, 3)
        assert until(house, "sendgrid") == LATER

    def test_who_left_a_group_is_out(self, house: Workspace) -> None:
        row = {"email": address(ANN), "group_id": 1, "group_name": "News", "created_at": seconds(NOW)}
        hear(house, FakeSendGrid(lists={GROUPS: [row]}))
        assert exits(house) == {ANN: "opted_out"}

    def test_asked_again_it_tells_some_days_twice_and_nothing_is_new(self, house: Workspace) -> None:
        """What was put on a list late is not lost; a long list is read to its end."""
        rows = [{"created": seconds(NOW), "email": f"somebody{n}@example.com"} for n in range(501)]
        fake = FakeSendGrid(lists={LISTS[0]: rows})
        assert hear(house, fake).counts["events"] == 501
        rows.append({"created": seconds(LATER - timedelta(days=1)), "email": address(ANN)})
        assert hear(house, FakeSendGrid(lists={LISTS[0]: rows}), LATER + MINUTE).counts == {
            "events": 1, "exit:opted_out": 1, "repeated": 501, "suppressions": 1,
        }  # fmt: skip

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_one_that_does_not_tell_is_named_with_the_fix(self, house: Workspace, status: int) -> None:
        """What it told before counts; it is asked from the same moment again."""
        fake = FakeSendGrid(lists={LISTS[0]: [{"created": seconds(NOW), "email": address(ANN)}]})
        fake.settings = {GROUPS: status}
        heard = hear(house, fake)
        assert exits(house) == {ANN: "opted_out"}
        assert until(house, "sendgrid") is None
        (sentence,) = heard.silent
        assert sentence.startswith("connection reactivation_email: SendGrid does not ")
        assert SECRET not in sentence
        with pytest.raises(NotTold, match="who left its unsubscribe groups"):
            heard.require_all()


class TestTwilio:
    def fake(self) -> FakeTwilio:
        return FakeTwilio(clock=lambda: NOW)

    def test_texts_of_people_and_the_fate_of_ours_page_by_page(self, house: Workspace) -> None:
        """A stop, a question, and a message that no longer reaches anybody."""
        texts(house, ANN)
        fake = self.fake()
        fake.most = 1
        fake.came_in(NUMBER, "Stop.")
        fake.came_in("+447700900999", "who is this?")
        fake.came_in("+447700900000", "x", direction="outbound-api", status="undelivered", error_code=30005,
                     sid="SM" + "9" * 32, to="+447700900111")  # fmt: skip
        with house.ledger.begin() as conn:
            conn.execute(update(sends).where(sends.c.provider_ref == f"m-{BOB}").values(provider_ref="SM" + "9" * 32))
        heard = hear(house, fake)
        assert exits(house) == {ANN: "opted_out", BOB: "unreachable"}
        assert heard.counts["held"] == 1
        assert len(fake.received) == 3
        with house.ledger.begin() as conn:
            assert conn.scalars(select(replies_.c.words)).all() == ["who is this?"]
            assert set(conn.scalars(select(events.c.kind))) == {"unsubscribe", "reply", "bounce"}

    def test_a_page_elsewhere_is_not_asked_for(self, house: Workspace) -> None:
        """Credentials go where the connection says, whatever an answer names."""
        fake = self.fake()
        fake.most = 1
        fake.came_in(NUMBER, "one")
        fake.came_in(NUMBER, "two")
        hear(house, fake)
        assert {call.path for call in fake.received} == {f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"}

    def test_an_answer_that_cannot_be_read_is_none(self, house: Workspace) -> None:
        """It may be full of noes."""
        fake = self.fake()
        fake.settings = {f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json": {}}
        heard = hear(house, fake)
        assert "in a way that cannot be read" in heard.silent[0]
        assert until(house, "twilio") is None


def test_resends_list_is_read_to_its_end(house: Workspace) -> None:
    """It says which message it was."""
    rows = [
        {"id": an_id("s", n), "email": f"somebody{n}@example.com", "origin": "manual",
         "created_at": "2026-03-03 11:00:00.000+00"} for n in range(101)
    ]  # fmt: skip
    rows.append(rows[0] | {"id": an_id("s"), "email": address(ANN), "origin": "complaint", "source_id": "m-7"})
    assert hear(house, FakeResend(suppressed=rows)).counts["events"] == 102
    assert exits(house) == {ANN: "complained"}


def test_nothing_is_sent_while_a_feed_of_opt_outs_is_silent(house: Workspace) -> None:
    """Never heard, or not for as long as a source may be silent."""
    day = timedelta(hours=24)

    def deaf(at: datetime) -> bool:
        return is_deaf(house, at, day)

    vars(house)["providers"] = {"sms": opened("twilio", "http://127.0.0.1:1")}
    assert deaf(NOW)
    with house.ledger.begin() as conn:
        feeds.advance(conn, "twilio", until=NOW, now=NOW)
        feeds.advance(conn, "twilio", until=NOW - day, now=NOW)
    assert not deaf(NOW + day)
    assert deaf(NOW + day + MINUTE)
    assert hear_providers(house, LATER).silent[0].startswith("connection reactivation_sms: Twilio does not tell its")
