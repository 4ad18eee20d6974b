-- Purpose     what the people who came back have bought since: lifetime value and retained revenue.
-- Parameters  $value_days, $retained_days (whole numbers)
-- Tables      people (include/sql/measured_people.sql), told (ledger/measured.py)
-- Grain       one row per (window, currency); ordered by these
-- Why         a cancelled purchase is none, the reactivating purchase counts, and a purchase in the windows of two
--             enrolments counts once. Money of different currencies is never added. A purchase whose amount nobody told
--             adds nothing, and is counted apart.
WITH purchase AS (
    SELECT event_id, customer_id, occurred_at, amount, currency
    FROM told
    WHERE kind IN ('order', 'booking', 'subscription')
        AND event_id NOT IN (SELECT about FROM told WHERE kind = 'cancelled' AND about IS NOT NULL)
),
counted AS (
    SELECT DISTINCT days.name AS "window", event_id, customer_id, amount, currency
    FROM people
    JOIN purchase USING (customer_id)
    CROSS JOIN (VALUES ('value', $value_days), ('retained', $retained_days)) AS days(name, length)
    WHERE occurred_at >= reactivated_at AND occurred_at <= reactivated_at + to_days(days.length)
)
SELECT "window", currency, sum(amount) AS amount, count(DISTINCT customer_id) AS customers,
    count(*) FILTER (amount IS NULL) AS unpriced
FROM counted
GROUP BY "window", currency
ORDER BY "window", currency NULLS LAST
