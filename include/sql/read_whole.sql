-- Purpose     reads a whole number, also written as 2.0 or 1,000; a fraction gives null.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         a plain cast would round 2.7 to 3.
CREATE MACRO read_whole(given) AS
    CASE
        WHEN regexp_full_match(given, '[+-]?\d{1,18}(\.0*)?')
            THEN TRY_CAST(regexp_replace(given, '\..*', '') AS BIGINT)
        WHEN regexp_full_match(given, '[+-]?[1-9]\d{0,2}(,\d{3}){1,5}(\.0*)?')
            THEN TRY_CAST(regexp_replace(replace(given, ',', ''), '\..*', '') AS BIGINT)
    END
