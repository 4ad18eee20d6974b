-- Purpose     claims as of an instant.
-- Parameters  $as_of; table typed_claims
-- Grain       one claim
-- Why         a claim permits saying something: captured or reviewed later, it did not yet permit it.
SELECT
    * EXCLUDE (row, bad) REPLACE (
        CASE WHEN reviewed_at <= $as_of THEN reviewed_at END AS reviewed_at,
        CASE WHEN reviewed_at <= $as_of THEN reviewed_by END AS reviewed_by)
FROM typed_claims
WHERE NOT bad AND (captured_at <= $as_of OR captured_at IS NULL)
ORDER BY claim_id
