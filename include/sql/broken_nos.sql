-- Purpose     whom a broken no is about, as far as it could be read: ids and address keys.
-- Parameters  none; tables broken, emails, phones, suppressed_addresses, typed_contacts, typed_suppressions,
--             typed_consents, typed_cases, engagement_summary
-- Grain       one subject of one row
-- Why         whoever is named here is suppressed. A contact's row may be lost while its e-mail address lives on under
--             another customer: so a quarantined contact that somebody says no about is named by its addresses too.
WITH refused AS (
    SELECT customer_id FROM typed_suppressions WHERE NOT bad
    UNION
    SELECT customer_id FROM typed_consents WHERE NOT bad AND state IN ('withdrawn', 'objected')
    UNION
    SELECT customer_id
    FROM engagement_summary
    WHERE coalesce(last_unsubscribe_at, last_complaint_at, last_bounce_at) IS NOT NULL
    UNION
    SELECT customer_id FROM typed_cases WHERE NOT bad
    UNION
    SELECT customer_id FROM broken
), named AS (
    SELECT * FROM broken
    UNION ALL BY NAME
    SELECT
        'contacts' AS "table",
        CASE WHEN is_id(customer_id) THEN customer_id END AS key,
        customer_id,
        email,
        phone,
        country
    FROM typed_contacts
    WHERE bad AND customer_id IN (FROM refused)
), found AS (
    SELECT n."table", n.key, n.customer_id, n.account_id, e.address_key
    FROM named AS n
    LEFT JOIN emails AS e ON e.text = n.email
    UNION ALL
    SELECT n."table", n.key, n.customer_id, n.account_id, p.address_key
    FROM named AS n
    JOIN phones AS p ON p.text = n.phone AND p.country IS NOT DISTINCT FROM n.country
    UNION ALL
    SELECT n."table", n.key, n.customer_id, n.account_id, a.address_key
    FROM named AS n
    JOIN suppressed_addresses AS a ON a.text = n.address
)
SELECT DISTINCT *
FROM found
WHERE coalesce(customer_id, account_id, address_key) IS NOT NULL
ORDER BY ALL
