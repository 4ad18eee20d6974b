-- Purpose     how many rows per table say no, or may, about nobody that could be read.
-- Parameters  none; tables broken, emails, phones, suppressed_addresses
-- Grain       one table
-- Why         such a no cannot be obeyed, so the table is not ready.
SELECT b."table", count(*) AS rows
FROM broken AS b
WHERE b.customer_id IS NULL
    AND b.account_id IS NULL
    AND b.email NOT IN (SELECT text FROM emails WHERE address_key IS NOT NULL) IS NOT FALSE
    AND b.phone NOT IN (SELECT text FROM phones WHERE address_key IS NOT NULL) IS NOT FALSE
    AND b.address NOT IN (SELECT text FROM suppressed_addresses) IS NOT FALSE
GROUP BY b."table"
ORDER BY b."table"
