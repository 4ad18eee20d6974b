-- Purpose     accounts as a snapshot keeps them: without their name and notes.
-- Parameters  none; table typed_accounts
-- Grain       one account
-- Why         that there are notes sends the decision to the owner, who can read them at the source.
SELECT * EXCLUDE (row, bad, name, relationship_notes), relationship_notes IS NOT NULL AS has_notes
FROM typed_accounts
WHERE NOT bad
ORDER BY account_id
