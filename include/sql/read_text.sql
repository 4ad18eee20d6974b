-- Purpose     reads a text: NFC, outer blanks and invisible marks off, nothing left = null.
-- Parameters  given: VARCHAR
-- Grain       one value
-- Why         trimming is the dearest part of reading a file. A text whose first and last character are plain ASCII never
--             meets it; reversing is the cheapest way to see the last one (28 million values: 3.3 s instead of 6.0 s).
CREATE MACRO read_text(given) AS
    CASE
        WHEN given BETWEEN '!' AND '~' AND reverse(given) BETWEEN '!' AND '~' THEN nfc_normalize(given)
        ELSE nullif(trim(nfc_normalize(given),
            ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8203) || chr(8239) || chr(65279)), '')
    END
