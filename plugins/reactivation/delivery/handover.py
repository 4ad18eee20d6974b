"""The last step of a send: win the calls in the ledger, hand the bytes over, record what came of them.

Whatever dies in between: an intent that was never called is taken back, a call is looked up at the provider. Only what
the provider certainly never had goes out again, under the same key.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, DeliveryError, Provider, Result
from reactivation.ledger import sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.locks import by_key, to_call
from reactivation.ledger.sends import Outcome, Send
from reactivation.ledger.together import asked

Clock = Callable[[], datetime]
#: Asked in the transaction that wins calls: by send id why a call must not be made after all, as a code.
LastWord = Callable[[Connection, Sequence[Send]], Mapping[str, str]]
#: Told what the provider answered, by touch id, before it is recorded: what follows for the person or the channel.
Consequences = Callable[[Mapping[str, Result]], None]

#: No call lasts longer, so that an opt-out is crossed by no message later than this.
CALL_SECONDS = 10.0
_CANNOT_WORK = Result("not_sent", reason="provider_cannot_work")
#: Of a provider whose turn is too far away to wait for.
_NOT_READY = Result("not_sent", reason="provider_not_ready", wait=timedelta(hours=1))


@dataclass(frozen=True)
class Intent:
    """An intent of ours and the proof that its bytes may go out."""

    send: Send
    touch: SendableTouch


async def hand_over(
    ledger: Ledger, provider: Provider, intents: Sequence[Intent], *, last_word: LastWord, consequences: Consequences,
    clock: Clock, aside: Executor,
) -> dict[str, Result | str]:  # fmt: skip
    """Make the calls of intents of one dispatcher, as many at once as the provider has room for. By send id: the
    result, or the reason why the call was not made; an intent that was lost to somebody else is not named.

    What was committed before the calls are won (an opt-out, a stop, the end of the enrolment) still prevents them.
    Transactions are done ``aside``, so that the calls of others go on while a database writes.
    Raises ``DeliveryError`` when the provider cannot work; then what it did not take was taken back.
    """
    in_thread = partial(asyncio.get_running_loop().run_in_executor, aside)
    answers: dict[str, Result | str] = {}
    left = list(intents)
    while left:
        room = await provider.room(len(left))
        if room == 0:
            return answers | await in_thread(_put_off, ledger, left, clock())
        some, left = left[:room], left[room:]
        refused, won = await in_thread(
            partial(_win, ledger, [one.send for one in some], last_word=last_word, clock=clock)
        )
        answers |= refused
        calls = {one.send.send_id: one for one in some if one.send.send_id in won}
        told = await _called(provider, list(calls.values()), clock)
        results = {
            send_id: _CANNOT_WORK if isinstance(one, DeliveryError) else one
            for send_id, one in zip(calls, told, strict=True)
        }
        await in_thread(_settle, ledger, calls, results, consequences, clock())
        for one in told:
            if isinstance(one, DeliveryError):
                raise one
        answers |= results
    return answers


def _put_off(ledger: Ledger, intents: Sequence[Intent], now: datetime) -> dict[str, Result | str]:
    with ledger.begin() as conn:
        back = sends.take_back(conn, [one.send for one in intents], reason="provider_not_ready", now=now)
    return dict.fromkeys(sorted(back), _NOT_READY)


def _win(
    ledger: Ledger, intents: Sequence[Send], *, last_word: LastWord, clock: Clock
) -> tuple[dict[str, str], set[str]]:
    """Which intents are taken back, and why; which calls are ours now. All of one dispatcher."""
    with ledger.begin() as conn:
        to_call(conn)
        said = last_word(conn, intents)
        refused: dict[str, str] = {}
        for reason in sorted(set(said.values())):
            some = [one for one in intents if said.get(one.send_id) == reason]
            refused |= dict.fromkeys(sends.take_back(conn, some, reason=reason, now=clock()), reason)
        going = [one.send_id for one in intents if one.send_id not in said]
        won = sends.win_calls(conn, going, worker=intents[0].worker, now=clock()) if going else set()
    return refused, won


async def _called(provider: Provider, some: Sequence[Intent], clock: Clock) -> list[Result | DeliveryError]:
    """What came of calls that are made at once; one that lasts too long is given up."""
    if not some:
        return []
    calls = [asyncio.create_task(_call(provider, one, clock)) for one in some]
    _, late = await asyncio.wait(calls, timeout=CALL_SECONDS)
    for one in late:
        one.cancel()
    return list(await asyncio.gather(*calls))


async def _call(provider: Provider, one: Intent, clock: Clock) -> Result | DeliveryError:
    try:
        return await provider.send(one.touch, one.send.send_id, clock())
    except DeliveryError as error:
        return error
    except asyncio.CancelledError:
        return Result("unknown", reason="raised:TimeoutError")
    except Exception as error:  # the provider may have it: that is for a look-up or a person to say, not for a repeat
        return Result("unknown", reason=f"raised:{type(error).__name__}"[:80])


def _settle(
    ledger: Ledger, calls: Mapping[str, Intent], results: Mapping[str, Result], consequences: Consequences,
    now: datetime,
) -> None:  # fmt: skip
    """Record the results of calls, and before that what follows from them; those that were not sent are taken back."""
    consequences({one.touch.touch_id: results[send_id] for send_id, one in calls.items()})
    back: dict[str, list[Send]] = defaultdict(list)
    for send_id, one in calls.items():
        if results[send_id].state == "not_sent":
            back[results[send_id].reason or "not_sent"].append(one.send)
    with ledger.begin() as conn:
        if back:
            asked(conn, *by_key(conn))
        for reason, some in sorted(back.items()):
            sends.take_back_calls(conn, some, reason=reason, now=now)
        record(conn, {send_id: result for send_id, result in results.items() if result.state != "not_sent"}, now)


def record(conn: Connection, results: Mapping[str, Result], now: datetime) -> set[str]:
    """Record results by send id; returns the ids of those that were not settled before."""
    outcomes = [Outcome(send_id, one.state, one.reference, one.reason) for send_id, one in sorted(results.items())]
    return sends.finish(conn, outcomes, now=now)


async def recover(
    ledger: Ledger, providers: Mapping[str, Provider], *, gone: Collection[str],
    as_it_was: Callable[[Sequence[Send]], Mapping[str, Call]], consequences: Consequences, now: datetime,
) -> Counter[str]:  # fmt: skip
    """Settle what dispatchers left behind that are gone, and look up what was unknown; counts by what was done.

    ``providers`` by their name; ``as_it_was``: the calls of sends, by send id. A lease that ended frees an intent of a
    dispatcher that hangs, too: it cannot win the call any more.
    """
    done: Counter[str] = Counter()
    with ledger.begin() as conn:
        left = sends.unfinished(conn, ("intent", "called", "unknown"))
        stale = [one for one in left if one.state == "intent" and (one.worker in gone or one.lease_until <= now)]
        if stale:
            done["taken_back"] += len(sends.take_back(conn, stale, reason="dispatcher_gone", now=now))
    open_calls = [one for one in left if (one.state == "called" and one.worker in gone) or one.state == "unknown"]
    calls = as_it_was(open_calls)
    for send in open_calls:
        provider = providers.get(send.provider)
        found = None if provider is None else await provider.find(calls[send.send_id])
        if found is not None:
            consequences({send.touch_id: found})
        done[_settle_one(ledger, provider, send, found, now)] += 1
    return done


def _settle_one(ledger: Ledger, provider: Provider | None, send: Send, found: Result | None, now: datetime) -> str:
    """Record what a look-up found, or what its silence means."""
    with ledger.begin() as conn:
        if found is not None:
            return "found" if record(conn, {send.send_id: found}, now) else "settled"
        if send.state == "unknown":
            return "still_unknown"
        if provider is not None and provider.repeatable:
            back = sends.take_back_calls(conn, [send], reason="never_arrived", now=now)
            return "taken_back" if back else "settled"
        record(conn, {send.send_id: Result("unknown", reason="dispatcher_gone")}, now)
        return "unknown"
