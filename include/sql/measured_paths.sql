-- Purpose     the delivered messages of everybody who came back, which may have brought it about.
-- Parameters  none
-- Tables      returned (include/sql/measured_returned.sql), sent, told (ledger/measured.py)
-- Grain       one row per delivered message; ordered by enrolment, then as sent
-- Why         a message that came back undelivered brought nobody back. Of messages sent at one moment the later is the
--             one with the larger id, so that asking again gives the same.
SELECT
    returned.number AS returned,
    epoch_us(sent.sent_at) AS at,
    sent.number AS touch_number,
    sent.channel
FROM sent JOIN returned USING (enrolment_id)
WHERE touch_id NOT IN (SELECT touch_id FROM told WHERE kind = 'bounce' AND touch_id IS NOT NULL)
ORDER BY returned.number, sent.sent_at, touch_id
