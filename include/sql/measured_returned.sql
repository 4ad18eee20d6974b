-- Purpose     the reactivating purchases, for what brought them about.
-- Parameters  none
-- Tables      people (include/sql/measured_people.sql), told (ledger/measured.py)
-- Grain       one row per enrolment that came back, numbered from 0; ordered by that number
-- Why         attribution counts in whole numbers: microseconds, and a number instead of an id.
SELECT
    row_number() OVER (ORDER BY people.enrolment_id) - 1 AS number,
    people.enrolment_id,
    epoch_us(people.reactivated_at) AS at,
    told.amount,
    told.currency
FROM people JOIN told ON told.event_id = people.reactivating_event
ORDER BY number
