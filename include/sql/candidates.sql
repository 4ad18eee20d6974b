-- Purpose: every fact the policy asks about a customer, in one row.
-- Parameters: $at instant; $salt text of the holdout; $skips a text per touch that chance may skip; $asked_tags list of
--   the tags some playbook asks about; $crowd how many customers behind one address are too many for it to be one person's.
-- Grain: one row per contacts.customer_id, in no order: DuckDB would hold all columns once more to sort them.
-- Tables beside the snapshot's: person_nos (include/sql/person_nos.sql), ledger_extract (one row per address key).
-- Why so: joins only, no judgement. Money is whole ten-thousandths (BIGINT), so that sums and comparisons are exact. The
--   rank behind a computed value tier is within business segment and currency (amounts in different money are never
--   compared), ties broken by customer_id. Lists are sorted; where two rows could tie the id decides.
WITH email_holders AS (
    SELECT email_key, count(*) AS holders, list_sort(list(customer_id)) AS customers
    FROM contacts WHERE email_key IS NOT NULL
    GROUP BY email_key HAVING count(*) > 1
),
phone_holders AS (
    SELECT phone_key, count(*) AS holders, list_sort(list(customer_id)) AS customers
    FROM contacts WHERE phone_key IS NOT NULL
    GROUP BY phone_key HAVING count(*) > 1
),
past_case AS (
    SELECT contacts.customer_id, cases.*
    FROM cases JOIN contacts ON contacts.customer_id = cases.customer_id
    WHERE cases.opened_at <= $at
    UNION ALL
    SELECT contacts.customer_id, cases.*
    FROM cases JOIN contacts ON contacts.account_id = cases.account_id
    WHERE cases.opened_at <= $at AND cases.customer_id IS DISTINCT FROM contacts.customer_id
),
history AS (
    SELECT
        customer_id,
        list_sort(list(DISTINCT case_id)) AS past_case_ids,
        max({'at': opened_at, 'id': case_id}) FILTER (WHERE kind = 'cancellation') AS cancellation,
        max({'at': opened_at, 'id': case_id}) FILTER (WHERE kind IN ('complaint', 'billing')) AS problem,
        max({'at': opened_at, 'id': case_id, 'objection': objection}) FILTER (WHERE objection IS NOT NULL) AS objected
    FROM past_case
    GROUP BY customer_id
),
ranked AS (
    SELECT
        purchase_summary.customer_id,
        row_number() OVER place AS margin_rank,
        count(*) OVER (PARTITION BY contacts.business_segment, purchase_summary.currency) AS margin_ranked
    FROM purchase_summary JOIN contacts USING (customer_id)
    WHERE purchase_summary.currency IS NOT NULL AND purchase_summary.margin_known_rows > 0
    WINDOW place AS (
        PARTITION BY contacts.business_segment, purchase_summary.currency
        ORDER BY coalesce(purchase_summary.margin_24m, 0) DESC, purchase_summary.customer_id
    )
)
SELECT
    c.customer_id,
    c.account_id,
    upper(c.country) AS country,
    c.region,
    upper(c.phone_country) AS phone_country,
    c.business_segment,
    c.lifecycle_stage,
    lower(trim(c.acquisition_channel)) AS acquisition_word,
    c.fit,
    c.relationship,
    c.has_notes,
    c.inactivity_reason AS given_reason,
    c.owner_id AS contact_owner_id,
    c.value_tier AS given_value_tier,
    c.consent_email,
    c.is_subscriber_only,
    -- the source's tags, and ours, which the source may not have been told of yet
    list_sort(list_intersect(
        list_concat(coalesce(c.tags, []), coalesce(le.tags, []), coalesce(lp.tags, [])), $asked_tags::VARCHAR[]
    )) AS tags,
    c.last_seen,
    c.last_email_opened,
    c.last_email_link_clicked,
    c.email_key,
    c.phone_key,
    c.email_problem,
    c.phone_problem,
    coalesce(c.zones, []) AS zones,
    coalesce(c.zone_sources, []) AS zone_sources,
    -- the account
    a.account_id IS NOT NULL AS account_known,
    a.owner_id AS account_owner_id,
    a.fit AS account_fit,
    a.relationship AS account_relationship,
    a.has_notes AS account_has_notes,
    lower(trim(a.status)) AS account_status,
    a.cancelled_at AS account_cancelled_at,
    a.cancellation_reason AS account_cancellation_reason,
    a.inactivity_reason AS account_given_reason,
    -- purchases
    coalesce(p.purchases, 0) AS purchases,
    p.last_purchase_at,
    p.last_order_at,
    p.last_booking_at,
    p.last_subscription_at,
    coalesce(p.subscriptions, 0) AS subscriptions,
    p.period_end,
    p.subscription_cancelled_at,
    p.currency,
    ten_thousandths(p.revenue::DECIMAL(18, 4)) AS revenue,
    ten_thousandths(p.revenue_24m::DECIMAL(18, 4)) AS revenue_24m,
    ten_thousandths(p.margin_24m::DECIMAL(18, 4)) AS margin_24m,
    ten_thousandths(p.margin_revenue_24m::DECIMAL(18, 4)) AS margin_revenue_24m,
    coalesce(p.discounted_purchases, 0) AS discounted_purchases,
    p.top_category,
    p.last_category,
    p.month_counts,
    r.margin_rank,
    r.margin_ranked,
    -- engagement
    e.last_open_at,
    e.last_click_at,
    greatest(e.last_visit_at, e.last_browse_at, e.last_cart_abandon_at) AS last_visit_at,
    e.last_login_at,
    e.last_usage_at,
    e.last_reply_at,
    coalesce(e.sent_180d, 0) AS sent_180d,
    e.last_bounce_at,
    e.browse_category,
    e.cart_category,
    e.last_objection,
    -- what forbids
    coalesce(n.suppression_reasons, []) AS suppression_reasons,
    coalesce(n.suppression_ids, []) AS suppression_ids,
    coalesce(n.broken_tables, []) AS broken_tables,
    coalesce(n.relationships, []) AS shared_relationships,
    coalesce(n.open_case_ids, []) AS open_case_ids,
    list_filter(
        coalesce(h.past_case_ids, []), lambda past: NOT list_contains(coalesce(n.open_case_ids, []), past)
    ) AS past_case_ids,
    h.cancellation.at AS cancellation_case_at,
    h.cancellation.id AS cancellation_case_id,
    h.problem.at AS problem_case_at,
    h.problem.id AS problem_case_id,
    h.objected.objection AS case_objection,
    h.objected.id AS objection_case_id,
    eh.holders IS NOT NULL AS email_shared,
    ph.holders IS NOT NULL AS phone_shared,
    coalesce(eh.holders, 1) > $crowd AS email_crowded,
    CASE WHEN eh.holders IS NULL AND ph.holders IS NULL THEN [] ELSE list_filter(
        list_sort(list_distinct(list_concat(
            CASE WHEN eh.holders <= $crowd THEN eh.customers ELSE [] END,
            CASE WHEN ph.holders <= $crowd THEN ph.customers ELSE [] END
        ))),
        lambda other: other <> c.customer_id
    ) END AS shares_address_with,
    -- the ledger
    coalesce(le.suppressed_reason, lp.suppressed_reason) AS ledger_suppressed_reason,
    le.active_playbook AS email_active_playbook,
    lp.active_playbook AS phone_active_playbook,
    CASE WHEN le.last_ended_at >= lp.last_ended_at OR lp.last_ended_at IS NULL THEN le.last_ended_at
         ELSE lp.last_ended_at END AS last_ended_at,
    CASE WHEN le.last_ended_at >= lp.last_ended_at OR lp.last_ended_at IS NULL THEN le.last_ended_playbook
         ELSE lp.last_ended_playbook END AS last_ended_playbook,
    CASE WHEN le.last_ended_at >= lp.last_ended_at OR lp.last_ended_at IS NULL THEN le.last_ended_as
         ELSE lp.last_ended_as END AS last_ended_as,
    greatest(coalesce(le.enrolments_total, 0), coalesce(lp.enrolments_total, 0)) AS enrolments_total,
    greatest(le.last_sent_at, lp.last_sent_at, e.last_email_sent_at, e.last_sms_sent_at) AS last_sent_at,
    greatest(le.last_sms_sent_at, lp.last_sms_sent_at, e.last_sms_sent_at) AS last_sms_sent_at,
    greatest(coalesce(le.sms_sent_7d, 0), coalesce(lp.sms_sent_7d, 0)) + coalesce(e.sms_sent_7d, 0) AS sms_sent_7d,
    coalesce(le.redeemed_incentives, 0) + coalesce(lp.redeemed_incentives, 0) AS redeemed_incentives,
    greatest(le.last_redeemed_at, lp.last_redeemed_at) AS last_redeemed_at,
    -- 0 where nothing was redeemed; empty where the cost of anything that was is unknown, or they are in different money
    CASE
        WHEN le.redeemed_incentives > 0 AND le.redeemed_cost IS NULL THEN NULL
        WHEN lp.redeemed_incentives > 0 AND lp.redeemed_cost IS NULL THEN NULL
        WHEN le.redeemed_currency <> lp.redeemed_currency THEN NULL
        ELSE within_money(
            coalesce(ten_thousandths(le.redeemed_cost::DECIMAL(18, 4)), 0)
            + coalesce(ten_thousandths(lp.redeemed_cost::DECIMAL(18, 4)), 0)
        )
    END AS redeemed_cost,
    coalesce(le.redeemed_currency, lp.redeemed_currency) AS redeemed_currency,
    -- the first 32 bits of the hash: the same person is in the holdout for as long as the salt stays
    ('0x' || left(sha256($salt || ':' || c.customer_id), 8))::UBIGINT::BIGINT AS holdout_point,
    ('0x' || left(sha256($salt || ':variant:' || c.customer_id), 8))::UBIGINT::BIGINT AS variant_point,
    ('0x' || left(sha256($salt || ':rung:' || c.customer_id), 8))::UBIGINT::BIGINT AS rung_point,
    list_transform(
        $skips::VARCHAR[],
        lambda touch: ('0x' || left(sha256($salt || ':' || touch || ':' || c.customer_id), 8))::UBIGINT::BIGINT
    ) AS skip_points
FROM contacts AS c
LEFT JOIN accounts AS a USING (account_id)
LEFT JOIN purchase_summary AS p USING (customer_id)
LEFT JOIN ranked AS r USING (customer_id)
LEFT JOIN engagement_summary AS e USING (customer_id)
LEFT JOIN person_nos AS n USING (customer_id)
LEFT JOIN history AS h USING (customer_id)
LEFT JOIN email_holders AS eh USING (email_key)
LEFT JOIN phone_holders AS ph USING (phone_key)
LEFT JOIN ledger_extract AS le ON le.address_key = c.email_key
LEFT JOIN ledger_extract AS lp ON lp.address_key = c.phone_key
