-- Purpose     one page of the rows a report names, ids only.
-- Parameters  $condition and $subject, null for all; $most rows after the first $skipped.
-- Grain       one row of readiness_rows.
-- Why         ordered by id, so that whoever looks for one finds its page; all columns, so that pages never overlap.
SELECT condition, severity, subject, key
FROM readiness_rows
WHERE ($condition::VARCHAR IS NULL OR condition = $condition) AND ($subject::VARCHAR IS NULL OR subject = $subject)
ORDER BY key, condition, subject, severity
LIMIT $most OFFSET $skipped
