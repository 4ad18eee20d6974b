-- Purpose     the personal file: people and accounts as they are addressed, and the originals of quarantined rows.
-- Parameters  none; tables typed_contacts, typed_accounts, emails, phones, originals
-- Grain       one contact, account or quarantined row
-- Why         names, addresses and notes are here and nowhere else in a snapshot; retention removes one file.
SELECT
    'person' AS kind,
    c.customer_id,
    a.name AS account_name,
    c.first_name,
    c.last_name,
    e.canonical AS email,
    p.canonical AS phone,
    c.relationship_notes,
    'contacts' AS "table",
    c.customer_id AS key,
    CAST(NULL AS VARCHAR) AS original
FROM typed_contacts AS c
LEFT JOIN typed_accounts AS a ON a.account_id = c.account_id AND NOT a.bad
LEFT JOIN emails AS e ON e.text = c.email
LEFT JOIN phones AS p ON p.text = c.phone AND p.country IS NOT DISTINCT FROM c.country
WHERE NOT c.bad
UNION ALL BY NAME
SELECT 'account' AS kind, name AS account_name, relationship_notes, 'accounts' AS "table", account_id AS key
FROM typed_accounts
WHERE NOT bad
UNION ALL BY NAME
SELECT 'quarantined' AS kind, customer_id, "table", key, original
FROM originals
ORDER BY kind, customer_id, "table", key, original
