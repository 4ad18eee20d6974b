-- Purpose: what each touch to be drafted needs of its customer: who, where, on which permission, and what it may speak
--   of: the product to recommend and the claim to make.
-- Parameters: $now instant.
-- Grain: one row per row of due (touch_id); ordered by touch_id.
-- Tables beside the snapshot's: due (touches), decisions (this run's), usable (number, claim_id: the claims a touch may
--   make now). People is the personal file.
-- Why so: left joins, so that a touch whose customer or decision is gone stays visible and is held with that reason.
--   The product is the first in stock of the customer's own category, one with a page before one without, and another
--   than what was bought last where there is one. The claim is one about that category before one about everybody, then
--   the latest captured; one that ends before the touch may go out is none. Where two rows could tie the id decides.
WITH liked AS (
    SELECT
        due.touch_id,
        due.number,
        greatest(due.not_before, $now) AS earliest,
        nullif(lower(trim(decisions.product_affinity)), 'unknown') AS category,
        purchase_summary.last_product
    FROM due
    LEFT JOIN decisions ON decisions.customer_id = due.customer_id
    LEFT JOIN purchase_summary ON purchase_summary.customer_id = due.customer_id
),
shelf AS (
    SELECT
        lower(trim(category)) AS category, product_id, name, url,
        row_number() OVER (PARTITION BY lower(trim(category)) ORDER BY url IS NULL, product_id) AS place
    FROM products
    WHERE in_stock
),
recommended AS (
    SELECT
        liked.touch_id,
        CASE WHEN other.product_id IS NOT NULL AND liked.last_product IN (best.product_id, best.name)
             THEN {'name': other.name, 'url': other.url}
             ELSE {'name': best.name, 'url': best.url} END AS product
    FROM liked
    JOIN shelf AS best ON best.category = liked.category AND best.place = 1
    LEFT JOIN shelf AS other ON other.category = liked.category AND other.place = 2
),
claimed AS (
    SELECT liked.touch_id, claims.claim_id, claims.kind
    FROM liked
    JOIN usable ON usable.number = liked.number
    JOIN claims ON claims.claim_id = usable.claim_id
    WHERE (claims.valid_until IS NULL OR claims.valid_until > liked.earliest)
        AND (claims.audience_category IS NULL OR lower(trim(claims.audience_category)) = liked.category)
    QUALIFY row_number() OVER (
        PARTITION BY liked.touch_id
        ORDER BY claims.audience_category IS NULL, claims.captured_at DESC, claims.claim_id
    ) = 1
)
SELECT
    due.*,
    greatest(due.not_before, $now) AS earliest,
    decisions.decision,
    decisions.reason_codes[1] AS decisive,
    decisions.email_basis,
    decisions.sms_basis,
    decisions.gate_reachable,
    decisions.evidence.affinity_source AS affinity_source,
    CASE due.channel WHEN 'sms' THEN decisions.sms_records ELSE decisions.email_records END AS basis_records,
    CASE due.channel WHEN 'sms' THEN contacts.phone_key ELSE contacts.email_key END AS current_key,
    contacts.zones,
    contacts.zone_sources,
    contacts.country,
    contacts.region,
    contacts.phone_country,
    CASE WHEN due.channel = 'sms' THEN people.phone ELSE people.email END AS recipient,
    people.first_name,
    recommended.product.name AS product_name,
    recommended.product.url AS product_url,
    claimed.claim_id,
    claimed.kind AS claim_kind,
    firm.account_name,
    nullif(decisions.product_affinity, 'unknown') AS account_service,
    decisions.last_purchase_at AS account_bought_at,
    issue.kind AS issue_kind,
    issue.opened_at AS issue_opened_at,
    decisions.renewal_at
FROM due
LEFT JOIN decisions ON decisions.customer_id = due.customer_id
LEFT JOIN contacts ON contacts.customer_id = due.customer_id
LEFT JOIN people ON people.customer_id = due.customer_id AND people.kind = 'person'
LEFT JOIN people AS firm ON firm.key = contacts.account_id AND firm.kind = 'account'
LEFT JOIN cases AS issue ON issue.case_id = decisions.evidence.open_case_ids[1]
LEFT JOIN recommended ON recommended.touch_id = due.touch_id
LEFT JOIN claimed ON claimed.touch_id = due.touch_id
ORDER BY due.touch_id
