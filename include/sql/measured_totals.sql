-- Purpose     how many people were written to, and what they did.
-- Parameters  $now instant, $value_days whole number
-- Tables      people (include/sql/measured_people.sql)
-- Grain       one row
-- Why         people are counted, not enrolments: whoever was written to twice is one person.
SELECT
    count(DISTINCT customer_id) AS written_to,
    count(DISTINCT customer_id) FILTER (delivered) AS delivered_to,
    count(DISTINCT customer_id) FILTER (bounced) AS bounced,
    count(DISTINCT customer_id) FILTER (responded) AS responded,
    count(DISTINCT customer_id) FILTER (reactivated_at IS NOT NULL) AS reactivated,
    count(DISTINCT customer_id) FILTER (reactivated_at + to_days($value_days) <= $now) AS seen_for_long,
    count(DISTINCT customer_id) FILTER (repeat_purchases > 0) AS bought_again,
    coalesce(sum(repeat_purchases), 0)::BIGINT AS repeat_purchases,
    count(DISTINCT customer_id) FILTER (unsubscribed) AS unsubscribed,
    count(DISTINCT customer_id) FILTER (complained) AS complained
FROM people
