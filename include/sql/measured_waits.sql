-- Purpose     how long each enrolment that was written to waited for a purchase, or has been waiting.
-- Parameters  $now instant, $reactivated_days whole number
-- Tables      people (include/sql/measured_people.sql)
-- Grain       one row per (whole days, returned); ordered by these
-- Why         who has not come back is censored at the last moment they were seen: now, or the end of the window, after
--             which a purchase is none of ours. Leaving them out would make every campaign look faster than it is.
--             Enrolments are counted, since each begins its own clock.
SELECT
    coalesce(
        days_to_reactivate,
        date_diff('second', first_sent_at, least($now, first_sent_at + to_days($reactivated_days))) // 86400
    ) AS days,
    reactivated_at IS NOT NULL AS returned,
    count(*) AS enrolments
FROM people
GROUP BY days, returned
ORDER BY days, returned
