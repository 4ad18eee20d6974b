-- Purpose     which rows of a snapshot's table belong to no customer or account we know.
-- Parameters  $table: cases, consents, purchases or engagements.
-- Grain       one row of cases and of consents; one customer id of the facts, whose rows the snapshot has condensed.
-- Why         joins_contacts.sql counts them where the facts are; here they are named, for whoever mends the export.
WITH unjoined AS (
    SELECT 'cases' AS "table", case_id AS key
    FROM cases
    WHERE customer_id IN (SELECT customer_id FROM contacts) IS NOT TRUE
        AND account_id IN (SELECT account_id FROM accounts) IS NOT TRUE
    UNION ALL
    SELECT 'consents', record_id FROM consents WHERE customer_id NOT IN (SELECT customer_id FROM contacts)
    UNION ALL
    SELECT 'purchases', customer_id FROM purchase_summary ANTI JOIN contacts USING (customer_id)
    UNION ALL
    SELECT 'engagements', customer_id FROM engagement_summary ANTI JOIN contacts USING (customer_id)
)
SELECT key FROM unjoined WHERE "table" = $table ORDER BY key
