-- Purpose: every consent record of the brand (`*` is every brand), with what the rules ask about it.
-- Parameters: $brand text; $purposes list of texts.
-- Grain: one row per record_id of the brand; ordered by customer_id, channel, record_id.
-- Why so: whether a record permits is a rule (policy/permission.py); here is only what the rule asks about. Withdrawals
--   and objections count for every purpose, grants only for the purposes of a win-back message.
SELECT
    customer_id,
    channel,
    record_id,
    state,
    basis,
    occurred_at,
    event_date,
    coalesce(list_contains($purposes::VARCHAR[], purpose), false) AS right_purpose,
    method IS NOT NULL AS has_method,
    disclosure_version IS NOT NULL AS has_disclosure_version,
    evidence_ref IS NOT NULL AS has_evidence_ref,
    coalesce(affirmative_action, false) AS has_affirmative_action,
    coalesce(collected_by_brand = brand, false) AS has_collected_by_brand,
    confirmed_at,
    coalesce(list_contains(conditions, 'obtained_in_sale'), false) AS is_obtained_in_sale,
    coalesce(list_contains(conditions, 'own_similar_products'), false) AS is_own_similar_products,
    coalesce(list_contains(conditions, 'opt_out_at_collection'), false) AS is_opt_out_at_collection,
    coalesce(list_contains(conditions, 'opt_out_in_every_message'), false) AS is_opt_out_in_every_message,
    coalesce(list_contains(conditions, 'no_objection'), false) AS is_no_objection,
    coalesce(list_contains(conditions, 'not_prechecked'), false) AS is_not_prechecked,
    coalesce(list_contains(conditions, 'not_condition_of_purchase'), false) AS is_not_condition_of_purchase
FROM consents
WHERE brand IN ($brand, '*')
ORDER BY customer_id, channel, record_id
