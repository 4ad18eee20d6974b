"""A PostgreSQL ledger with years of touches in it, and what a dispatcher asks of it."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, event, text
from tests.bench import watching
from tests.ledgers import NOW, PLAYBOOK, RULES_VERSION, RUN_ID, begin

from reactivation.ledger import (
    migrations,
    questions,
    replies,
    sends,
    settings,
    standing,
    stops,
    suppressions,
    together,
)  # fmt: skip
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.together import answer
from reactivation.ledger.touches import Touch

#: As many as a dispatcher looks at first, and as many as it claims at once.
_LOOK, _BATCH, _TIMES = 100, 25, 50

#: Three touches to an enrolment; one enrolment in fifty is active, with its first touch sent, its second due and its
#: third still to come. The others are over, all sent. Ids are in order, since random ones take many times as long to
#: enter; those that are due lie far apart all the same.
_FILL = (
    """
    INSERT INTO enrolments (enrolment_id, playbook, run_id, customer_id, segment, variant, batch_id, owner_id, decision,
                            review_reasons, dimensions, state, enrolled_at, plan_ends_at, ended_at, exit_reason)
    SELECT format('00000000-0000-4000-8000-%s', lpad(to_hex(n), 12, '0')), :playbook, :run, 'c-' || n, 'household',
           CASE WHEN n % 2 = 0 THEN 'control' ELSE 'bold' END, :batch, 'own-ada', 'enrol', '[]', '{}',
           CASE WHEN n % 50 = 0 THEN 'active' ELSE 'ended' END, :at - INTERVAL '1 day' * (n % 700),
           :at + INTERVAL '14 days', CASE WHEN n % 50 > 0 THEN :at END, CASE WHEN n % 50 > 0 THEN 'no_response' END
    FROM generate_series(1, :enrolments) AS n
    """,
    """
    INSERT INTO enrolment_keys (enrolment_id, address_key, channel, active)
    SELECT format('00000000-0000-4000-8000-%s', lpad(to_hex(n), 12, '0')), lpad(to_hex(n), 64, '0'), 'email', n % 50 = 0
    FROM generate_series(1, :enrolments) AS n
    """,
    """
    INSERT INTO touches (touch_id, enrolment_id, playbook, number, pattern, purpose, channel, incentive, address_key,
                         not_before, not_after, state, draft_digest, draft_run_id, changed_at)
    SELECT format('00000000-0000-4000-800%s-%s', number, lpad(to_hex(n), 12, '0')),
           format('00000000-0000-4000-8000-%s', lpad(to_hex(n), 12, '0')), :playbook, number, 'curiosity',
           'check_in', 'email', 'none', lpad(to_hex(n), 64, '0'), planned - INTERVAL '1 minute' * (n % 5000),
           planned + INTERVAL '5 days', CASE WHEN n % 50 = 0 AND number > 1 THEN 'signed' ELSE 'accepted' END,
           md5('d') || md5('d'), :run, :at
    FROM generate_series(1, :enrolments) AS n, generate_series(1, 3) AS number,
         LATERAL (SELECT CASE WHEN n % 50 = 0 THEN 2 - number ELSE n % 100 + 3 END) AS w (weeks_ago),
         LATERAL (SELECT :at - INTERVAL '7 days' * weeks_ago) AS p (planned)
    """,
    """
    INSERT INTO sends (send_id, touch_id, provider, channel, address_key, draft_digest, answer_ids, basis, gates,
                       local_time, zone, zone_source, rules_version, worker, state, intended_at, lease_until, called_at,
                       finished_at)
    SELECT touch_id, touch_id, 'outbox', channel, address_key, draft_digest, '[]', '{}', '{}', '2026-03-03T11:00',
           'Europe/London', 'address', :rules, 'somebody', 'accepted', not_before, not_after, not_before, not_before
    FROM touches WHERE state = 'accepted'
    """,
    # One in ten of those who were written to bought, one in two hundred said no, each a day later.
    """
    INSERT INTO events (event_id, customer_id, address_key, kind, channel, occurred_at, recorded_at, source, crossed)
    SELECT 'e-' || n, 'c-' || n, lpad(to_hex(n), 64, '0'), CASE WHEN n % 200 = 1 THEN 'opt_out' ELSE 'order' END,
           'email', s.at, s.at, 'crm', false
    FROM generate_series(1, :enrolments) AS n,
         LATERAL (SELECT min(finished_at) + INTERVAL '1 day' AS at FROM sends
                  WHERE address_key = lpad(to_hex(n), 64, '0')) AS s
    WHERE (n % 10 = 0 OR n % 200 = 1) AND s.at IS NOT NULL
    """,
    # Every touch was signed: a list per five hundred people and number, with its question, its answer and two signers.
    """
    INSERT INTO lists (list_id, run_id, playbook, kind, channel, touch_number, segment, owner_id, authors, digest,
                       signing_code, opened_at, expires_at, state, closed_at)
    SELECT format('00000000-0000-4000-a00%s-%s', number, lpad(to_hex(n), 12, '0')), :run, :playbook, 'content', 'email',
           number, 'household', 'own-ada', '["grace"]', md5('l') || md5('l'), 'abcd1234', :at - INTERVAL '9 days',
           :at, 'signed', :at - INTERVAL '8 days'
    FROM generate_series(0, :enrolments / 500) AS n, generate_series(1, 3) AS number
    """,
    """
    INSERT INTO questions (question_id, kind, list_id, subject, state, opened_at, expires_at, closed_at)
    SELECT list_id, 'sign_list', list_id, list_id, 'answered', opened_at, expires_at, closed_at FROM lists
    """,
    """
    INSERT INTO answers (answer_id, question_id, responder, chosen, form, responded_at, recorded_at, accepted)
    SELECT question_id, question_id, 'ada', 'Sign', '{}', closed_at, closed_at, true FROM questions
    """,
    """
    INSERT INTO list_signers (list_id, user_id, owner_id, role)
    SELECT list_id, user_id, 'own-ada', 'marketing_owner'
    FROM lists, LATERAL (VALUES ('ada'), ('ben')) AS u (user_id)
    """,
    """
    INSERT INTO list_items (list_id, touch_id, position, customer_id, draft_digest, individual, review_reasons)
    SELECT format('00000000-0000-4000-a00%s-%s', number, lpad(to_hex(n / 500), 12, '0')),
           format('00000000-0000-4000-800%s-%s', number, lpad(to_hex(n), 12, '0')), n % 500 + 1, 'c-' || n,
           md5('d') || md5('d'), false, '[]'
    FROM generate_series(1, :enrolments) AS n, generate_series(1, 3) AS number
    """,
    """
    INSERT INTO item_verdicts (list_id, touch_id, verdict, answer_id)
    SELECT list_id, touch_id, 'signed', list_id FROM list_items
    """,
    "ANALYZE",
)


def ask_much(url: str, count: int) -> dict[str, float]:
    """Milliseconds (the median) that reserving a look takes, the questions of a claim together, and the slowest of
    these, among so many touches; and the seconds of one look of the monitor."""
    migrations.upgrade(url)
    ledger = open_ledger(url)
    given = {
        "playbook": PLAYBOOK, "run": RUN_ID, "rules": RULES_VERSION, "at": NOW, "enrolments": count // 3,
        "batch": watching.BATCH,
    }  # fmt: skip
    with ledger.begin() as conn:
        begin(conn)
        conn.execute(text("SET LOCAL session_replication_role = replica"))  # a row's keys are right, none is looked up
        for statement in _FILL:
            wanted = {name: value for name, value in given.items() if f":{name}" in statement}
            conn.execute(text(statement), wanted)
    with ledger.begin() as conn:
        found = _reserve(conn)
    assert len(found) == min(_LOOK, count // 150), len(found)
    reserving, _ = _medians(ledger, _reserve)
    claiming, each = _medians(ledger, lambda conn: _claim(conn, found[:_BATCH]))
    watched = watching.look(ledger, count // 3)
    ledger.close()
    return {"reserve": reserving, "claim": claiming, "slowest": max(each), "watch": watched}


def _reserve(conn: Connection) -> list[Touch]:
    return sends.reserve(conn, worker="bench", gone=frozenset({"somebody"}), now=NOW, limit=_LOOK)


def _claim(conn: Connection, some: Sequence[Touch]) -> None:
    """What ``steps.claims.claim`` asks of the ledger before it writes the intents."""
    keys, ids = {touch.address_key for touch in some}, [touch.touch_id for touch in some]
    digests = {touch.touch_id: str(touch.draft_digest) for touch in some}
    (((ours, _), (known, signed)), _) = answer(
        conn,
        sends.claimable("postgresql", ids, "bench")
        & standing.against_intents(keys, since=NOW - timedelta(hours=48), now=NOW)
        & questions.signed_of(digests)
        & settings.licence("email"),
    )
    assert len(ours) == len(some)
    assert known.keys() == digests.keys()
    assert all(len(signatures) == 1 for signatures in signed.values())
    # What it asks of those only against whom something stands:
    suppressions.standing(conn, keys, brand="harbour_finch")
    replies.holding(conn, keys, {touch.customer_id for touch in some})
    stops.standing(conn, NOW)
    sends.written_to(conn, keys, NOW - timedelta(hours=48))


def _medians(ledger: Ledger, ask: Callable[[Connection], object]) -> tuple[float, list[float]]:
    """Of all of it, and of each of its statements. Each time on the same rows: what was reserved is let go again,
    without being measured."""
    whole: list[float] = []
    each: dict[str, list[float]] = defaultdict(list)
    for _ in range(_TIMES):
        with ledger.engine.connect() as conn:
            if ask is not _reserve:
                _reserve(conn)
            with _timed(conn, each):
                began = time.perf_counter()
                ask(conn)
                whole.append(time.perf_counter() - began)
            conn.rollback()
    return _milliseconds(whole), [_milliseconds(times) for times in each.values()]


@contextmanager
def _timed(conn: Connection, each: dict[str, list[float]]) -> Iterator[None]:
    """Seconds by statement, until the database has answered; of those that are asked in one breath, of all of them."""
    began = 0.0

    def before(*_: object) -> None:
        nonlocal began
        began = time.perf_counter()

    def after(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        each[statement].append(time.perf_counter() - began)

    real = together.asked

    def asked(conn: Connection, *those: together.Question) -> list[list[tuple[Any, ...]]]:
        begun = time.perf_counter()
        rows = real(conn, *those)
        each[repr([id(statement) for statement, _ in those])].append(time.perf_counter() - begun)  # each is made once
        return rows

    event.listen(conn, "before_cursor_execute", before)
    event.listen(conn, "after_cursor_execute", after)
    with patch.object(together, "asked", asked):
        yield


def _milliseconds(seconds: Sequence[float]) -> float:
    return round(statistics.median(seconds) * 1000, 2)
