-- Purpose     how many rows of each table name a customer or account there is, and how many do not.
-- Parameters  none; tables typed_*, purchases and engagements (the good facts), facts_elsewhere (those that a database
--             condensed, per customer)
-- Grain       one table
-- Why         raw purchases and engagements never enter the snapshot, so this is counted where they are; history that
--             joins nobody cannot tell that nothing happened.
WITH customers AS (SELECT customer_id FROM typed_contacts WHERE NOT bad),
accounts AS (SELECT account_id FROM typed_accounts WHERE NOT bad),
asked AS (
    SELECT "table", customer_id IN (FROM customers) AS joined, facts
    FROM (
        SELECT 'purchases' AS "table", customer_id, count(*) AS facts FROM purchases GROUP BY customer_id
        UNION ALL
        SELECT 'engagements', customer_id, count(*) FROM engagements GROUP BY customer_id
        UNION ALL
        SELECT "table", customer_id, facts FROM facts_elsewhere
    )
    UNION ALL
    SELECT 'consents', customer_id IN (FROM customers), 1 FROM typed_consents WHERE NOT bad
    UNION ALL
    SELECT 'suppressions', customer_id IN (FROM customers), 1
    FROM typed_suppressions
    WHERE NOT bad AND customer_id IS NOT NULL
    UNION ALL
    SELECT 'cases', coalesce(customer_id IN (FROM customers), false) OR coalesce(account_id IN (FROM accounts), false), 1
    FROM typed_cases
    WHERE NOT bad
)
SELECT
    "table",
    CAST(sum(facts) AS BIGINT) AS rows,
    CAST(coalesce(sum(facts) FILTER (joined IS NOT TRUE), 0) AS BIGINT) AS bad_rows
FROM asked
GROUP BY "table"
ORDER BY "table"
