"""By which channels somebody may be written to, asked of everybody at once and of one row (RULES.md, ``reachable``)."""

from __future__ import annotations

import pyarrow as pa
import pytest

from reactivation.contract.tables import TEXT
from reactivation.policy.channels import may_use, why_not

#: What permits each channel, what the gate said of the addresses, and why e-mails and texts are not written.
CASES = [
    ({"email": "express", "sms": "express_written"}, "pass", None, None),
    ({"email": "express", "sms": "express_written"}, "drop:sms", None, "channel_dropped"),
    ({"email": "express", "sms": "express_written"}, "drop:email", "channel_dropped", None),
    ({"email": "express", "sms": None}, "pass", None, "channel_not_permitted"),
    ({"email": None, "sms": "express_written"}, "drop:email", "channel_not_permitted", None),
    ({"email": "express", "sms": "express_written"}, "fail:email_missing", "channel_dropped", "channel_dropped"),
]


@pytest.mark.parametrize(("basis", "reachable", "by_email", "by_sms"), CASES)
def test_a_channel_needs_its_own_permission_and_address(
    basis: dict[str, str | None], reachable: str, by_email: str | None, by_sms: str | None
) -> None:
    """The reason, and the same answer for whole columns."""
    row = {f"{channel}_basis": of for channel, of in basis.items()} | {"gate_reachable": reachable}
    table = pa.table({name: pa.chunked_array([[value]], TEXT) for name, value in row.items()})

    assert (why_not(row, "email"), why_not(row, "sms")) == (by_email, by_sms)
    assert may_use(table, "email").to_pylist() == [by_email is None]
    assert may_use(table, "sms").to_pylist() == [by_sms is None]
