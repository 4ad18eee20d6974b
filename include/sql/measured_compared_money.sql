-- Purpose     what those assigned to treatment and to the holdout spent within the reactivation window.
-- Parameters  $reactivated_days whole number, $now instant
-- Tables      assigned, bought (ledger/compared.py)
-- Grain       one row per (held_out, currency); ordered by these
-- Why         all purchases of the window count, in both groups: what treatment added is the difference. Money of
--             different currencies is never added.
SELECT held_out, currency, sum(amount) AS amount, count(*) FILTER (amount IS NULL) AS unpriced
FROM assigned JOIN bought USING (customer_id)
WHERE kind <> 'cancelled'
    AND event_id NOT IN (SELECT about FROM bought WHERE kind = 'cancelled' AND about IS NOT NULL)
    AND occurred_at > assigned_at AND occurred_at <= least($now, assigned_at + to_days($reactivated_days))
GROUP BY held_out, currency
ORDER BY held_out, currency NULLS LAST
