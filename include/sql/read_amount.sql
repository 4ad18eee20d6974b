-- Purpose     reads an amount: plain, with thousands separators, with a decimal comma, with a currency sign or code; else
--             null.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         groups of three after a comma are thousands (1,234), anything else after the only comma is a fraction
--             (12,5); a single point is always a fraction. The cast comes first, so that plain columns stay fast.
CREATE TEMP MACRO read_amount(given) AS
    CASE
        WHEN given IS NULL THEN NULL
        WHEN TRY_CAST(given AS DECIMAL(18, 4)) IS NOT NULL THEN TRY_CAST(given AS DECIMAL(18, 4))
        WHEN regexp_full_match(bare_amount(given), '[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?')
            THEN TRY_CAST(replace(bare_amount(given), ',', '') AS DECIMAL(18, 4))
        WHEN regexp_full_match(bare_amount(given), '[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d{1,3}(\.\d{3}){2,}')
            THEN TRY_CAST(replace(replace(bare_amount(given), '.', ''), ',', '.') AS DECIMAL(18, 4))
        WHEN regexp_full_match(bare_amount(given), '[+-]?\d+,\d+')
            THEN TRY_CAST(replace(bare_amount(given), ',', '.') AS DECIMAL(18, 4))
        WHEN regexp_full_match(bare_amount(given), '[+-]?\d+(\.\d*)?')
            THEN TRY_CAST(bare_amount(given) AS DECIMAL(18, 4))
    END
