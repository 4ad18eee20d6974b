-- Purpose     what came of each enrolment that was written to.
-- Parameters  $response_days, $reactivated_days, $retained_days (whole numbers)
-- Tables      sent, told (ledger/measured.py)
-- Grain       one row per enrolment with an accepted message; ordered by enrolment_id
-- Why         a cancelled purchase is none. A message that came back undelivered was not delivered, and only what was
--             delivered can be answered. Events are joined by customer, not by the enrolment they were recorded with: an
--             event is recorded once, and may matter to two playbooks.
WITH purchase AS (
    SELECT event_id, customer_id, occurred_at
    FROM told
    WHERE kind IN ('order', 'booking', 'subscription')
        AND event_id NOT IN (SELECT about FROM told WHERE kind = 'cancelled' AND about IS NOT NULL)
),
message AS (
    SELECT *, touch_id NOT IN (SELECT touch_id FROM told WHERE kind = 'bounce' AND touch_id IS NOT NULL) AS delivered
    FROM sent
),
journey AS (
    SELECT enrolment_id, customer_id, min(sent_at) AS first_sent_at, bool_or(delivered) AS delivered,
        bool_or(NOT delivered) AS bounced
    FROM message
    GROUP BY enrolment_id, customer_id
),
answer AS (
    SELECT customer_id, occurred_at
    FROM told
    WHERE kind IN ('click', 'reply', 'visit', 'browse', 'cart_add', 'cart_abandon', 'login')
    UNION ALL
    SELECT customer_id, occurred_at FROM purchase
),
responded AS (
    SELECT DISTINCT enrolment_id
    FROM message JOIN answer USING (customer_id)
    WHERE delivered AND occurred_at > sent_at AND occurred_at <= sent_at + to_days($response_days)
),
returned AS (
    SELECT enrolment_id, customer_id, min({'at': occurred_at, 'event_id': event_id}) AS bought
    FROM journey JOIN purchase USING (customer_id)
    WHERE occurred_at > first_sent_at AND occurred_at <= first_sent_at + to_days($reactivated_days)
    GROUP BY enrolment_id, customer_id
),
repeated AS (
    SELECT enrolment_id, count(*) AS purchases
    FROM returned JOIN purchase USING (customer_id)
    WHERE occurred_at > bought.at AND occurred_at <= bought.at + to_days($retained_days)
    GROUP BY enrolment_id
),
refused AS (
    SELECT enrolment_id, bool_or(kind IN ('unsubscribe', 'opt_out', 'objection')) AS unsubscribed,
        bool_or(kind = 'complaint') AS complained
    FROM journey JOIN told USING (customer_id)
    WHERE occurred_at > first_sent_at
    GROUP BY enrolment_id
)
SELECT
    enrolment_id,
    customer_id,
    first_sent_at,
    journey.delivered,
    journey.bounced,
    responded.enrolment_id IS NOT NULL AS responded,
    bought.at AS reactivated_at,
    bought.event_id AS reactivating_event,
    date_diff('second', first_sent_at, bought.at) // 86400 AS days_to_reactivate,
    coalesce(repeated.purchases, 0) AS repeat_purchases,
    coalesce(refused.unsubscribed, false) AS unsubscribed,
    coalesce(refused.complained, false) AS complained
FROM journey
LEFT JOIN responded USING (enrolment_id)
LEFT JOIN (SELECT enrolment_id, bought FROM returned) USING (enrolment_id)
LEFT JOIN repeated USING (enrolment_id)
LEFT JOIN refused USING (enrolment_id)
ORDER BY enrolment_id
