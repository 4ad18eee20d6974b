-- Purpose     consent records as of an instant, and a bare flag of the CRM as the unverified record it is.
-- Parameters  $as_of; tables typed_consents, typed_contacts
-- Grain       one record
-- Why         a grant or a confirmation after the as-of did not yet exist; a withdrawal or an objection counts whenever it
--             is known. Nobody says when a flag was set: it is as old as the contact, so that no edit of the row renews it.
SELECT
    * EXCLUDE (row, bad) REPLACE (CASE WHEN confirmed_at <= $as_of THEN confirmed_at END AS confirmed_at)
FROM typed_consents
WHERE NOT bad AND (state <> 'granted' OR occurred_at <= $as_of OR occurred_at IS NULL)
UNION ALL BY NAME
SELECT
    'flag:' || customer_id AS record_id,
    customer_id,
    'email' AS channel,
    'marketing' AS purpose,
    'granted' AS state,
    'flag_only' AS basis,
    created_at AS occurred_at,
    'contacts.consent_email' AS source,
    '*' AS brand
FROM typed_contacts
WHERE NOT bad AND consent_email
ORDER BY record_id
