"""The last step of a send: win the call in the ledger, hand the bytes over, record what came of it.

Whatever dies in between: an intent that was never called is taken back, a call is looked up at the provider. Only a
provider that had nothing lets a touch go out again, under the same key.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, DeliveryError, Provider, Result
from reactivation.ledger import sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.locks import PERMISSION, shared
from reactivation.ledger.sends import Send

Clock = Callable[[], datetime]
#: Asked in the transaction that wins the call: why it must not be made after all, as a code, or ``None``.
LastWord = Callable[[Connection], str | None]


def hand_over(
    ledger: Ledger, provider: Provider, touch: SendableTouch, intent: Send, *, last_word: LastWord, clock: Clock
) -> Result | str | None:
    """Make the call of an intent of ours. Returns its result; the reason it was not made; ``None`` if it was lost.

    What was committed before the call is won (an opt-out, a stop, the end of the enrolment) still prevents it. Raises
    ``DeliveryError`` when the provider cannot work; then the intent was taken back.
    """
    with ledger.begin() as conn:
        shared(conn, PERMISSION)
        refusal = last_word(conn)
        if refusal is not None:
            return refusal if sends.take_back(conn, intent, reason=refusal, now=clock()) else None
        if not sends.win_call(conn, intent.send_id, worker=intent.worker, now=clock()):
            return None
    try:
        result = asyncio.run(provider.send(touch, intent.send_id, clock()))
    except DeliveryError:
        with ledger.begin() as conn:
            sends.take_back_call(conn, intent, reason="provider_cannot_work", now=clock())
        raise
    except Exception as error:  # the provider may have it: that is for a look-up or a person to say, not for a repeat
        result = Result("unknown", reason=f"raised:{type(error).__name__}"[:80])
    with ledger.begin() as conn:
        record(conn, intent.send_id, result, clock())
    return result


def record(conn: Connection, send_id: str, result: Result, now: datetime) -> bool:
    """Record the result of a call; false when it was settled before."""
    return sends.finish(
        conn, send_id, state=result.state, provider_ref=result.reference, reason=result.reason, now=now
    )  # fmt: skip


def recover(ledger: Ledger, providers: Mapping[str, Provider], *, gone: Collection[str], now: datetime) -> Counter[str]:
    """Settle what dispatchers left behind that are gone, and look up what was unknown; counts by what was done.

    ``providers`` by their name. A lease that ended frees an intent of a dispatcher that hangs, too: it cannot win the
    call any more.
    """
    done: Counter[str] = Counter()
    with ledger.begin() as conn:
        left = sends.unfinished(conn, ("intent", "called", "unknown"))
        for send in left:
            if send.state == "intent" and (send.worker in gone or send.lease_until <= now):
                done["taken_back"] += sends.take_back(conn, send, reason="dispatcher_gone", now=now)
    for send in left:
        if (send.state == "called" and send.worker in gone) or send.state == "unknown":
            done[_look_up(ledger, providers.get(send.provider), send, now)] += 1
    return done


def _look_up(ledger: Ledger, provider: Provider | None, send: Send, now: datetime) -> str:
    """Ask the provider whether it had a call, and record the answer."""
    found = (
        None if provider is None else asyncio.run(provider.find(Call(send.send_id, send.called_at or send.intended_at)))
    )
    with ledger.begin() as conn:
        if found is not None:
            return "found" if record(conn, send.send_id, found, now) else "settled"
        if send.state == "unknown":
            return "still_unknown"
        if provider is not None and provider.repeatable:
            return "taken_back" if sends.take_back_call(conn, send, reason="never_arrived", now=now) else "settled"
        record(conn, send.send_id, Result("unknown", reason="dispatcher_gone"), now)
        return "unknown"
