-- Purpose     the day of an instant: whole days from 1900 to it, by UTC.
-- Parameters  moment: BIGINT, microseconds since 1970, not before 1900
-- Grain       one value
-- Why         counted from 1900 nothing is negative, so that a division rounds the same way in every database; what
--             others than DuckDB call it is in sources/dialects.py.
CREATE MACRO day_of(moment) AS (moment + 2208988800000000) // 86400000000
