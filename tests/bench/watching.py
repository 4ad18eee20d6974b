"""One look of the monitor at a ledger with years of two variants in it."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cache

from tests.ledgers import NOW, PLAYBOOK
from tests.policy.people import playbook

from reactivation.ledger import monitored
from reactivation.ledger.engine import Ledger
from reactivation.playbooks.touches import Variant, VariantTouch
from reactivation.policy.monitor import Split, judge
from reactivation.steps.rules import read_rules

#: Every enrolment of the crowd began in it: one in two is the control.
BATCH = "00000000-0000-4000-b000-000000000000"

_BOLD = Variant(variant="bold", share=0.5, touches=(VariantTouch(number=1, subject="bold?"),))


def look(ledger: Ledger, enrolments: int) -> float:
    """Seconds from the question to the findings. Raises ``ValueError`` unless everybody written to was compared."""
    two = playbook().model_copy(
        update={"playbook": PLAYBOOK, "variants": (Variant(variant="control", share=0.5), _BOLD)}
    )
    split = Split(BATCH, NOW - timedelta(days=800), {"control": (0.5, "w"), "bold": (0.5, "w")}, ())
    began = time.perf_counter()
    with ledger.begin() as conn:
        compared = monitored.compared(conn, PLAYBOOK, first_before=NOW, until=NOW)
        found = judge(
            two, read_rules().monitor, splits=[split], halts=[], compared=compared,
            counted=cache(lambda since: monitored.counted(conn, PLAYBOOK, since=since, until=NOW)), now=NOW,
        )  # fmt: skip
    took = time.perf_counter() - began
    if compared.num_rows != enrolments or len(found) < len(two.variants):
        raise ValueError(f"{compared.num_rows} of {enrolments} enrolments were compared, in {len(found)} parts")
    return round(took, 2)
