-- Purpose     engagements condensed to what the decisions ask of them.
-- Parameters  $as_of; table engagements: the good rows, one per event_id
-- Grain       one customer with at least one engagement that counts
-- Why         what shows interest counts up to the as-of; what forbids (bounce, complaint, unsubscribe, and messages
--             that fill a cap) counts whenever it is known. A message is often both sent and delivered, so the larger of
--             the two counts is taken; one without a channel may be either, so it fills both caps. Every choice of "the
--             last" or "the most frequent" has a tie broken to the end, so that threads do not show.
WITH told AS (
    SELECT
        customer_id, event_id, occurred_at, kind, category, objection,
        occurred_at <= $as_of AS known,
        occurred_at <= $as_of AND occurred_at > CAST($as_of AS TIMESTAMPTZ) - INTERVAL 180 DAY AS recent,
        occurred_at > CAST($as_of AS TIMESTAMPTZ) - INTERVAL 7 DAY AS within_7d,
        occurred_at > CAST($as_of AS TIMESTAMPTZ) - INTERVAL 48 HOUR AS within_48h,
        kind IN ('sent', 'delivered') AND coalesce(channel, 'email') = 'email' AS is_email,
        kind IN ('sent', 'delivered') AND coalesce(channel, 'sms') = 'sms' AS is_sms
    FROM engagements
    WHERE occurred_at <= $as_of OR kind IN ('bounce', 'complaint', 'unsubscribe', 'sent', 'delivered')
), condensed AS (
    SELECT
        customer_id,
        max(occurred_at) FILTER (known AND kind = 'open') AS last_open_at,
        max(occurred_at) FILTER (known AND kind = 'click') AS last_click_at,
        max(occurred_at) FILTER (known AND kind = 'visit') AS last_visit_at,
        max(occurred_at) FILTER (known AND kind = 'login') AS last_login_at,
        max(occurred_at) FILTER (known AND kind = 'usage') AS last_usage_at,
        max(occurred_at) FILTER (known AND kind = 'reply') AS last_reply_at,
        max(occurred_at) FILTER (known AND kind = 'browse') AS last_browse_at,
        max(occurred_at) FILTER (known AND kind = 'cart_abandon') AS last_cart_abandon_at,
        count(*) FILTER (recent AND kind = 'open') AS opens_180d,
        count(*) FILTER (recent AND kind = 'click') AS clicks_180d,
        greatest(count(*) FILTER (recent AND kind = 'sent'), count(*) FILTER (recent AND kind = 'delivered'))
            AS sent_180d,
        max(occurred_at) FILTER (is_email) AS last_email_sent_at,
        max(occurred_at) FILTER (is_sms) AS last_sms_sent_at,
        greatest(count(*) FILTER (within_7d AND is_sms AND kind = 'sent'),
            count(*) FILTER (within_7d AND is_sms AND kind = 'delivered')) AS sms_sent_7d,
        greatest(count(*) FILTER (within_48h AND kind = 'sent'), count(*) FILTER (within_48h AND kind = 'delivered'))
            AS sent_48h,
        count(*) FILTER (kind = 'bounce') AS bounces,
        max(occurred_at) FILTER (kind = 'bounce') AS last_bounce_at,
        max(occurred_at) FILTER (kind = 'complaint') AS last_complaint_at,
        max(occurred_at) FILTER (kind = 'unsubscribe') AS last_unsubscribe_at,
        struct_extract(max({'at': occurred_at, 'id': event_id, 'category': category})
            FILTER (known AND kind = 'cart_abandon' AND category IS NOT NULL), 'category') AS cart_category,
        struct_extract(max({'at': occurred_at, 'id': event_id, 'objection': objection})
            FILTER (known AND objection IS NOT NULL), 'objection') AS last_objection
    FROM told
    GROUP BY customer_id
), browsed AS (
    SELECT
        customer_id,
        struct_extract(min({'n': -n, 'at': -epoch_us("at"), 'category': category}), 'category') AS browse_category
    FROM (
        SELECT customer_id, category, count(*) AS n, max(occurred_at) AS "at"
        FROM told
        WHERE known AND kind = 'browse' AND category IS NOT NULL
        GROUP BY customer_id, category
    )
    GROUP BY customer_id
)
SELECT *
FROM condensed
LEFT JOIN browsed USING (customer_id)
ORDER BY customer_id
