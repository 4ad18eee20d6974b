"""Who came back, by document 002's two readings: who left the flow, and who is in the segment *Customers Active*.

Its scenario moves whoever opens, clicks, visits or buys back to the active customers; its table of segments asks for a
purchase, too. So both are counted, and who re-engaged without buying is in the first alone.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.measures.figures import Figure, share

OF_THE_RE_ENGAGED = "of who left as re-engaged"


def return_figures(re_engaged: Collection[str], ended: Collection[str], segments: pa.Table | None) -> list[Figure]:
    """``re_engaged`` and ``ended``: customers whose sequence ended so, and at all. ``segments``: customer_id,
    customers and customers_active of everybody in the last run; ``None`` where the playbook asks for none."""
    figures = [share("re_engaged", len(re_engaged), len(ended))]
    if segments is None:
        return figures
    active = segments.filter(segments["customers_active"])["customer_id"]
    back = pc.sum(pc.is_in(active, pa.array(sorted(re_engaged), pa.string()))).as_py() or 0
    everybody = pc.sum(segments["customers"]).as_py() or 0
    return [
        *figures,
        share("customers_active", len(active), everybody),
        share("customers_active", back, len(re_engaged), OF_THE_RE_ENGAGED),
    ]
