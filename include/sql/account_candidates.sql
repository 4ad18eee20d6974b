-- Purpose: every fact the policy asks about an account, in one row shaped like a customer's, so that the same ladder is
--   climbed: what the account's contacts did and said together, and the one of them who would be written to.
-- Parameters: $playbook its name; $salt text of the holdout; $skips a text per touch that chance may skip;
--   $dormant_statuses words of a status that says dormant.
-- Grain: one row per accounts.account_id; ordered by customer_id.
-- Tables beside the snapshot's: candidates (include/sql/candidates.sql), owner_decisions (what each account's owner last
--   decided: account_id, owner_decision, owner_decided_at, owner_hold_until, owner_recipient, owner_knew_noes).
-- Why so: joins only, no judgement. A fact that permits (address, consent, place) is the recipient's own; a fact that
--   forbids, and a sign of life, is anybody's of the account. Money of several currencies is unknown. An account without
--   a contact keeps a row, with an id of its own where the recipient's would stand. Lists are sorted; the least id decides
--   where two rows could tie.
WITH member AS (
    SELECT
        f.*,
        a.owner_id AS owner_of_account,
        coalesce(d.owner_recipient, a.primary_contact_id) AS recipient
    FROM candidates AS f
    JOIN accounts AS a USING (account_id)
    LEFT JOIN owner_decisions AS d USING (account_id)
),
together AS (
    SELECT
        account_id,
        list_sort(list(customer_id)) AS account_contacts,
        list_sort(list(DISTINCT email_key) FILTER (WHERE email_key IS NOT NULL)) AS account_email_keys,
        list_sort(list(DISTINCT phone_key) FILTER (WHERE phone_key IS NOT NULL)) AS account_phone_keys,
        min(contact_owner_id) FILTER (WHERE contact_owner_id <> owner_of_account) AS another_owner,
        CASE
            WHEN bool_or(fit = 'bad') THEN 'bad' WHEN bool_and(coalesce(fit = 'good', false)) THEN 'good'
        END AS contacts_fit,
        bool_and(coalesce(relationship = 'normal', false)) AS contacts_normal,
        list_sort(list(DISTINCT relationship) FILTER (WHERE relationship IS NOT NULL)) AS relationships,
        max(last_seen) AS last_seen,
        max(last_email_opened) AS last_email_opened,
        max(last_email_link_clicked) AS last_email_link_clicked,
        max(last_purchase_at) AS last_purchase_at,
        max(last_order_at) AS last_order_at,
        max(last_booking_at) AS last_booking_at,
        max(last_subscription_at) AS last_subscription_at,
        max(last_open_at) AS last_open_at,
        max(last_click_at) AS last_click_at,
        max(last_visit_at) AS last_visit_at,
        max(last_login_at) AS last_login_at,
        max(last_usage_at) AS last_usage_at,
        max(last_reply_at) AS last_reply_at,
        sum(purchases)::BIGINT AS purchases,
        sum(subscriptions)::BIGINT AS subscriptions,
        max(period_end) AS period_end,
        bool_or(period_end IS NOT NULL AND subscription_cancelled_at IS NULL) AS subscribes,
        max(subscription_cancelled_at) AS subscription_cancelled_at,
        sum(discounted_purchases)::BIGINT AS discounted_purchases,
        min(currency) AS currency,
        count(*) FILTER (WHERE purchases > 0 AND currency IS NULL) = 0
            AND count(DISTINCT currency) = 1 AS one_currency,
        within_money(sum(revenue)) AS revenue,
        within_money(sum(revenue_24m)) AS revenue_24m,
        within_money(sum(margin_24m)) AS margin_24m,
        within_money(sum(margin_revenue_24m)) AS margin_revenue_24m,
        list_sort(list_distinct(flatten(list(broken_tables)))) AS broken_tables,
        list_sort(list_distinct(flatten(list(shared_relationships)))) AS shared_relationships,
        list_sort(list_distinct(flatten(list(open_case_ids)))) AS open_case_ids,
        list_sort(list_distinct(flatten(list(past_case_ids)))) AS past_case_ids,
        -- a struct of nothing would be the greatest: a contact without a case would hide what another one's says
        max({'at': cancellation_case_at, 'id': cancellation_case_id}) FILTER (
            WHERE cancellation_case_at IS NOT NULL
        ) AS cancellation,
        max({'at': problem_case_at, 'id': problem_case_id}) FILTER (WHERE problem_case_at IS NOT NULL) AS problem,
        least(
            min(email_active_playbook) FILTER (WHERE email_active_playbook <> $playbook),
            min(phone_active_playbook) FILTER (WHERE phone_active_playbook <> $playbook)
        ) AS another_playbook,
        bool_or(email_active_playbook = $playbook OR phone_active_playbook = $playbook) AS here,
        max({'at': last_ended_at, 'playbook': last_ended_playbook, 'as': last_ended_as}) FILTER (
            WHERE last_ended_at IS NOT NULL
        ) AS last_ended,
        max(enrolments_total) AS enrolments_total,
        sum(redeemed_incentives)::BIGINT AS redeemed_incentives,
        max(last_redeemed_at) AS last_redeemed_at,
        CASE
            WHEN count(*) FILTER (WHERE redeemed_cost IS NULL) = 0 AND count(DISTINCT redeemed_currency) <= 1
                THEN within_money(sum(redeemed_cost))
        END AS redeemed_cost,
        min(redeemed_currency) AS redeemed_currency,
        count(*) FILTER (
            WHERE customer_id IS DISTINCT FROM recipient
            AND (len(suppression_reasons) > 0 OR ledger_suppressed_reason IS NOT NULL)
        ) AS contacts_said_no,
        -- nobody of the account buys if none of its contacts does, each for himself
        round(10000 * list_product(list_sort(list(churn / 10000) FILTER (WHERE churn IS NOT NULL))))::BIGINT AS churn,
        10000 - round(
            10000 * list_product(list_sort(list(1 - alive / 10000) FILTER (WHERE alive IS NOT NULL)))
        )::BIGINT AS alive,
        sum(expected_purchases)::BIGINT AS expected_purchases,
        within_money(sum(expected_value)) AS expected_value,
        list_sort(list(DISTINCT score_method) FILTER (WHERE score_method IS NOT NULL)) AS score_methods
    FROM member
    GROUP BY account_id
),
ranked AS (
    SELECT
        account_id,
        row_number() OVER place AS value_rank,
        count(*) OVER (PARTITION BY business_segment, currency) AS value_ranked
    FROM accounts
    WHERE annual_value IS NOT NULL
    WINDOW place AS (PARTITION BY business_segment, currency ORDER BY annual_value DESC, account_id)
)
SELECT
    r.* EXCLUDE (owner_of_account, recipient) REPLACE (
        coalesce(r.customer_id, 'account:' || a.account_id) AS customer_id,
        a.account_id AS account_id,
        coalesce(a.business_segment, r.business_segment) AS business_segment,
        coalesce(r.fit, a.fit, t.contacts_fit) AS fit,
        coalesce(a.fit, t.contacts_fit) AS account_fit,
        coalesce(r.relationship, a.relationship) AS relationship,
        coalesce(a.relationship, CASE WHEN t.contacts_normal THEN 'normal' END) AS account_relationship,
        CASE WHEN r.customer_id IS NULL THEN a.has_notes ELSE r.has_notes END AS has_notes,
        a.has_notes AS account_has_notes,
        coalesce(t.another_owner, a.owner_id) AS contact_owner_id,
        a.owner_id AS account_owner_id,
        true AS account_known,
        lower(trim(a.status)) AS account_status,
        a.cancelled_at AS account_cancelled_at,
        a.cancellation_reason AS account_cancellation_reason,
        a.inactivity_reason AS account_given_reason,
        CASE WHEN lower(trim(a.tier)) IN ('high', 'mid', 'low') THEN lower(trim(a.tier)) END AS given_value_tier,
        k.value_rank AS margin_rank,
        k.value_ranked AS margin_ranked,
        false AS is_subscriber_only,
        t.last_seen AS last_seen,
        t.last_email_opened AS last_email_opened,
        t.last_email_link_clicked AS last_email_link_clicked,
        t.last_purchase_at AS last_purchase_at,
        t.last_order_at AS last_order_at,
        t.last_booking_at AS last_booking_at,
        t.last_subscription_at AS last_subscription_at,
        t.last_open_at AS last_open_at,
        t.last_click_at AS last_click_at,
        t.last_visit_at AS last_visit_at,
        t.last_login_at AS last_login_at,
        t.last_usage_at AS last_usage_at,
        t.last_reply_at AS last_reply_at,
        coalesce(t.purchases, 0) AS purchases,
        coalesce(t.subscriptions, 0) AS subscriptions,
        t.period_end AS period_end,
        CASE WHEN NOT t.subscribes THEN t.subscription_cancelled_at END AS subscription_cancelled_at,
        coalesce(t.discounted_purchases, 0) AS discounted_purchases,
        CASE WHEN t.one_currency THEN t.currency END AS currency,
        CASE WHEN t.one_currency THEN t.revenue END AS revenue,
        CASE WHEN t.one_currency THEN t.revenue_24m END AS revenue_24m,
        CASE WHEN t.one_currency THEN t.margin_24m END AS margin_24m,
        CASE WHEN t.one_currency THEN t.margin_revenue_24m END AS margin_revenue_24m,
        coalesce(r.sent_180d, 0) AS sent_180d,
        coalesce(r.suppression_reasons, []) AS suppression_reasons,
        coalesce(r.suppression_ids, []) AS suppression_ids,
        coalesce(t.broken_tables, []) AS broken_tables,
        list_sort(list_distinct(list_concat(
            coalesce(t.shared_relationships, []), coalesce(t.relationships, [])
        ))) AS shared_relationships,
        coalesce(t.open_case_ids, []) AS open_case_ids,
        coalesce(t.past_case_ids, []) AS past_case_ids,
        t.cancellation.at AS cancellation_case_at,
        t.cancellation.id AS cancellation_case_id,
        t.problem.at AS problem_case_at,
        t.problem.id AS problem_case_id,
        CASE WHEN r.customer_id IS NULL THEN 'missing' ELSE r.email_problem END AS email_problem,
        CASE WHEN r.customer_id IS NULL THEN 'missing' ELSE r.phone_problem END AS phone_problem,
        coalesce(r.email_shared, false) AS email_shared,
        coalesce(r.phone_shared, false) AS phone_shared,
        coalesce(r.email_crowded, false) AS email_crowded,
        coalesce(r.shares_address_with, []) AS shares_address_with,
        coalesce(r.zones, []) AS zones,
        coalesce(r.zone_sources, []) AS zone_sources,
        coalesce(r.tags, []) AS tags,
        t.another_playbook AS email_active_playbook,
        CASE WHEN t.here THEN $playbook END AS phone_active_playbook,
        t.last_ended.at AS last_ended_at,
        t.last_ended.playbook AS last_ended_playbook,
        t.last_ended.as AS last_ended_as,
        coalesce(t.enrolments_total, 0) AS enrolments_total,
        coalesce(r.sms_sent_7d, 0) AS sms_sent_7d,
        coalesce(t.redeemed_incentives, 0) AS redeemed_incentives,
        t.last_redeemed_at AS last_redeemed_at,
        t.redeemed_cost AS redeemed_cost,
        t.redeemed_currency AS redeemed_currency,
        ('0x' || left(sha256($salt || ':' || a.account_id), 8))::UBIGINT::BIGINT AS holdout_point,
        t.churn AS churn,
        t.alive AS alive,
        t.expected_purchases AS expected_purchases,
        CASE WHEN t.one_currency THEN t.revenue // nullif(t.purchases, 0) END AS expected_order,
        CASE WHEN t.one_currency THEN t.expected_value END AS expected_value,
        list_aggregate(t.score_methods, 'string_agg', '+') AS score_method,
        NULL::BIGINT AS frequency,
        NULL::BIGINT AS recency_days,
        NULL::BIGINT AS age_days,
        ('0x' || left(sha256($salt || ':variant:' || a.account_id), 8))::UBIGINT::BIGINT AS variant_point,
        ('0x' || left(sha256($salt || ':rung:' || a.account_id), 8))::UBIGINT::BIGINT AS rung_point,
        list_transform(
            $skips::VARCHAR[],
            lambda touch: ('0x' || left(sha256($salt || ':' || touch || ':' || a.account_id), 8))::UBIGINT::BIGINT
        ) AS skip_points
    ),
    a.expected_interval_days,
    coalesce(list_contains($dormant_statuses::VARCHAR[], lower(trim(a.status))), false) AS said_dormant,
    ten_thousandths(a.annual_value::DECIMAL(18, 4)) AS annual_value,
    a.currency AS annual_currency,
    coalesce(t.account_contacts, []) AS account_contacts,
    coalesce(t.account_email_keys, []) AS account_email_keys,
    coalesce(t.account_phone_keys, []) AS account_phone_keys,
    coalesce(t.contacts_said_no, 0) AS contacts_said_no,
    r.customer_id IS NOT NULL AS recipient_known,
    a.next_step IS NOT NULL AS has_next_step,
    a.renewal_at,
    d.owner_decision,
    d.owner_decided_at,
    d.owner_hold_until,
    d.owner_knew_noes
FROM accounts AS a
LEFT JOIN together AS t USING (account_id)
LEFT JOIN member AS r ON r.account_id = a.account_id AND r.customer_id = r.recipient
LEFT JOIN ranked AS k ON k.account_id = a.account_id
LEFT JOIN owner_decisions AS d ON d.account_id = a.account_id
ORDER BY coalesce(r.customer_id, 'account:' || a.account_id)
