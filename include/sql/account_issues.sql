-- Purpose: the accounts of a run with an issue that is open, for the issue-resolution queue.
-- Parameters: none.
-- Grain: one row per account with an open case; the one that waits longest first.
-- Tables beside the snapshot's: decisions (of a playbook about accounts).
-- Why so: what is open is what the gate found open, and not the table of cases anew: the page shows what was decided on.
--   Ties are broken by ids, so that a page and the next never show the same account.
WITH found AS (
    SELECT account_id, owner_id, priority, path, unnest(evidence.open_case_ids) AS case_id FROM decisions
)
SELECT
    found.account_id,
    found.owner_id,
    found.priority,
    found.path,
    list(found.case_id ORDER BY cases.opened_at, found.case_id) AS case_ids,
    list(cases.kind ORDER BY cases.opened_at, found.case_id) AS kinds,
    min(cases.opened_at) AS opened_at
FROM found
LEFT JOIN cases ON cases.case_id = found.case_id
GROUP BY found.account_id, found.owner_id, found.priority, found.path
ORDER BY opened_at NULLS LAST, account_id
