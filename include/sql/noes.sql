-- Purpose: every permanent no a source states about the people just asked for, per address, ready to be committed.
-- Parameters: $brand text, the brand that asks; $channels list of texts, the channels it writes on.
-- Grain: one row per (address_key, brand, channel, reason), the earliest statement of it; ordered by these.
-- Why so: a no about a customer holds for each address of theirs, a no about an address holds for that address. A
--   withdrawn consent is a no as long as no later grant follows it, and while none stands for another of the channels:
--   who left one channel and stays on another chose so, and the permission of the one he left is gone anyway. Everything
--   else is a no on every channel. Free text of the source (who said so) is not carried over.
WITH address AS (
    SELECT customer_id, email_key AS address_key FROM contacts WHERE email_key IS NOT NULL
    UNION
    SELECT customer_id, phone_key FROM contacts WHERE phone_key IS NOT NULL
),
stated AS (
    SELECT customer_id, address_key, coalesce(brand, '*') AS brand, coalesce(channel, '*') AS channel, reason,
        'suppressions' AS source, occurred_at
    FROM suppressions
    UNION ALL
    SELECT customer_id, NULL, brand, '*', 'objection', 'consents', occurred_at
    FROM consents
    WHERE state = 'objected'
    UNION ALL
    SELECT customer_id, NULL, brand, channel, 'opt_out', 'consents', occurred_at
    FROM consents AS withdrawn
    WHERE state = 'withdrawn' AND list_contains($channels::VARCHAR[], channel) AND NOT EXISTS (
        FROM consents AS granted
        WHERE granted.customer_id = withdrawn.customer_id AND granted.channel = withdrawn.channel
            AND granted.state = 'granted' AND granted.occurred_at > withdrawn.occurred_at
    ) AND NOT EXISTS (
        FROM consents AS elsewhere
        WHERE elsewhere.customer_id = withdrawn.customer_id AND elsewhere.channel <> withdrawn.channel
            AND list_contains($channels::VARCHAR[], elsewhere.channel) AND elsewhere.state = 'granted'
            AND NOT EXISTS (
                FROM consents AS later
                WHERE later.customer_id = elsewhere.customer_id AND later.channel = elsewhere.channel
                    AND later.state = 'withdrawn' AND later.occurred_at >= elsewhere.occurred_at
            )
    )
    UNION ALL
    SELECT customer_id, NULL, $brand, '*', 'complaint', 'engagements', last_complaint_at
    FROM engagement_summary
    WHERE last_complaint_at IS NOT NULL
    UNION ALL
    SELECT customer_id, NULL, $brand, '*', 'opt_out', 'engagements', last_unsubscribe_at
    FROM engagement_summary
    WHERE last_unsubscribe_at IS NOT NULL
),
told AS (
    SELECT address_key, brand, channel, reason, source, occurred_at FROM stated WHERE address_key IS NOT NULL
    UNION ALL
    SELECT address.address_key, brand, channel, reason, source, occurred_at
    FROM stated JOIN address USING (customer_id)
)
SELECT address_key, brand, channel, reason, min(source) AS source, min(occurred_at) AS occurred_at
FROM told
WHERE brand IN ($brand, '*')
GROUP BY address_key, brand, channel, reason
ORDER BY address_key, brand, channel, reason
