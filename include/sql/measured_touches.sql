-- Purpose     which message brought people back: the last one within the attribution window before the purchase.
-- Parameters  none
-- Tables      people (include/sql/measured_people.sql), told (ledger/measured.py)
-- Grain       one row per (touch_number, channel, currency), empty numbers for purchases no message is credited with
-- Why         money of different currencies is never added.
SELECT touch_number, people.channel, currency, count(*) AS reactivations, sum(amount) AS revenue
FROM people JOIN told ON told.event_id = people.reactivating_event
GROUP BY touch_number, people.channel, currency
ORDER BY touch_number NULLS LAST, people.channel NULLS LAST, currency NULLS LAST
