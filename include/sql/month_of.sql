-- Purpose     the month of a day, 1 to 12.
-- Parameters  day: whole days from 1900, as day_of gives them
-- Grain       one value
-- Why         the calendar is the one thing the summaries cannot do with whole numbers alone; what others than DuckDB
--             call it is in sources/dialects.py.
CREATE MACRO month_of(day) AS month(DATE '1900-01-01' + CAST(day AS INTEGER))
