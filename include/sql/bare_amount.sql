-- Purpose     an amount without its currency, its blanks and its apostrophes: what read_amount looks at.
-- Parameters  given: VARCHAR
-- Grain       one value
-- Why         blanks (narrow ones too) and apostrophes are only ever thousands separators.
CREATE TEMP MACRO bare_amount(given) AS
    regexp_replace(regexp_replace(given, '^[A-Z]{3}|[A-Z]{3}$|[$£€¥]', '', 'g'), '[\s\x{00a0}\x{2009}\x{202f}''’]', '', 'g')
