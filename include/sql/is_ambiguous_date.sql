-- Purpose     whether a text is a date that two exporters would read differently.
-- Parameters  given: VARCHAR, already read as text
-- Grain       one value
-- Why         the quarantine says so, and the exporter can be told to write ISO dates.
CREATE MACRO is_ambiguous_date(given) AS
    regexp_full_match(given, '(0?[1-9]|1[0-2])[/.-](0?[1-9]|1[0-2])[/.-](\d\d)?\d\d( .*)?')
