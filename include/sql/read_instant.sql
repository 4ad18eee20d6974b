-- Purpose     reads an instant: ISO 8601 with or without a zone (without = UTC, a date = its midnight), an Excel serial
--             number, day/month/year where only one reading is possible, a month by its English name; else null.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         05/06/2026 is June to one exporter and May to another: such a row is quarantined, never guessed. The cast
--             comes first, so that a column of plain ISO instants never meets a regular expression.
CREATE MACRO read_instant(given) AS
    CASE
        WHEN given IS NULL THEN NULL
        WHEN given[1] BETWEEN '0' AND '9'
            AND TRY_CAST(given AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '1900-01-01' AND TIMESTAMPTZ '2200-01-01'
            THEN TRY_CAST(given AS TIMESTAMPTZ)
        WHEN regexp_full_match(given, '[2-7]\d{4}(\.\d+)?')
            THEN to_timestamp(round((CAST(given AS DOUBLE) - 25569) * 86400))
        WHEN regexp_full_match(given, '\d{4}-\d\d-\d\d.*\d [+-]\d\d:?\d\d')
            THEN TRY_CAST(regexp_replace(given, ' ([+-])', '\1') AS TIMESTAMPTZ)
        -- the first number is no month, or both are the same
        WHEN regexp_full_match(given, '(1[3-9]|2\d|3[01])[/.-](0?[1-9]|1[0-2])[/.-](19|20|21)\d\d( .*)?')
            OR regexp_full_match(given, '(0?1[/.-]0?1|0?2[/.-]0?2|0?3[/.-]0?3|0?4[/.-]0?4|0?5[/.-]0?5|0?6[/.-]0?6|'
                '0?7[/.-]0?7|0?8[/.-]0?8|0?9[/.-]0?9|10[/.-]10|11[/.-]11|12[/.-]12)[/.-](19|20|21)\d\d( .*)?')
            THEN try_strptime(regexp_replace(given, '^(\d+)[/.-](\d+)[/.-]', '\1/\2/'),
                ['%d/%m/%Y', '%d/%m/%Y %H:%M', '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %I:%M %p', '%d/%m/%Y %I:%M:%S %p'])
                AT TIME ZONE 'UTC'
        -- the second number is no month
        WHEN regexp_full_match(given, '(0?[1-9]|1[0-2])[/.-](1[3-9]|2\d|3[01])[/.-](19|20|21)\d\d( .*)?')
            THEN try_strptime(regexp_replace(given, '^(\d+)[/.-](\d+)[/.-]', '\1/\2/'),
                ['%m/%d/%Y', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p'])
                AT TIME ZONE 'UTC'
        WHEN regexp_full_match(given, '(?i)\d{1,2}[ -][a-z]{3,9}[ -]\d{4}|[a-z]{3,9} \d{1,2}, \d{4}')
            THEN try_strptime(given, ['%d %b %Y', '%d-%b-%Y', '%b %d, %Y', '%d %B %Y', '%B %d, %Y'])
                AT TIME ZONE 'UTC'
    END
