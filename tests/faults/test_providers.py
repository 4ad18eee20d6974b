"""Real requests to a provider in another process: whoever dies and whatever it answers, nothing goes out twice, and the
ledger and the provider's own log say the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.running import Running
from tests.faults.agreeing import account, send, sendgrid, settled
from tests.faults.killing import BY_HTTP, SPAN, is_killed, noticed, start
from tests.sending import NOW, Ready

from reactivation.steps.answers import questions_to_ask

#: No look-up can tell any more.
TOO_LATE = NOW + timedelta(hours=4)


@pytest.fixture
def provider(ready: Ready, tmp_path: Path) -> Iterator[Running]:
    """SendGrid as it is specified."""
    with sendgrid(ready, tmp_path) as fake:
        yield fake


@pytest.mark.parametrize("point", BY_HTTP)
def test_killed_and_run_again_the_provider_took_each_once(ready: Ready, provider: Running, point: str) -> None:
    """What it took is found there; what it may have taken and did not waits for a person."""
    once_a_batch = BY_HTTP[point][1] not in ("send", "ask")
    assert is_killed(start(ready.home, ready.url, NOW, point=point, nth=2 if once_a_batch else 3,
                           account=account(provider)))  # fmt: skip
    noticed(ready.workspace.ledger)
    send(ready, provider)
    rows = settled(ready, provider)
    assert len(rows) == len(ready.states())
    asked = questions_to_ask(ready.workspace, TOO_LATE)
    assert len(asked) == sum(row.state == "unknown" for row in rows.values())


@pytest.mark.parametrize("seed", range(2))
def test_three_at_once_two_of_them_killed(ready: Ready, provider: Running, seed: int) -> None:
    """Each at some moment of its own; the one that lives, and the next run, leave nothing lost and nothing twice."""
    chance = random.Random(seed)  # noqa: S311
    instants = [chance.randrange(1, SPAN // 2), chance.randrange(1, SPAN // 2), None]
    at_work = [start(ready.home, ready.url, NOW, counted=instant, account=account(provider)) for instant in instants]
    for process in at_work:
        process.join(timeout=200)
    assert at_work[-1].exitcode == 0
    noticed(ready.workspace.ledger)
    send(ready, provider)
    assert len(settled(ready, provider)) == len(ready.states())


FAULTS: list[dict[str, Any] | None] = [
    {"kind": "drop_before"}, None, {"kind": "drop_after"}, {"kind": "answer", "status": 429}, None,
    {"kind": "answer_after", "status": 500}, {"kind": "answer", "status": 503}, None,
    {"kind": "answer", "status": 400, "body": {"errors": []}},
]  # fmt: skip


def test_whatever_goes_wrong_ledger_and_provider_agree(ready: Ready, provider: Running) -> None:
    """Lines cut before and after, haste, errors after it took the message, errors before, a refusal."""
    provider.do_wrong(*FAULTS)
    first = send(ready, provider)
    assert (first.refused, first.unknown) == (1, 4)
    assert first.accepted == len(ready.states()) - 5
    send(ready, provider)
    states = Counter(row.state for row in settled(ready, provider).values())
    assert states == {"accepted": len(ready.states()) - 3, "unknown": 2, "refused": 1}


def test_told_to_end_it_ends_in_order(ready: Ready, provider: Running) -> None:
    """The calls under way are answered and recorded; the rest is as if nobody had looked at it."""
    slow = replace(account(provider), options={"per_second": "2"})
    process = start(ready.home, ready.url, NOW, account=slow)
    while not provider.accepted() and process.is_alive():
        process.join(timeout=0.05)
    process.terminate()
    process.join(timeout=60)
    assert process.exitcode == 0
    assert 0 < len(settled(ready, provider)) < len(ready.states())
    assert set(dict(ready.states().values())) == {"accepted", "signed"}
    assert {row.state for row in ready.rows("sends")} == {"accepted"}
    assert all(row.reserved_by is None for row in ready.rows("touches"))
