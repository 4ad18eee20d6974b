-- Purpose     by which channels people were reached, one after the other, and how many of them came back.
-- Parameters  $now instant, $reactivated_days whole number
-- Tables      people (include/sql/measured_people.sql), sent, told (ledger/measured.py)
-- Grain       one row per sequence of channels; ordered by it
-- Why         enrolments whose window is over, back or not: those who come back are known sooner than those who do not,
--             and would be too many among the young. What was sent after the purchase had no part in it, and a message
--             that came back undelivered reached nobody. A channel that follows itself is named once: whether people
--             come back by a first-order chain is the same, and there are fewer sequences.
WITH message AS (
    SELECT enrolment_id, touch_id, sent_at, channel, reactivated_at IS NOT NULL AS returned,
        lag(channel) OVER (PARTITION BY enrolment_id ORDER BY sent_at, touch_id) AS before
    FROM sent JOIN people USING (enrolment_id)
    WHERE first_sent_at + to_days($reactivated_days) <= $now
        AND sent_at < coalesce(reactivated_at, first_sent_at + to_days($reactivated_days))
        AND touch_id NOT IN (SELECT touch_id FROM told WHERE kind = 'bounce' AND touch_id IS NOT NULL)
),
journey AS (
    SELECT enrolment_id, returned, list(channel ORDER BY sent_at, touch_id) AS channels
    FROM message
    WHERE channel IS DISTINCT FROM before
    GROUP BY enrolment_id, returned
)
SELECT channels, count(*) FILTER (returned) AS returned, count(*) FILTER (NOT returned) AS lost
FROM journey
GROUP BY channels
ORDER BY channels
