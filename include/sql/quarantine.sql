-- Purpose     what is wrong with which value of which row.
-- Parameters  none; table problems
-- Grain       one broken rule of one row
-- Why         ids, places and reasons only: the row itself is in the personal file.
SELECT DISTINCT * FROM problems ORDER BY "table", row, "column", reason, key
