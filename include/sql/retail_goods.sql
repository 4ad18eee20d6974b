-- Purpose     the goods of Online Retail: every stock code that was sold to a known customer, with its usual description.
-- Parameters  none; table retail_lines
-- Grain       one stock code; codes that are carriage, charges or corrections are no goods
-- Why         descriptions are typed by hand; the most frequent one is the name, ties by the alphabet.
SELECT stock, max({'lines': lines, 'description': description}).description AS description
FROM (
    SELECT stock, description, count(*) AS lines
    FROM retail_lines
    WHERE units > 0 AND regexp_matches(stock, '^[0-9]{5}') AND description IS NOT NULL
    GROUP BY ALL
)
GROUP BY stock
ORDER BY stock
