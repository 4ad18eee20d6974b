-- Purpose     reads a yes or no; anything else gives null.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         only words that mean one thing: what is not clearly yes must not become true.
CREATE MACRO read_flag(given) AS
    CASE
        WHEN lower(given) IN ('true', 't', 'yes', 'y', 'on', '1', '1.0') THEN true
        WHEN lower(given) IN ('false', 'f', 'no', 'n', 'off', '0', '0.0') THEN false
    END
