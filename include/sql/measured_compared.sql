-- Purpose     who was assigned to treatment or to the holdout in a week, and how many of them came back.
-- Parameters  $reactivated_days whole number, $now instant
-- Tables      assigned, bought (ledger/compared.py)
-- Grain       one row per (week, held_out); weeks by their Monday (UTC), ordered by these
-- Why         intention to treat: both groups are counted from the moment chance divided them, written to or not. A clock
--             that began with the first message would have no beginning in the holdout. A cancelled purchase is none.
WITH purchase AS (
    SELECT customer_id, occurred_at
    FROM bought
    WHERE kind <> 'cancelled'
        AND event_id NOT IN (SELECT about FROM bought WHERE kind = 'cancelled' AND about IS NOT NULL)
),
returned AS (
    SELECT DISTINCT customer_id
    FROM assigned JOIN purchase USING (customer_id)
    WHERE occurred_at > assigned_at AND occurred_at <= least($now, assigned_at + to_days($reactivated_days))
)
SELECT
    date_trunc('week', assigned_at)::DATE AS week,
    held_out,
    count(*) AS assigned,
    count(*) FILTER (begun) AS begun,
    count(*) FILTER (customer_id IN (SELECT customer_id FROM returned)) AS returned,
    count(*) FILTER (assigned_at + to_days($reactivated_days) > $now) AS unfinished
FROM assigned
GROUP BY week, held_out
ORDER BY week, held_out
