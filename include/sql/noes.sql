-- Purpose: every permanent no that was told about the people just asked for, one by one, per address.
-- Parameters: $brand text, the brand that asks; $channels list of texts, the channels it writes on; $purposes list of
--   texts, what a win-back message is sent for.
-- Tables beside the snapshot's: told (rows of include/sql/events.sql), occupied (customer_id, address_key: the addresses
--   the ledger has for those asked about), written (customer_id, touch_id, address_key: the touches that bounces are told of).
-- Grain: one row per (event_id, address_key); ordered by these. event_id names the source's own record.
-- Why so: a no about a customer holds for each address of theirs, those we wrote to included, a no about an address
--   holds for that address. A withdrawn consent is a no as long as no later grant follows it, and while no consent
--   stands for another of the channels: who left one channel and stays on another chose so, and the permission of the
--   one he left is gone anyway. A grant to another brand or for another purpose undoes no withdrawal, nor does a bare
--   flag of the CRM: it is dated by its contact's row, and nobody need have said it. Everything else is a no on every
--   channel. A message of ours that came back says of exactly the address it went to that it is none, unless the same
--   person showed later that a message arrived; what came back of other systems' messages may be of an address long
--   corrected, and is left to the gate `reachable`. Free text of the source (who said so) is not carried over.
WITH address AS (
    SELECT customer_id, email_key AS address_key FROM contacts WHERE email_key IS NOT NULL
    UNION
    SELECT customer_id, phone_key FROM contacts WHERE phone_key IS NOT NULL
    UNION
    SELECT customer_id, address_key FROM occupied
),
given AS (
    SELECT customer_id, channel, occurred_at
    FROM consents
    WHERE state = 'granted' AND brand IN ($brand, '*') AND basis <> 'flag_only'
        AND list_contains($purposes::VARCHAR[], purpose)
),
stated AS (
    SELECT 'suppressions:' || suppression_id AS event_id, customer_id, address_key, coalesce(brand, '*') AS brand,
        coalesce(channel, '*') AS channel, reason, 'suppressions' AS source, occurred_at
    FROM suppressions
    UNION ALL
    SELECT 'consents:' || record_id, customer_id, NULL, brand, '*', 'objection', 'consents', occurred_at
    FROM consents
    WHERE state = 'objected'
    UNION ALL
    SELECT 'consents:' || record_id, customer_id, NULL, brand, channel, 'opt_out', 'consents', occurred_at
    FROM consents AS withdrawn
    WHERE state = 'withdrawn' AND list_contains($channels::VARCHAR[], channel) AND NOT EXISTS (
        FROM given
        WHERE given.customer_id = withdrawn.customer_id AND given.channel = withdrawn.channel
            AND given.occurred_at > withdrawn.occurred_at
    ) AND NOT EXISTS (
        FROM given AS elsewhere
        WHERE elsewhere.customer_id = withdrawn.customer_id AND elsewhere.channel <> withdrawn.channel
            AND list_contains($channels::VARCHAR[], elsewhere.channel)
            AND NOT EXISTS (
                FROM consents AS later
                WHERE later.customer_id = elsewhere.customer_id AND later.channel = elsewhere.channel
                    AND later.brand IN ($brand, '*') AND later.state = 'withdrawn'
                    AND later.occurred_at >= elsewhere.occurred_at
            )
    )
    UNION ALL
    SELECT event_id, customer_id, NULL, $brand, '*', CASE kind WHEN 'complaint' THEN 'complaint' ELSE 'opt_out' END,
        'engagements', occurred_at
    FROM told
    WHERE kind IN ('complaint', 'unsubscribe')
    UNION ALL
    -- of those who share an address with somebody asked about, only the summary is known
    SELECT 'engagements:' || customer_id || ':complaint', customer_id, NULL, $brand, '*', 'complaint', 'engagements',
        last_complaint_at
    FROM engagement_summary
    WHERE last_complaint_at IS NOT NULL
        AND customer_id NOT IN (SELECT customer_id FROM told WHERE kind = 'complaint')
    UNION ALL
    SELECT 'engagements:' || customer_id || ':unsubscribe', customer_id, NULL, $brand, '*', 'opt_out', 'engagements',
        last_unsubscribe_at
    FROM engagement_summary
    WHERE last_unsubscribe_at IS NOT NULL
        AND customer_id NOT IN (SELECT customer_id FROM told WHERE kind = 'unsubscribe')
    UNION ALL
    SELECT event_id, NULL, written.address_key, '*', '*', 'hard_bounce', 'engagements', occurred_at
    FROM told AS bounce JOIN written USING (customer_id, touch_id)
    WHERE kind = 'bounce' AND NOT EXISTS (
        FROM told AS arrived
        WHERE arrived.customer_id = bounce.customer_id AND arrived.kind IN ('open', 'click', 'reply')
            AND arrived.occurred_at > bounce.occurred_at
    )
),
of_addresses AS (
    SELECT event_id, address_key, brand, channel, reason, source, occurred_at FROM stated WHERE address_key IS NOT NULL
    UNION
    SELECT event_id, address.address_key, brand, channel, reason, source, occurred_at
    FROM stated JOIN address USING (customer_id)
)
SELECT event_id, address_key, brand, channel, reason, source, occurred_at
FROM of_addresses
WHERE brand IN ($brand, '*')
ORDER BY event_id, address_key
