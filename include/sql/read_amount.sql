-- Purpose     reads an amount: plain, with thousands separators, with a decimal comma, with a currency sign or code; else
--             null.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         groups of three after a comma are thousands (1,234), anything else after the only comma is a fraction
--             (12,5); a single point is always a fraction. Blanks (narrow ones too) and apostrophes only ever part
--             thousands. The cast comes first, so that plain columns stay fast.
CREATE MACRO read_amount(given) AS
    CASE
        WHEN given IS NULL THEN NULL
        WHEN TRY_CAST(given AS DECIMAL(18, 4)) IS NOT NULL THEN TRY_CAST(given AS DECIMAL(18, 4))
        WHEN regexp_full_match(given, '([A-Z]{3}|[£$€¥])?\s?[+-]?'
            '(\d+|[1-9]\d{0,2}([,\s\x{00a0}\x{2009}\x{202f}''’]\d{3})+)(\.\d*)?\s?([A-Z]{3}|[£$€¥])?')
            THEN TRY_CAST(regexp_replace(given, '[^0-9.+-]', '', 'g') AS DECIMAL(18, 4))
        WHEN regexp_full_match(given, '([A-Z]{3}|[£$€¥])?\s?[+-]?'
            '(\d+,\d+|[1-9]\d{0,2}([.\s\x{00a0}\x{2009}\x{202f}''’]\d{3})+,\d+|[1-9]\d{0,2}(\.\d{3}){2,})'
            '\s?([A-Z]{3}|[£$€¥])?')
            THEN TRY_CAST(replace(regexp_replace(given, '[^0-9,+-]', '', 'g'), ',', '.') AS DECIMAL(18, 4))
    END
