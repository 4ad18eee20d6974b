"""What came of accounts: what their owners decided, why they closed them, and which issues were resolved.

Source: seed 001 (how it is measured; advanced version: reactivation reporting); METHODS.md section 5.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.measures.figures import Figure, share, shares
from reactivation.measures.issues import open_now
from reactivation.policy.accounts import CLOSE, OWNER_DECISIONS

#: One row per account whose owner decided: the last word, and why.
SAID = pa.schema([("account_id", pa.string()), ("decision", pa.string()), ("reason", pa.string())])
_NO_REASON = "none given"


def account_figures(decisions: pa.Table, said: pa.Table, flagged: pa.Array) -> list[Figure]:
    """The figures of a run's decisions (``DECISIONS``) and of what was said (``SAID``) of those accounts. ``flagged``:
    the customers of whom an issue was found open at any time."""
    dormant = decisions.num_rows
    mine = said.filter(pc.is_in(said["account_id"], value_set=decisions["account_id"].combine_chunks()))
    by_word = Counter(mine["decision"].to_pylist())
    closed = mine.filter(pc.equal(mine["decision"], CLOSE))
    reasons = Counter(pc.fill_null(closed["reason"], _NO_REASON).to_pylist())
    had_issue = _had_issue(decisions, flagged)
    resolved = pc.and_(had_issue, pc.invert(open_now(decisions)))
    return [
        share("owner_decisions", mine.num_rows, dormant),
        *(share("owner_decisions", by_word[word], dormant, word) for word in OWNER_DECISIONS),
        share("accounts_closed", closed.num_rows, mine.num_rows),
        *shares("accounts_closed", reasons, mine.num_rows),
        share("issue_resolutions", _count(resolved), _count(had_issue)),
    ]


def _had_issue(decisions: pa.Table, flagged: pa.Array) -> pa.ChunkedArray:
    """Whether an issue was found open now, or before for any contact of the account."""
    contacts = decisions["account_contacts"].combine_chunks()
    of_row = pc.list_parent_indices(contacts)
    rows = pc.unique(of_row.filter(pc.is_in(pc.list_flatten(contacts), value_set=flagged)))
    before = pc.is_in(pa.array(range(decisions.num_rows), pa.int64()), value_set=rows.cast(pa.int64()))
    return pc.or_(pa.chunked_array([before]), open_now(decisions).combine_chunks())


def _count(which: pa.ChunkedArray) -> int:
    return int(pc.sum(which).as_py() or 0)
