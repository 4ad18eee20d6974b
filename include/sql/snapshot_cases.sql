-- Purpose     cases as of an instant.
-- Parameters  $as_of; table typed_cases
-- Grain       one case
-- Why         that a case is open forbids, so it counts whenever it was opened; that it was closed permits, so it counts
--             only if it was closed by the as-of.
SELECT
    * EXCLUDE (row, bad) REPLACE (CASE WHEN closed_at <= $as_of THEN closed_at END AS closed_at)
FROM typed_cases
WHERE NOT bad
ORDER BY case_id
