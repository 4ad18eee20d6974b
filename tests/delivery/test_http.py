"""What the answer of any provider behind HTTP, or its lack, says about our bytes."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.faults import Fault
from tests.fakes.talking import BRIEF, FAKES, KEY, SECRET, TOUCHES, a_fake, opened, sent, talk
from tests.ledgers import NOW, an_id
from tests.signed import a_signed_text_message, a_signed_touch

from reactivation.delivery import Call, DeliveryError, Provider, Result
from reactivation.delivery.http import Answer, HttpProvider
from reactivation.delivery.twilio import CODES, SET_UP

every_provider = pytest.mark.parametrize("name", list(FAKES))


@every_provider
def test_a_message_it_takes_is_accepted(name: str) -> None:
    """Once, with the provider's own id."""
    fake = a_fake(name)
    result = sent(name, fake)
    assert result.state == "accepted"
    assert result.reference
    assert len(fake.accepted) == 1


@every_provider
@pytest.mark.parametrize("kind", ["hang", "drop"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_without_an_answer_nobody_knows(name: str, kind: str, when: str) -> None:
    """Whether it hangs or hangs up, and whether it took the message or not: from here it looks the same."""
    fake = a_fake(name, Fault(f"{kind}_{when}"))  # type: ignore[arg-type]
    result = sent(name, fake, seconds=BRIEF if kind == "hang" else 5)
    assert result == Result("unknown", reason={"hang": "timed_out", "drop": "connection_lost"}[kind])
    assert len(fake.accepted) == (when == "after")
    assert len(fake.received) == 1, "it is never simply repeated"


@every_provider
@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_a_fault_of_the_server_is_unknown(name: str, status: int) -> None:
    """It may have taken the message first; it is not repeated."""
    fake = a_fake(name, Fault("answer_after", status=status, body={}))
    assert sent(name, fake) == Result("unknown", reason=f"http_{status}")
    assert len(fake.accepted) == len(fake.received) == 1


@every_provider
@pytest.mark.parametrize("body", ["<html>ok</html>", "", {}, [], {"id": None, "sid": ""}, {"id": 7, "sid": 7}], ids=str)
def test_a_yes_that_cannot_be_read_is_unknown(name: str, body: object) -> None:
    """A 200 of something else on the way is no provider's word."""
    fake = a_fake(name, Fault("answer", status=200, body=body))
    assert sent(name, fake).state == "unknown"


@every_provider
@pytest.mark.parametrize(("headers", "wait"), [
    ({"Retry-After": "7"}, timedelta(seconds=7)),
    ({"Retry-After": "Tue, 03 Mar 2026 11:00:30 GMT"}, timedelta(seconds=30)),
    ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 12)}, timedelta(seconds=12)),
    ({"RateLimit-Reset": "2"}, timedelta(seconds=2)),
    ({}, timedelta(seconds=5)),
    ({"Retry-After": "soon"}, timedelta(seconds=5)),
])  # fmt: skip
def test_too_many_calls_is_not_sent(name: str, headers: dict[str, str], wait: timedelta) -> None:
    """A 429 was never processed; how long to wait is what it says, or a little."""
    fake = a_fake(name, Fault("answer", status=429, headers=headers, body={}))
    assert sent(name, fake) == Result("not_sent", reason="http_429", wait=wait)
    assert fake.accepted == []


@every_provider
def test_who_asked_to_be_left_alone_is(name: str) -> None:
    """The next message is not even tried before the wait is over."""
    fake = a_fake(name, Fault("answer", status=429, headers={"Retry-After": "60"}, body={}))

    async def asked_again(provider: Provider) -> tuple[Result, int]:
        return await provider.send(TOUCHES[name](), KEY, NOW), await provider.room(5)

    result, room = talk(fake, lambda url: opened(name, url), asked_again)
    assert (result.reason, room) == ("http_429", 0)


@every_provider
def test_a_server_that_is_down_for_a_while_makes_one_unknown_only(name: str) -> None:
    """It says for how long, and the next messages wait instead of becoming unknown as well."""
    fake = a_fake(name, Fault("answer", status=503, headers={"Retry-After": "60"}, body={}))

    async def asked_again(provider: Provider) -> tuple[Result, int]:
        return await provider.send(TOUCHES[name](), KEY, NOW), await provider.room(5)

    result, room = talk(fake, lambda url: opened(name, url), asked_again)
    assert result == Result("unknown", reason="http_503", wait=timedelta(seconds=60))
    assert room == 0


@every_provider
def test_a_batch_goes_out_side_by_side(name: str) -> None:
    """Through one session, each message once."""
    fake = a_fake(name)

    async def batch(provider: Provider) -> list[Result]:
        touch = TOUCHES[name]()
        return await asyncio.gather(*(provider.send(touch, an_id("send", n), NOW) for n in range(provider.batch)))

    results = talk(fake, lambda url: opened(name, url), batch)
    assert [result.state for result in results] == ["accepted"] * 25
    assert len({result.reference for result in results}) == len(fake.accepted) == 25


@every_provider
@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_set_up_that_does_not_work_stops_everything(name: str, status: int) -> None:
    """The error names connection, provider and the fix, and nothing was handed over."""
    fake = a_fake(name, Fault("answer", status=status, headers={"Location": "/elsewhere"}, body={}))
    with pytest.raises(DeliveryError, match=rf"connection reactivation_(email|sms): .*HTTP {status}\); (put|correct)"):
        sent(name, fake)
    assert fake.accepted == []
    assert len(fake.received) == 1, "a redirect is not followed"


