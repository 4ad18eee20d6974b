-- Purpose     reads a text: NFC, outer blanks and invisible marks off, nothing left = null.
-- Parameters  given: VARCHAR
-- Grain       one value
-- Why         trimming by a set of characters is slow; the ten million ids that begin and end plainly never meet it.
CREATE TEMP MACRO read_text(given) AS
    CASE
        WHEN ascii(nfc_normalize(given)) BETWEEN 33 AND 126 AND ascii(right(nfc_normalize(given), 1)) BETWEEN 33 AND 126
            THEN nfc_normalize(given)
        ELSE nullif(trim(nfc_normalize(given),
            ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8203) || chr(8239) || chr(65279)), '')
    END
