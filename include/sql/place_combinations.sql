-- Purpose     the distinct combinations of what tells a contact's clock: country, region, profile zone, zones of the phone.
-- Parameters  none; tables typed_contacts and phones
-- Grain       one combination
-- Why         a million contacts live in a few thousand combinations, and only these are looked up one by one.
SELECT DISTINCT
    c.country,
    c.region,
    c.timezone,
    array_to_string(p.zones, ' ') AS phone_zones
FROM typed_contacts AS c
LEFT JOIN phones AS p ON p.text = c.phone AND p.country IS NOT DISTINCT FROM c.country
ORDER BY ALL
