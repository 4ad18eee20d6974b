-- Purpose     reads a whole number, also written as 2.0 or 1,000; a fraction gives null.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         a plain cast would round 2.7 to 3.
CREATE TEMP MACRO read_whole(given) AS
    CASE WHEN read_amount(given) = trunc(read_amount(given)) THEN CAST(read_amount(given) AS BIGINT) END
