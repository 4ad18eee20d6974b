-- Purpose     engagements condensed to what the decisions ask of them.
-- Parameters  $as_of, $since_180d, $since_7d, $since_48h: microseconds since 1970; table engagements: the good rows, one
--             per event_id, instants in microseconds since 1970
-- Grain       one customer with at least one engagement that counts
-- Why         twenty million rows stay where they are and one per customer crosses. This one text runs in DuckDB and, put
--             into their dialects, in PostgreSQL and SQLite: whole numbers only, made instants after they arrived.
--             What shows interest counts up to the as-of; what forbids (bounce, complaint, unsubscribe, and messages that
--             fill a cap) counts whenever it is known; a kind that shows interest is told up to the as-of only, so that it
--             is not asked again. A message is often both sent and delivered, so the larger of the
--             two counts is taken; one without a channel may be either, so it fills both caps. Every choice of "the
--             last" or "the most frequent" has a tie broken to the end, so that threads do not show.
WITH told AS NOT MATERIALIZED (
    SELECT
        customer_id, event_id, occurred_at, kind, category, objection,
        occurred_at <= $as_of AS known,
        occurred_at <= $as_of AND occurred_at > $since_180d AS recent,
        occurred_at > $since_7d AS within_7d,
        occurred_at > $since_48h AS within_48h,
        kind IN ('sent', 'delivered') AND coalesce(channel, 'email') = 'email' AS is_email,
        kind IN ('sent', 'delivered') AND coalesce(channel, 'sms') = 'sms' AS is_sms
    FROM engagements
    WHERE occurred_at <= $as_of OR kind IN ('bounce', 'complaint', 'unsubscribe', 'sent', 'delivered')
), condensed AS (
    SELECT
        customer_id,
        max(occurred_at) FILTER (WHERE kind = 'open') AS last_open_at,
        max(occurred_at) FILTER (WHERE kind = 'click') AS last_click_at,
        max(occurred_at) FILTER (WHERE kind = 'visit') AS last_visit_at,
        max(occurred_at) FILTER (WHERE kind = 'login') AS last_login_at,
        max(occurred_at) FILTER (WHERE kind = 'usage') AS last_usage_at,
        max(occurred_at) FILTER (WHERE kind = 'reply') AS last_reply_at,
        max(occurred_at) FILTER (WHERE kind = 'browse') AS last_browse_at,
        max(occurred_at) FILTER (WHERE kind = 'cart_abandon') AS last_cart_abandon_at,
        count(*) FILTER (WHERE recent AND kind = 'open') AS opens_180d,
        count(*) FILTER (WHERE recent AND kind = 'click') AS clicks_180d,
        count(*) FILTER (WHERE recent AND kind = 'sent') AS sent_180d,
        count(*) FILTER (WHERE recent AND kind = 'delivered') AS delivered_180d,
        max(occurred_at) FILTER (WHERE is_email) AS last_email_sent_at,
        max(occurred_at) FILTER (WHERE is_sms) AS last_sms_sent_at,
        count(*) FILTER (WHERE within_7d AND is_sms AND kind = 'sent') AS sms_sent_7d,
        count(*) FILTER (WHERE within_7d AND is_sms AND kind = 'delivered') AS sms_delivered_7d,
        count(*) FILTER (WHERE within_48h AND kind = 'sent') AS sent_48h,
        count(*) FILTER (WHERE within_48h AND kind = 'delivered') AS delivered_48h,
        count(*) FILTER (WHERE kind = 'bounce') AS bounces,
        max(occurred_at) FILTER (WHERE kind = 'bounce') AS last_bounce_at,
        max(occurred_at) FILTER (WHERE kind = 'complaint') AS last_complaint_at,
        max(occurred_at) FILTER (WHERE kind = 'unsubscribe') AS last_unsubscribe_at
    FROM told
    GROUP BY customer_id
), noted AS MATERIALIZED (
    SELECT customer_id, event_id, occurred_at, kind, category, objection, known
    FROM told
    WHERE (kind IN ('browse', 'cart_abandon') AND category IS NOT NULL) OR objection IS NOT NULL
), abandoned AS (
    SELECT customer_id, category AS cart_category
    FROM (
        SELECT
            customer_id,
            category,
            row_number() OVER (PARTITION BY customer_id ORDER BY occurred_at DESC, event_id DESC) AS place
        FROM noted
        WHERE kind = 'cart_abandon' AND category IS NOT NULL
    ) AS ranked
    WHERE place = 1
), objected AS (
    SELECT customer_id, objection AS last_objection
    FROM (
        SELECT
            customer_id,
            objection,
            row_number() OVER (PARTITION BY customer_id ORDER BY occurred_at DESC, event_id DESC) AS place
        FROM noted
        WHERE known AND objection IS NOT NULL
    ) AS ranked
    WHERE place = 1
), browsed AS (
    SELECT customer_id, category AS browse_category
    FROM (
        SELECT
            customer_id,
            category,
            row_number() OVER (PARTITION BY customer_id ORDER BY n DESC, latest DESC, category) AS place
        FROM (
            SELECT customer_id, category, count(*) AS n, max(occurred_at) AS latest
            FROM noted
            WHERE kind = 'browse' AND category IS NOT NULL
            GROUP BY customer_id, category
        ) AS per_category
    ) AS ranked
    WHERE place = 1
)
SELECT
    condensed.customer_id, last_open_at, last_click_at, last_visit_at, last_login_at, last_usage_at, last_reply_at,
    last_browse_at, last_cart_abandon_at, opens_180d, clicks_180d,
    CASE WHEN sent_180d > delivered_180d THEN sent_180d ELSE delivered_180d END AS sent_180d,
    last_email_sent_at, last_sms_sent_at,
    CASE WHEN sms_sent_7d > sms_delivered_7d THEN sms_sent_7d ELSE sms_delivered_7d END AS sms_sent_7d,
    CASE WHEN sent_48h > delivered_48h THEN sent_48h ELSE delivered_48h END AS sent_48h,
    bounces, last_bounce_at, last_complaint_at, last_unsubscribe_at, browse_category, cart_category, last_objection
FROM condensed
LEFT JOIN browsed ON browsed.customer_id = condensed.customer_id
LEFT JOIN abandoned ON abandoned.customer_id = condensed.customer_id
LEFT JOIN objected ON objected.customer_id = condensed.customer_id
