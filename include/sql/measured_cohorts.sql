-- Purpose     of the candidates first seen dormant in a week, how many came back after a message.
-- Parameters  none
-- Tables      first_decided (ledger/measured.py), people (include/sql/measured_people.sql)
-- Grain       one row per week, by its Monday (UTC)
-- Why         the denominator is every dormant candidate, those suppressed, held and held out included: a rate over the
--             few who were written to would flatter.
SELECT
    date_trunc('week', first_at)::DATE AS week,
    count(*) AS candidates,
    count(*) FILTER (customer_id IN (SELECT customer_id FROM people WHERE reactivated_at IS NOT NULL)) AS reactivated
FROM first_decided
GROUP BY week
ORDER BY week
