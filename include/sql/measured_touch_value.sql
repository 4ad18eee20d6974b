-- Purpose     of the enrolments that were active when a touch was due, how many came back, by whether chance had skipped it.
-- Parameters  $reactivated_days whole number, $now instant
-- Tables      drawn, bought (ledger/compared.py); touches (number, day: as the playbook declares them)
-- Grain       one row per (number, skipped); ordered by these
-- Why         intention to treat: chance drew at the enrolment, and a touch counts as drawn whatever became of its send. A
--             touch is due where it may go out at the earliest in either group: waits are counted in calendar days, and the
--             first of them is over within a day. What comes before chance made a difference cannot tell the groups apart.
WITH purchase AS (
    SELECT customer_id, occurred_at
    FROM bought
    WHERE kind <> 'cancelled'
        AND event_id NOT IN (SELECT about FROM bought WHERE kind = 'cancelled' AND about IS NOT NULL)
),
due AS (
    SELECT
        d.enrolment_id,
        d.customer_id,
        d.ended_at,
        t.number,
        list_contains(d.skipped, t.number::VARCHAR) AS skipped,
        d.enrolled_at + to_days(greatest(t.day - 1, 0)::INTEGER) AS due_at
    FROM drawn AS d CROSS JOIN touches AS t
),
active AS (
    SELECT * FROM due WHERE due_at <= $now AND (ended_at IS NULL OR ended_at > due_at)
),
returned AS (
    SELECT DISTINCT enrolment_id, number
    FROM active JOIN purchase USING (customer_id)
    WHERE occurred_at > due_at AND occurred_at <= least($now, due_at + to_days($reactivated_days))
)
SELECT
    number,
    skipped,
    count(*) AS assigned,
    count(r.enrolment_id) AS returned,
    count(*) FILTER (due_at + to_days($reactivated_days) > $now) AS unfinished
FROM active LEFT JOIN returned AS r USING (enrolment_id, number)
GROUP BY number, skipped
ORDER BY number, skipped
