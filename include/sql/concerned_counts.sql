-- Purpose     how many rows a report names, by what they are named for.
-- Parameters  none.
-- Grain       one row per condition and subject of a run's or snapshot's readiness_rows.
-- Why         the report's page shows numbers only; the rows themselves are shown page by page.
SELECT condition, subject, count(*) AS "rows" FROM readiness_rows GROUP BY ALL ORDER BY ALL
