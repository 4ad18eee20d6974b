-- Purpose     how many rows broke each rule.
-- Parameters  none; table problems
-- Grain       one rule of one table
-- Why         readiness judges shares, not rows.
SELECT "table", "column" || ':' || reason AS rule, count(DISTINCT row) AS bad_rows
FROM problems
GROUP BY ALL
ORDER BY ALL
