"""The CRM the figures are taken on: a sample of real size, in which four tenths of the customers may be enrolled.

The sample company has few permissions and active customers on purpose; here everybody has given a permission, and the
playbook's windows are short, so that plan and ledger are as full as the figure says and the intake alone limits them.
Everything else, the dirty rows too, is as ``reactivation sample`` makes it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from reactivation import paths
from reactivation.contract.digests import digest
from reactivation.sample import generate

#: A Tuesday, 11:00 in London: the clock of every figure.
NOW = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
AS_OF = NOW - timedelta(hours=1)
SEED = 7
PLAYBOOK = "customer_reactivation"

_MADE = "bench.json"
#: What the figures' playbook has instead of what is declared.
_CHANGED = {
    "windows: {household: 90, care_plan: 60, business: 120}": "windows: {household: 40, care_plan: 25, business: 50}",
    "review_capacity_per_owner: 200": "review_capacity_per_owner: 100000000",
    "horizon_days: 14": "horizon_days: 3",
}
_PERMITTED = """
COPY (
    SELECT
        'con-' || customer_id AS record_id, customer_id, 'email' AS channel, 'marketing' AS purpose, 'granted' AS state,
        CASE country WHEN 'DE' THEN 'double_opt_in' ELSE 'express' END AS basis,
        $at::TIMESTAMPTZ - INTERVAL 200 DAY AS occurred_at, 'web_form' AS source, 'web form' AS method,
        'v3' AS disclosure_version, 'consent/' || customer_id AS evidence_ref, true AS affirmative_action,
        'harbour_finch' AS brand, 'harbour_finch' AS collected_by_brand, country AS jurisdiction,
        $at::TIMESTAMPTZ - INTERVAL 200 DAY AS confirmed_at, NULL::TIMESTAMPTZ AS event_date,
        []::VARCHAR[] AS conditions
    FROM read_parquet($contacts)
) TO '{target}' (FORMAT parquet)
"""


def crm(folder: Path, customers: int) -> Path:
    """The CRM of so many customers below ``folder``: the one there is, or a new one."""
    out = folder / f"crm-{customers}"
    wanted = {"customers": customers, "seed": SEED, "as_of": AS_OF.isoformat(), "permitted": digest(_PERMITTED)}
    made = out / _MADE
    if made.exists() and json.loads(made.read_text()) == wanted:
        return out
    generate(out, customers=customers, seed=SEED, as_of=AS_OF, format="parquet")
    permitted = out / "consents.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            _PERMITTED.format(target=str(permitted).replace("'", "''")),
            {"at": AS_OF, "contacts": str(out / "contacts.parquet")},
        )
    made.write_text(json.dumps(wanted))
    return out


def playbooks(folder: Path, enrolments: int) -> Path:
    """The playbook with so many enrolments a day, owners who can look at any number of messages, a horizon that only
    the first touches are in, and windows by which four customers in five are quiet: with every gate and the holdout
    as they are, a little more than four in ten may begin."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (paths.PLAYBOOKS / f"{PLAYBOOK}.yaml").read_text(encoding="utf-8")
    for declared, wanted in {**_CHANGED, "per_day: 200": f"per_day: {enrolments}"}.items():
        if text.count(declared) != 1:
            raise ValueError(f"{PLAYBOOK}.yaml has no {declared!r}, which the figures change; correct {__file__}")
        text = text.replace(declared, wanted)
    (folder / f"{PLAYBOOK}.yaml").write_text(text, encoding="utf-8")
    return folder


def tenant(folder: Path, enrolments: int) -> Path:
    """The tenant, whose domain may send as much as the playbook may begin: the ramp limits no figure."""
    text = paths.TENANT.read_text(encoding="utf-8")
    if text.count("daily_floor: 200") != 1:
        raise ValueError(f"tenant.yaml has no daily_floor of 200, which the figures change; correct {__file__}")
    made = folder / "tenant.yaml"
    made.write_text(text.replace("daily_floor: 200", f"daily_floor: {enrolments}"), encoding="utf-8")
    return made
