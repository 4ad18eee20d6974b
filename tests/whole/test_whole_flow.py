"""From the CRM to the outbox: what is sent is exactly what was signed, and every number has its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.company import NOW, PLAYBOOK, Company, company

from reactivation.contract.digests import item_digest
from reactivation.ledger import seals
from reactivation.ledger.tables import (
    enrolments,
    item_verdicts,
    list_items,
    lists,
    measurement_events,
    sends,
    touches,
)  # fmt: skip
from reactivation.steps.decide import decide_snapshot, scored
from reactivation.steps.dispatch import dispatch
from reactivation.steps.funnel import funnel
from reactivation.steps.results import decisions_of


@pytest.fixture
def harbour(tmp_path: Path, ledger_url: str) -> Iterator[Company]:
    """Harbour & Finch with 250 customers."""
    made = company(tmp_path / "home", ledger_url, customers=250)
    yield made
    made.workspace.ledger.close()


def _signers(row_kind: str, owner_id: str) -> str:
    return "olu" if row_kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[owner_id]


def test_one_signs_one_signs_some_and_one_rejects(harbour: Company) -> None:
    """Ada signs, Ben leaves out every second item, Olu rejects the offers: the outbox holds exactly the signed touches
    that are due, and the held and rejected got nothing."""
    run_id = harbour.run()
    left_out: set[str] = set()
    for request, row, items in harbour.asked():
        by = _signers(row.kind, row.owner_id)
        out = [i.touch_id for i in items[::2]] if by == "ben" else []
        left_out.update(out)
        option = "Reject all" if by == "olu" else "Sign"
        harbour.answer(request, row, items, option, by=by, left_out=out)

    summary = dispatch(harbour.workspace, NOW)

    with harbour.workspace.ledger.begin() as conn:
        verdicts = {(r.touch_id, r.verdict) for r in conn.execute(select(item_verdicts))}
        states = {r.touch_id: r for r in conn.execute(select(touches))}
        accepted = {r.touch_id: r for r in conn.execute(select(sends).where(sends.c.state == "accepted"))}
        signed_digests = {(r.touch_id, r.draft_digest) for r in conn.execute(select(list_items))}
        assert seals.verify(conn).intact
    signed = {t for t, v in verdicts if v == "signed"}
    rejected = {t for t, v in verdicts if v == "rejected"}
    due = {t for t in signed - left_out - rejected if states[t].not_before <= NOW}
    assert due, "the sample must give something to send"
    assert set(accepted) == due
    assert len(harbour.outbox()) == len(due) == summary.accepted
    assert left_out and not left_out & set(accepted)
    assert rejected and not rejected & set(accepted)
    drafts = harbour.workspace.run_folder(run_id).read("drafts").to_pylist()
    sent = {d["touch_id"]: d for d in drafts if d["touch_id"] in accepted}
    assert all((t, item_digest(d)) in signed_digests for t, d in sent.items())
    reached = Counter(m["To"].addresses[0].addr_spec for m in harbour.outbox())
    assert reached == Counter(d["recipient"] for d in sent.values())


def test_the_funnel_reconciles(harbour: Company) -> None:
    """Every stage is the sum of those below it, in decisions.parquet and in the ledger alike."""
    run_id = harbour.run()
    shown = funnel(harbour.workspace, run_id)
    _, decisions = decisions_of(harbour.workspace, PLAYBOOK, run_id)
    decided = Counter(decisions["decision"].to_pylist())
    with harbour.workspace.ledger.begin() as conn:
        in_ledger = conn.scalar(select(func.count()).select_from(enrolments))
        told = conn.execute(
            select(measurement_events.c.outcome, func.count()).where(measurement_events.c.kind == "decision")
            .group_by(measurement_events.c.outcome)
        ).all()  # fmt: skip
        touch_total = conn.scalar(select(func.count()).select_from(touches))

    assert shown["candidates"] == decisions.num_rows == sum(decided.values()) == sum(n for _, n in told)
    assert shown["candidates"] == (
        shown["suppressed"] + shown["on hold"] + shown["may be contacted"] + shown["may be contacted after review"]
    )
    may = shown["may be contacted"] + shown["may be contacted after review"]
    rest = shown["not begun (capacity, sample or segment)"]
    assert may == shown["already enrolled"] + shown["kept as holdout"] + rest + shown["enrolled"]
    assert rest >= 0
    assert shown["enrolled"] == in_ledger > 0
    assert sum(n for stage, n in shown.items() if stage.startswith("touches ")) == touch_total


def test_running_again_enrols_nobody_twice_and_sends_nothing_more(harbour: Company) -> None:
    """A second run on the same day finds everybody enrolled; a second dispatch finds nothing to send."""
    harbour.run()
    for request, row, items in harbour.asked():
        harbour.answer(request, row, items, "Sign", by=_signers(row.kind, row.owner_id))
    first = dispatch(harbour.workspace, NOW)
    assert first.accepted == len(harbour.outbox()) > 0
    again = harbour.run(now=NOW + timedelta(minutes=30))
    assert funnel(harbour.workspace, again)["enrolled"] == 0
    assert dispatch(harbour.workspace, NOW + timedelta(minutes=40)).accepted == 0
    assert len(harbour.outbox()) == first.accepted


def test_silence_never_approves(harbour: Company) -> None:
    """Nobody answers: nothing is sent, today or on any later day."""
    harbour.run()
    assert harbour.asked()
    for days in range(8):
        assert dispatch(harbour.workspace, NOW + timedelta(days=days)).accepted == 0
    assert harbour.outbox() == []


def test_a_dry_run_leaves_no_trace_in_the_ledger(harbour: Company) -> None:
    """Evidence only: no enrolments, touches, lists or questions, and the plan says how many there would be."""
    run_id = harbour.run(dry=True)
    with harbour.workspace.ledger.begin() as conn:
        for table in (enrolments, touches, lists, measurement_events):
            assert conn.scalar(select(func.count()).select_from(table)) == 0
    assert funnel(harbour.workspace, run_id)["enrolled"] > 0


def test_an_opt_out_after_the_signature_stops_the_send(harbour: Company) -> None:
    """The source is asked again right before the send; whoever opted out meanwhile hears nothing."""
    harbour.run()
    for request, row, items in harbour.asked():
        harbour.answer(request, row, items, "Sign", by=_signers(row.kind, row.owner_id))
    with harbour.workspace.ledger.begin() as conn:
        signed = select(touches.c.enrolment_id).where(touches.c.state == "signed", touches.c.not_before <= NOW)
        due = sorted(conn.scalars(select(enrolments.c.customer_id).where(enrolments.c.enrolment_id.in_(signed))))
    gone, kept = due[0], due[1:]
    source = Path(harbour.workspace.settings.source) / "suppressions.csv"
    header = source.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    row = {
        "suppression_id": "sup-late", "customer_id": gone, "channel": "email", "reason": "opt_out",
        "occurred_at": NOW.isoformat(), "source": "phone",
    }  # fmt: skip
    with source.open("a", encoding="utf-8", newline="") as opened:
        opened.write(",".join(row.get(name, "") for name in header) + "\n")
    dispatch(harbour.workspace, NOW)
    with harbour.workspace.ledger.begin() as conn:
        sent = select(sends.c.touch_id).where(sends.c.state == "accepted")
        reached = select(touches.c.enrolment_id).where(touches.c.touch_id.in_(sent))
        query = select(enrolments.c.customer_id).where(enrolments.c.enrolment_id.in_(reached))
        written_to = set(conn.scalars(query))
    assert gone not in written_to
    assert written_to == set(kept)


def test_decisions_are_byte_identical_on_a_fresh_ledger(tmp_path: Path, ledger_url: str) -> None:
    """The same CRM gives the same decisions.parquet in two companies with ledgers of their own."""
    first = company(tmp_path / "one", ledger_url)
    second = company(tmp_path / "two", f"sqlite:///{tmp_path / 'two' / 'ledger' / 'ledger.db'}")
    digests = [c.workspace.run_folder(c.run()).files["decisions.parquet"] for c in (first, second)]
    for made in (first, second):
        made.workspace.ledger.close()
    assert digests[0] == digests[1]


@pytest.mark.parametrize("threads", [1, 2])
def test_decisions_do_not_depend_on_threads(tmp_path: Path, threads: int) -> None:
    """One thread or two: the same table, to the byte."""
    home = tmp_path / "home"
    made = company(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}")
    run_id = made.run(dry=True)
    folder = made.workspace.run_folder(run_id)
    snapshot = made.workspace.snapshot_folder(folder.manifest["inputs"]["snapshot_id"])
    declared = made.workspace.playbook(PLAYBOOK).playbook
    decided = decide_snapshot(
        snapshot, folder.read("ledger_extract"), declared, made.workspace.rules,
        made.workspace.owners, folder.as_of, before=[one.playbook for one in made.workspace.before(PLAYBOOK)],
        owners_said=folder.read("owners_said"), scores=scored(snapshot, declared)[0], threads=threads,
    )  # fmt: skip
    assert decided.table.equals(folder.read("decisions"))
