-- Purpose: everything that says no about a customer, wherever it is known, so that no duplicate of a person escapes it.
-- Parameters: $brand text; $at instant; $closed_statuses list of texts; $most_ids how many ids of one kind are kept.
-- Grain: one row per customer about whom at least one no is known; ordered by customer_id.
-- Why so: a person is an address key behind one or more customers (RULES.md: merged contacts have the union of their
--   suppressions). Nos are gathered per customer and per address first, then spread over addresses, never customer by
--   customer: a switchboard number shared by thousands costs one row each. A no counts whenever it is there; what undoes
--   one (closing a case) counts only until $at.
WITH address AS (
    SELECT customer_id, email_key AS address_key FROM contacts WHERE email_key IS NOT NULL
    UNION
    SELECT customer_id, phone_key FROM contacts WHERE phone_key IS NOT NULL
),
open_case AS (
    SELECT case_id, customer_id, account_id
    FROM cases
    WHERE
        closed_at IS NULL
        OR closed_at > $at
        OR NOT coalesce(list_contains($closed_statuses::VARCHAR[], lower(trim(status))), false)
),
stated AS (
    SELECT customer_id, address_key, 'suppression' AS kind, reason AS code, suppression_id AS id
    FROM suppressions
    WHERE brand IS NULL OR brand = $brand
    UNION ALL
    SELECT customer_id, NULL, 'suppression', 'objection', record_id
    FROM consents
    WHERE state = 'objected' AND brand IN ($brand, '*')
    UNION ALL
    SELECT customer_id, NULL, 'suppression', 'complaint', NULL
    FROM engagement_summary
    WHERE last_complaint_at IS NOT NULL
    UNION ALL
    SELECT customer_id, NULL, 'suppression', 'opt_out', NULL
    FROM engagement_summary
    WHERE last_unsubscribe_at IS NOT NULL
    UNION ALL
    SELECT customer_id, address_key, 'broken', "table", NULL FROM broken_nos
    UNION ALL
    SELECT contacts.customer_id, NULL, 'broken', broken_nos."table", NULL
    FROM broken_nos JOIN contacts USING (account_id)
    UNION ALL
    SELECT customer_id, NULL, 'relationship', relationship, NULL
    FROM contacts
    WHERE relationship <> 'normal'
    UNION ALL
    SELECT customer_id, NULL, 'case', 'open', case_id FROM open_case
    UNION ALL
    SELECT contacts.customer_id, NULL, 'case', 'open', open_case.case_id
    FROM open_case JOIN contacts USING (account_id)
),
of_address AS (
    SELECT address_key, kind, code, id FROM stated WHERE address_key IS NOT NULL
    UNION
    SELECT address.address_key, kind, code, id FROM stated JOIN address USING (customer_id)
),
of_customer AS (
    SELECT customer_id, kind, code, id FROM stated WHERE customer_id IS NOT NULL
    UNION
    SELECT address.customer_id, kind, code, id
    FROM (
        SELECT * FROM of_address
        QUALIFY row_number() OVER (PARTITION BY address_key, kind, code ORDER BY id NULLS LAST) <= $most_ids
    ) JOIN address USING (address_key)
)
SELECT
    customer_id,
    coalesce(list_sort(list(DISTINCT code) FILTER (WHERE kind = 'suppression')), []) AS suppression_reasons,
    coalesce(list_sort(list(DISTINCT id) FILTER (WHERE kind = 'suppression' AND id IS NOT NULL)), [])
        AS suppression_ids,
    coalesce(list_sort(list(DISTINCT code) FILTER (WHERE kind = 'broken')), []) AS broken_tables,
    coalesce(list_sort(list(DISTINCT code) FILTER (WHERE kind = 'relationship')), []) AS relationships,
    coalesce(list_sort(list(DISTINCT id) FILTER (WHERE kind = 'case')), []) AS open_case_ids
FROM of_customer
GROUP BY customer_id
ORDER BY customer_id
