-- Purpose     how many broken values a snapshot set aside, and of how many rows.
-- Parameters  none.
-- Grain       one row per table of quarantine.
-- Why         the report's page shows numbers only; the values' places are shown page by page.
SELECT "table", count(*) AS "values", count(DISTINCT row) AS "rows" FROM quarantine GROUP BY ALL ORDER BY ALL
