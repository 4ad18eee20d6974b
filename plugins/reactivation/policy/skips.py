"""Which touches chance withholds from whom, so that what each touch adds can be told from who did not get it.

In a fixed sequence everybody who gets a touch got all before it, so that no attribution can tell them apart. Where a
playbook asks for it, each touch is withheld from a small share of people, whatever is withheld of the others. Chance
only ever withholds: what follows goes out no sooner than it would after any other touch that is skipped.

Source: METHODS.md section 4.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXTS
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Touch
from reactivation.policy.columns import arrow, choose, contains, listed, series
from reactivation.policy.experiments import holdout

#: What such a touch is skipped for.
AT_RANDOM = "skipped_at_random"


def hashed_for_skips(playbook: Playbook) -> list[str]:
    """What is hashed with salt and id for each touch, in their order; nothing where chance skips none. No other hash is
    of such a text, so that the one says nothing of the other."""
    if not playbook.skipped_share:
        return []
    return [f"skip:{playbook.playbook}:{touch.number}" for touch in playbook.touches]


def skipped_touches(points: pd.Series, playbook: Playbook) -> pd.Series:
    """The numbers of the touches that chance withholds from each, as texts; null where it withholds nothing from
    anybody.

    ``points``: the first 32 bits of the hash of each of ``hashed_for_skips``, so that they stay for as long as the salt
    and the share do.
    """
    if not playbook.skipped_share:
        return series(pa.nulls(len(points), TEXTS))
    lists = arrow(points)
    of_touch = [
        (holdout(series(pc.list_element(lists, place)), playbook.skipped_share), str(touch.number))
        for place, touch in enumerate(playbook.touches)
    ]
    return listed(*(choose([one], None) for one in of_touch))


def at_random(touch: Touch, people: pa.Table) -> pa.Array | bool:
    """From whom chance withholds a touch. ``people`` has ``skipped_touches``, null where it withholds nothing."""
    drawn = people["skipped_touches"].combine_chunks()
    return drawn.null_count < len(drawn) and arrow(contains(series(drawn), str(touch.number)))