_NAMES = ("code", "sid", "id", "name", "errors", "field", "status", "error_code")
_SAID = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([*CODES, *SET_UP]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=6,
)


@every_provider
@given(status=st.integers(200, 599), body=st.binary(max_size=20) | _SAID.map(lambda said: json.dumps(said).encode()))
def test_whatever_is_answered_no_answer_is_taken_for_more_than_it_is(name: str, status: int, body: bytes) -> None:
    """Only a 2xx accepts, a fault of the server is always unknown, and only a 4xx takes anything back."""
    provider = opened(name, "http://127.0.0.1:1")
    assert isinstance(provider, HttpProvider)
    try:
        state = provider._judged(Answer(status, {}, body), NOW).state
    except DeliveryError:
        state = "taken back"
    allowed = {
        2: {"accepted", "refused", "unknown"} if name == "twilio" else {"accepted", "unknown"},
        3: {"taken back"}, 4: {"refused", "not_sent", "unknown", "taken back"}, 5: {"unknown"},
    }  # fmt: skip
    assert state in allowed[status // 100]


@every_provider
def test_nobody_listens_so_nothing_was_sent(name: str) -> None:
    """A refused connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert _sent_to(name, f"http://127.0.0.1:{port}") == Result("not_sent", reason="connect_failed")


@every_provider
def test_a_handshake_that_fails_sent_nothing(name: str) -> None:
    """Whoever is there speaks no TLS, or has no certificate we trust."""
    fake = a_fake(name)

    async def scenario() -> Result:
        async with fake.serving() as url:
            return await _once(name, url.replace("http://", "https://"))

    assert asyncio.run(scenario()) == Result("not_sent", reason="tls_failed")
    assert fake.received == []


@every_provider
def test_a_server_that_never_greets_was_sent_nothing(name: str) -> None:
    """The time-out falls into the handshake: nothing of the request was written yet."""

    async def scenario() -> Result:
        over = asyncio.Event()

        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            try:
                return await _once(name, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", seconds=BRIEF)
            finally:
                over.set()

    assert asyncio.run(scenario()) == Result("not_sent", reason="timed_out")


@every_provider
def test_another_channel_is_refused(name: str) -> None:
    """An e-mail provider takes no text message, and the other way round."""
    other = a_signed_touch() if name == "twilio" else a_signed_text_message()
    assert sent(name, a_fake(name), touch=other) == Result("refused", reason="channel_not_supported")


@every_provider
def test_no_header_is_anything_but_ours(name: str) -> None:
    """Who we are, what we say and under which key; nothing else of a connection."""
    fake = a_fake(name)
    sent(name, fake)
    headers = set(fake.received[0].headers) - {"Host", "Accept", "Accept-Encoding", "Content-Length"}
    key = {"Idempotency-Key"} if name == "resend" else set()
    assert headers == {"Authorization", "Content-Type", "User-Agent"} | key


@every_provider
@pytest.mark.parametrize(("per_second", "batch"), [(1000, 25), (2, 3), (0.1, 1)])
def test_no_more_is_intended_at_once_than_can_be_called(name: str, per_second: float, batch: int) -> None:
    """Else most of a batch would be given back, because its turn is too far away."""
    assert opened(name, "http://127.0.0.1:1", per_second=per_second).batch == batch


@every_provider
def test_there_is_room_for_what_has_its_turn_now(name: str) -> None:
    """All that is agreed for a second at once; with one call a minute, nobody waits for the second."""

    async def rooms(provider: Provider) -> list[int]:
        return [await provider.room(25), await provider.room(25)]

    assert asyncio.run(rooms(opened(name, "http://127.0.0.1:1", per_second=1000))) == [25, 25]
    assert asyncio.run(rooms(opened(name, "http://127.0.0.1:1", per_second=1 / 60))) == [1, 0]


@every_provider
@pytest.mark.parametrize("fault", [
    Fault("hang_after"), Fault("drop_after"), Fault("answer", status=400, body={"message": "to +447700900456"}),
    Fault("answer", status=401, body={}), Fault("answer", status=429, body={}), Fault("answer", status=500, body={}),
], ids=lambda fault: f"{fault.kind}-{fault.status}")  # fmt: skip
def test_nothing_personal_and_no_secret_is_told(
    name: str, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    """Not in a result, an error, its causes, a log or the provider's own name."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    touch = TOUCHES[name]()

    async def tried(provider: Provider) -> None:
        said.append(repr(provider))
        try:
            said.append(repr(await provider.send(touch, KEY, NOW)))
            said.append(repr(await provider.find(Call(KEY, NOW, touch.recipient, touch.text))))
        except DeliveryError as error:
            said.append(f"{error!r} {error.__cause__!r} {error.__suppress_context__}")

    seconds = BRIEF if fault.kind == "hang_after" else 5
    talk(a_fake(name, fault), lambda url: opened(name, url, seconds=seconds), tried)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("aiohttp.access")]
    for word in (SECRET, touch.recipient, "+447700900456", touch.text[:20], "gutters"):
        assert word not in "\n".join([*said, *ours])


async def _once(name: str, url: str, *, seconds: float = 5) -> Result:
    provider = opened(name, url, seconds=seconds)
    try:
        return await provider.send(TOUCHES[name](), KEY, NOW)
    finally:
        await provider.close()


def _sent_to(name: str, url: str) -> Result:
    return asyncio.run(_once(name, url))
