"""Whether anything at all stands against a batch, in one question: mostly nothing does, and what it is, is asked then.

Asked under the lock of permission (``suppressions``), so that whatever is told apart later is what was seen here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, select

from reactivation.ledger import audit
from reactivation.ledger.among import among_named, checked
from reactivation.ledger.tables import enrolments, replies, sends, stops, suppressions
from reactivation.ledger.together import Asking, Rows


@dataclass(frozen=True)
class Standing:
    """Whether some address has a suppression or was written to, and some enrolment is over; whether any reply holds and
    anything is stopped, for whomever. ``written``: the number of the audit trail's last row, 0 when there is none."""

    suppressed: bool
    held: bool
    stopped: bool
    written_to: bool = False
    over: bool = False
    written: int = 0


def against_intents(address_keys: Collection[str], *, since: datetime, now: datetime) -> Asking[Standing]:
    """What is asked before intents are written; ``since``: from when on having been written to counts."""
    return Asking(((_INTENTS, {"keys": address_keys, "since": since, "now": now}),), _before_intents)


def against_calls(
    address_keys: Collection[str], enrolment_ids: Collection[str], *, now: datetime
) -> Asking[Standing]:  # fmt: skip
    """What is asked before calls are won."""
    return Asking(((_CALLS, {"keys": address_keys, "enrolments": enrolment_ids, "now": now}),), _before_calls)


def _before_intents(found: list[Rows]) -> Standing:
    (((suppressed, held, stopped, written_to, written),),) = found
    return Standing(suppressed, held, stopped, written_to=written_to, written=written)


def _before_calls(found: list[Rows]) -> Standing:
    (((suppressed, held, stopped, over),),) = found
    return Standing(suppressed, held, stopped, over=over)


_OF_BOTH = (
    exists().where(among_named(suppressions.c.address_key, "keys")).label("suppressed"),
    exists().where(replies.c.label.is_(None)).label("held"),
    exists().where((stops.c.until.is_(None)) | (stops.c.until > bindparam("now"))).label("stopped"),
)
#: A call is later than its intent, so whoever was written to lately may be found by either.
_INTENTS = select(
    *_OF_BOTH,
    exists()
    .where(among_named(sends.c.address_key, "keys"))
    .where((sends.c.intended_at > bindparam("since")) | (sends.c.called_at > bindparam("since")))
    .label("written_to"),
    audit.last().scalar_subquery().label("written"),
)
_CALLS = select(
    *_OF_BOTH,
    exists()
    .where(among_named(enrolments.c.enrolment_id, "enrolments"), checked(enrolments.c.state) != "active")
    .label("over"),
)
