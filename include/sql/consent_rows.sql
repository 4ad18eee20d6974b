-- Purpose: every consent record of the brand (`*` is every brand) as the places whose law it must satisfy.
-- Parameters: $brand text; $purposes list of texts.
-- Grain: one row per consents.record_id of the brand; ordered by customer_id, channel, record_id.
-- Why so: whether a record permits is a rule (policy/permission.py); here is only what the rule asks about. Withdrawals
--   and objections count for every purpose, grants only for the purposes of a win-back message.
SELECT
    consents.customer_id,
    consents.channel,
    consents.record_id,
    consents.state,
    consents.basis,
    consents.occurred_at,
    greatest(consents.occurred_at, consents.confirmed_at) AS last_evidence_at,
    consents.event_date,
    coalesce(list_contains($purposes::VARCHAR[], consents.purpose), false) AS right_purpose,
    consents.method IS NOT NULL AS has_method,
    consents.disclosure_version IS NOT NULL AS has_disclosure_version,
    consents.evidence_ref IS NOT NULL AS has_evidence_ref,
    coalesce(consents.affirmative_action, false) AS has_affirmative_action,
    coalesce(consents.collected_by_brand = consents.brand, false) AS has_collected_by_brand,
    consents.confirmed_at IS NOT NULL AS has_confirmed_at,
    consents.confirmed_at,
    coalesce(list_contains(consents.conditions, 'obtained_in_sale'), false) AS is_obtained_in_sale,
    coalesce(list_contains(consents.conditions, 'own_similar_products'), false) AS is_own_similar_products,
    coalesce(list_contains(consents.conditions, 'opt_out_at_collection'), false) AS is_opt_out_at_collection,
    coalesce(list_contains(consents.conditions, 'opt_out_in_every_message'), false) AS is_opt_out_in_every_message,
    coalesce(list_contains(consents.conditions, 'no_objection'), false) AS is_no_objection,
    coalesce(list_contains(consents.conditions, 'not_prechecked'), false) AS is_not_prechecked,
    coalesce(list_contains(consents.conditions, 'not_condition_of_purchase'), false) AS is_not_condition_of_purchase
FROM consents
WHERE consents.brand IN ($brand, '*')
ORDER BY consents.customer_id, consents.channel, consents.record_id
