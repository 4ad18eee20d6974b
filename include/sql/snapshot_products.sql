-- Purpose     products as a snapshot keeps them.
-- Parameters  none; table typed_products
-- Grain       one product
-- Why         nothing in them is personal and nothing has an as-of.
SELECT * EXCLUDE (row, bad) FROM typed_products WHERE NOT bad ORDER BY product_id
