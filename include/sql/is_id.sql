-- Purpose     whether a text can serve as an id: at most 64 characters, none of them a control character, bracket or @.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         ids go into logs, the ledger and reports, so an e-mail address is none; the ledger keeps 80 characters
--             of a table and an id together.
CREATE MACRO is_id(given) AS
    length(given) <= 64 AND NOT regexp_matches(given, '[\x00-\x1f@{}\[\]"]')
