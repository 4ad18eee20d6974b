-- Purpose     suppressions as a snapshot keeps them: the address hashed at the door.
-- Parameters  none; tables typed_suppressions, suppressed_addresses
-- Grain       one suppression
-- Why         a no has no as-of: it counts whenever it is known.
SELECT s.* EXCLUDE (row, bad, address), a.address_key
FROM typed_suppressions AS s
LEFT JOIN suppressed_addresses AS a ON a.text = s.address
WHERE NOT s.bad
ORDER BY suppression_id
