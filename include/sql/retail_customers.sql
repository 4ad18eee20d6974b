-- Purpose     the customers of Online Retail who bought, each with the country of the latest invoice.
-- Parameters  none; table retail_lines
-- Grain       one customer
-- Why         eight customers have invoices in two countries: the latest is where they are.
SELECT customer, max({'at': invoiced_at, 'invoice': invoice, 'country': country}).country AS country
FROM retail_lines
WHERE invoice NOT LIKE 'C%'
GROUP BY customer
ORDER BY customer
