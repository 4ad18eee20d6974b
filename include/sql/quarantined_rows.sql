-- Purpose     one page of what a snapshot set aside: where each broken value is, and why; never the value.
-- Parameters  $table, null for all; $most rows after the first $skipped.
-- Grain       one row of quarantine: one broken value.
-- Why         in the order of the source's own rows, so that whoever mends the export reads it beside the file.
SELECT "table", key, row, "column", reason
FROM quarantine
WHERE $table::VARCHAR IS NULL OR "table" = $table
ORDER BY "table", row, "column", reason, key
LIMIT $most OFFSET $skipped
