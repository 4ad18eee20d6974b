"""The outbox: a file per send, whole or not at all, and never a second one."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.ledgers import NOW, an_id
from tests.signed import a_signed_text_message, a_signed_touch

from reactivation.approvals import SendableTouch
from reactivation.delivery import Call, DeliveryError, Outbox, Result
from reactivation.delivery.message import build

KEY = an_id("send")


def sent(outbox: Outbox, touch: SendableTouch, at: datetime) -> Result:
    return asyncio.run(outbox.send(touch, KEY, at))


def found(outbox: Outbox) -> Result | None:
    return asyncio.run(outbox.find(Call(KEY, NOW)))


def _files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_send_is_one_file_named_by_its_key(tmp_path: Path) -> None:
    """The folder is made, the file has the bytes of the message, nothing else is left."""
    outbox = Outbox(tmp_path / "home" / "outbox")
    assert sent(outbox, a_signed_touch(), NOW) == Result("accepted", reference=f"{KEY}.eml")
    assert _files(outbox.folder) == [f"{KEY}.eml"]
    assert (outbox.folder / f"{KEY}.eml").read_bytes() == build(a_signed_touch(), KEY, NOW)


def test_a_repeat_is_harmless(tmp_path: Path) -> None:
    """The first file stays as it is, an hour later too."""
    outbox = Outbox(tmp_path)
    sent(outbox, a_signed_touch(), NOW)
    before = (tmp_path / f"{KEY}.eml").read_bytes()
    again = sent(outbox, a_signed_touch(), NOW + timedelta(hours=1))
    assert again.state == "accepted"
    assert (tmp_path / f"{KEY}.eml").read_bytes() == before
    assert _files(tmp_path) == [f"{KEY}.eml"]


def test_many_at_once_under_one_key_make_one_file(tmp_path: Path) -> None:
    """Dispatchers that both believe it is theirs do not harm each other."""
    outbox = Outbox(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: sent(outbox, a_signed_touch(), NOW + timedelta(seconds=i)), range(40)))
    assert {result.state for result in results} == {"accepted"}
    assert _files(tmp_path) == [f"{KEY}.eml"]


def test_what_a_killed_dispatcher_left_half_written_is_swept(tmp_path: Path) -> None:
    """A half-written file never has the name of a message, and goes with the next send of its key."""
    (tmp_path / f".{KEY}.abc.tmp").write_bytes(b"From: Harbour")
    outbox = Outbox(tmp_path)
    assert found(outbox) is None
    sent(outbox, a_signed_touch(), NOW)
    assert _files(tmp_path) == [f"{KEY}.eml"]


def test_it_knows_what_it_has(tmp_path: Path) -> None:
    """After a crash the file is the answer to whether it was sent."""
    outbox = Outbox(tmp_path / "not" / "there")
    assert found(outbox) is None
    sent(outbox, a_signed_touch(), NOW)
    assert found(outbox) == Result("accepted", reference=f"{KEY}.eml")


def test_words_that_cannot_be_sent_as_signed_are_refused(tmp_path: Path) -> None:
    """No file, and the reason as a code."""
    outbox = Outbox(tmp_path)
    refused = sent(outbox, a_signed_touch(subject="Hello\r\nBcc: x@mail.example"), NOW)
    assert refused == Result("refused", reason="not_a_message")
    assert sent(outbox, a_signed_touch(channel="post"), NOW) == Result("refused", reason="channel_not_supported")
    assert _files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named_with_the_fix(tmp_path: Path) -> None:
    """An error that a person can mend; nothing was handed over."""
    (tmp_path / "outbox").write_text("a file is in the way")
    with pytest.raises(DeliveryError, match=r"the outbox .*outbox cannot be written .*make room or correct its rights"):
        sent(Outbox(tmp_path / "outbox"), a_signed_touch(), NOW)


def test_messages_are_for_their_owner_alone(tmp_path: Path) -> None:
    """They hold names and addresses."""
    sent(Outbox(tmp_path), a_signed_touch(), NOW)
    assert (tmp_path / f"{KEY}.eml").stat().st_mode & 0o077 == 0


class TestTextMessages:
    def test_a_text_message_is_one_json_document(self, tmp_path: Path) -> None:
        """Who, from whom, the signed words, the key and the instant; nothing else in the folder."""
        outbox = Outbox(tmp_path)
        assert sent(outbox, a_signed_text_message(), NOW) == Result("accepted", reference=f"{KEY}.sms.json")
        assert _files(tmp_path) == [f"{KEY}.sms.json"]
        assert json.loads((tmp_path / f"{KEY}.sms.json").read_bytes()) == {
            "to": "+447700900456", "from": "+447700900123", "body": a_signed_text_message().text, "key": KEY,
            "at": NOW.isoformat(timespec="seconds"),
        }  # fmt: skip

    def test_a_repeat_is_harmless_and_found(self, tmp_path: Path) -> None:
        """The first file stays, and answers whether it was sent."""
        outbox = Outbox(tmp_path)
        sent(outbox, a_signed_text_message(), NOW)
        before = (tmp_path / f"{KEY}.sms.json").read_bytes()
        assert sent(outbox, a_signed_text_message(), NOW + timedelta(hours=1)).state == "accepted"
        assert (tmp_path / f"{KEY}.sms.json").read_bytes() == before
        assert found(outbox) == Result("accepted", reference=f"{KEY}.sms.json")

    def test_what_was_left_half_written_is_swept(self, tmp_path: Path) -> None:
        """As for a letter."""
        (tmp_path / f".{KEY}.abc.tmp").write_bytes(b"{")
        sent(Outbox(tmp_path), a_signed_text_message(), NOW)
        assert _files(tmp_path) == [f"{KEY}.sms.json"]

    @pytest.mark.parametrize(("changes", "reason"), [
        ({"recipient": "07700 900456"}, "to_is_no_number"), ({"recipient": "zoe@mail.example"}, "to_is_no_number"),
        ({"recipient": "+447700900456\n"}, "to_is_no_number"), ({"sender": "HarbourFinch"}, "from_is_no_number"),
        ({"text": " "}, "not_a_text_message"), ({"subject": "Hello"}, "not_a_text_message"),
        ({"text": "half a \ud83d"}, "not_a_text_message"),
    ])  # fmt: skip
    def test_what_is_no_text_message_is_refused(self, tmp_path: Path, changes: dict[str, object], reason: str) -> None:
        """No file, and the reason as a code."""
        answer = sent(Outbox(tmp_path), a_signed_text_message(**changes), NOW)
        assert answer == Result("refused", reason=reason)
        assert _files(tmp_path) == []
