-- Purpose: what each touch to be drafted needs of its customer: who, where, and on which permission.
-- Parameters: $now instant.
-- Grain: one row per row of due (touch_id); ordered by touch_id.
-- Tables beside the snapshot's: due (touches), decisions (this run's). People is the personal file.
-- Why so: left joins, so that a touch whose customer or decision is gone stays visible and is held with that reason.
SELECT
    due.*,
    greatest(due.not_before, $now) AS earliest,
    decisions.decision,
    decisions.reason_codes[1] AS decisive,
    decisions.email_basis,
    decisions.sms_basis,
    decisions.gate_reachable,
    CASE due.channel WHEN 'sms' THEN decisions.sms_records ELSE decisions.email_records END AS basis_records,
    CASE due.channel WHEN 'sms' THEN contacts.phone_key ELSE contacts.email_key END AS current_key,
    contacts.zones,
    contacts.zone_sources,
    contacts.country,
    contacts.region,
    contacts.phone_country,
    people.email AS recipient,
    people.first_name
FROM due
LEFT JOIN decisions ON decisions.customer_id = due.customer_id
LEFT JOIN contacts ON contacts.customer_id = due.customer_id
LEFT JOIN people ON people.customer_id = due.customer_id AND people.kind = 'person'
ORDER BY due.touch_id
