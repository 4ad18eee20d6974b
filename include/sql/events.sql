-- Purpose     what a few customers did since an instant: engagements and purchases, one by one.
-- Parameters  $since, $customers (a list of ids); tables typed_engagements, typed_purchases
-- Grain       one event
-- Why         what ends an enrolment must be seen within the hour, and a broken unsubscribe is still one: of a row that
--             says no, or may, whatever can be read counts, whenever it happened; of one whose kind cannot be read it is
--             only said that it is unreadable. A cancelled order or booking is told as its cancellation, which takes back
--             what was told before; a cancelled subscription was bought.
SELECT
    'engagements:' || event_id AS event_id,
    customer_id,
    occurred_at,
    kind,
    channel,
    touch_id,
    CAST(NULL AS VARCHAR) AS offer_code,
    CAST(NULL AS DECIMAL(18, 4)) AS amount,
    CAST(NULL AS VARCHAR) AS currency,
    CAST(NULL AS DECIMAL(18, 4)) AS discount,
    CAST(NULL AS VARCHAR) AS about
FROM typed_engagements
WHERE NOT bad
    AND customer_id IN (SELECT unnest($customers))
    AND (occurred_at > $since OR kind IN ('bounce', 'complaint', 'unsubscribe'))
UNION ALL
SELECT
    'engagements:' || coalesce(CASE WHEN is_id(event_id) THEN event_id END, 'broken:' || customer_id),
    customer_id,
    coalesce(min(occurred_at), $since),
    coalesce(min(kind) FILTER (kind IN ('bounce', 'complaint', 'unsubscribe')), 'unreadable'),
    min(channel),
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
FROM typed_engagements
WHERE bad
    AND customer_id IN (SELECT unnest($customers))
    AND coalesce(kind NOT IN ('open', 'click', 'visit', 'login', 'usage', 'reply', 'browse', 'cart_add', 'cart_abandon',
        'sent', 'delivered'), true)
GROUP BY 1, customer_id
UNION ALL
SELECT 'purchases:' || purchase_id, customer_id, occurred_at, kind, NULL, NULL, offer_code, amount, currency, discount, NULL
FROM typed_purchases
WHERE NOT bad
    AND customer_id IN (SELECT unnest($customers))
    AND occurred_at > $since
    AND (kind = 'subscription' OR cancelled_at IS NULL)
UNION ALL
SELECT 'cancelled:' || purchase_id, customer_id, cancelled_at, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL,
    'purchases:' || purchase_id
FROM typed_purchases
WHERE NOT bad
    AND customer_id IN (SELECT unnest($customers))
    AND occurred_at > $since
    AND kind <> 'subscription' AND cancelled_at IS NOT NULL
ORDER BY occurred_at, event_id, customer_id
