-- Purpose     contacts as a snapshot keeps them: no names or addresses, but their keys, problems and clocks.
-- Parameters  none; tables typed_contacts, emails, phones, places
-- Grain       one customer
-- Why         addresses are judged once per distinct text and joined here, so that the work grows with the number of
--             addresses and the row never carries one.
SELECT
    c.* EXCLUDE (row, bad, first_name, last_name, email, phone, relationship_notes),
    e.address_key AS email_key,
    p.address_key AS phone_key,
    CASE WHEN c.email IS NULL THEN 'missing' ELSE e.problem END AS email_problem,
    CASE WHEN c.phone IS NULL THEN 'missing' ELSE p.problem END AS phone_problem,
    p.phone_country,
    l.zones,
    l.zone_sources,
    c.relationship_notes IS NOT NULL AS has_notes
FROM typed_contacts AS c
LEFT JOIN emails AS e ON e.text = c.email
LEFT JOIN phones AS p ON p.text = c.phone AND p.country IS NOT DISTINCT FROM c.country
LEFT JOIN places AS l
    ON l.country IS NOT DISTINCT FROM c.country
    AND l.region IS NOT DISTINCT FROM c.region
    AND l.timezone IS NOT DISTINCT FROM c.timezone
    AND l.phone_zones IS NOT DISTINCT FROM array_to_string(p.zones, ' ')
WHERE NOT c.bad
ORDER BY customer_id
