-- Purpose     reads a list of texts: a JSON array, or parted by bars, semicolons or commas; empty entries fall out.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         null stays null (unknown), an empty list is empty (none); a broken JSON array gives null.
CREATE MACRO read_texts(given) AS
    CASE
        WHEN given IS NULL THEN NULL
        WHEN given[1] = '['
            THEN list_filter(list_transform(TRY_CAST(TRY_CAST(given AS JSON) AS VARCHAR[]), lambda t: read_text(t)),
                lambda t: t IS NOT NULL)
        ELSE list_filter(list_transform(regexp_split_to_array(given, '[|;,]'), lambda t: read_text(t)),
            lambda t: t IS NOT NULL)
    END
