-- Purpose: what a run decided about the customers of some touches, as far as a draft depends on it.
-- Parameters: none.
-- Grain: one row per customer of due who has a decision; ordered by customer_id.
-- Tables beside the run's: due (touches).
-- Why so: a run has a decision for every candidate, and only those of the touches at hand are wanted; the file is read
--   through, never held.
SELECT
    decisions.customer_id,
    decisions.decision,
    decisions.reason_codes,
    decisions.product_affinity,
    decisions.email_basis,
    decisions.sms_basis,
    decisions.email_records,
    decisions.sms_records,
    decisions.gate_reachable,
    decisions.last_purchase_at,
    decisions.renewal_at,
    {'affinity_source': decisions.evidence.affinity_source,
     'open_case_ids': decisions.evidence.open_case_ids} AS evidence
FROM decisions
SEMI JOIN due ON due.customer_id = decisions.customer_id
ORDER BY decisions.customer_id
