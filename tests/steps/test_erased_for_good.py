"""An erased person stays unsendable, whatever their sources say of them afterwards.

Source: RULES.md, Permission (HMAC-keyed so that it survives erasure; we never re-subscribe anyone).
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import AS_OF, Row, consent, contact, days_ago, purchase, tables
from tests.steps.six import Six

from reactivation.ledger.engine import Ledger
from reactivation.steps.erase import erase
from reactivation.steps.snapshot import take_snapshot

NOW = AS_OF + timedelta(hours=1)
ADDRESS, PHONE, NEW = "ada.hart@gmail.com", "+447400123456", "ada.new@gmail.com"

#: How a source may write an address that it has again.
SPELLED = st.sampled_from([ADDRESS, ADDRESS.upper(), f" {ADDRESS} ", f"Ada <{ADDRESS}>", f"mailto:{ADDRESS}"])
DIALLED = st.sampled_from([PHONE, "07400 123456", "+44 (0)7400 123456", None])
IDS = st.sampled_from(["c-ada", "c-new", "00017"])


@st.composite
def told(draw: st.DrawFn) -> Row:
    """The same person as a source tells of them later: by another id, otherwise written, with all that speaks for
    writing to them, and at least their id or one of the addresses they had."""
    customer = draw(IDS)
    email = draw(st.one_of(SPELLED, st.just(NEW)))
    phone = draw(DIALLED) or (PHONE if email == NEW and customer != "c-ada" else None)
    return contact(
        customer, email=email, phone=phone, fit=draw(st.sampled_from(["good", None])),
        consent_email=draw(st.booleans()), lifecycle_stage=draw(st.sampled_from(["customer", "lead"])),
        value_tier=draw(st.sampled_from([None, "high", "low"])),
    )  # fmt: skip


def source(row: Row, *, fresh_consents: int) -> dict[str, Any]:
    """What the source says now: the old record is gone, and consent is given anew as often as you like."""
    rows, customer = tables(), row["customer_id"]
    old = {"c-ada", customer}
    kept = {
        name: [one for one in table if one.get("customer_id") not in old] for name, table in rows.items()
    }  # fmt: skip
    consents = [
        consent(f"r-new-{n}-{channel}", customer, channel=channel, occurred_at=days_ago(n), basis=basis)
        for n in range(fresh_consents)
        for channel, basis in (("email", "double_opt_in"), ("sms", "express_written"))
    ]
    return {
        **kept, "contacts": [*kept["contacts"], row], "suppressions": kept["suppressions"],
        "consents": [*kept["consents"], *consents],
        "purchases": [*kept["purchases"], purchase("b-new", customer, days_ago(120))],
    }  # fmt: skip


def test_an_erased_person_stays_unsendable_whatever_their_sources_say_afterwards(
    tmp_path: Path, ledger: Ledger
) -> None:
    """Another id, another spelling, a new address beside the old number, fresh consents: the answer is no."""
    six = Six(tmp_path / "home", ledger)
    six.write(contacts=[contact("c-ada", phone="07400 123456"), contact("c-ben")])
    six.snapshot()
    erase(six.workspace, customer_id="c-ada", user="cleo", reason="person_asked", now=NOW)
    days = count(1)

    @settings(max_examples=12, derandomize=True)
    @given(row=told(), fresh_consents=st.integers(0, 2))
    def stays_unsendable(row: Row, fresh_consents: int) -> None:
        later = AS_OF + timedelta(days=next(days))
        six.write(as_of=later, **source(row, fresh_consents=fresh_consents))
        take_snapshot(six.workspace, now=later)
        run_id = six.decided(later + timedelta(hours=1))

        decisions = {one["customer_id"]: one for one in six.workspace.run_folder(run_id).read("decisions").to_pylist()}
        mine = decisions.get(row["customer_id"])
        assert mine is not None, "a candidate like any other"
        assert mine["gate_not_suppressed"] == "fail:internal"
        assert mine["decision"] == "suppress"
        assert decisions["c-ben"]["gate_not_suppressed"] == "pass", "nobody else is meant"

    stays_unsendable()
