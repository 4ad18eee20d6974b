-- Purpose     the products that a purchase history names.
-- Parameters  none; table typed_purchases: good rows, one per purchase_id
-- Grain       one product
-- Why         its category is the most frequent one beside it, ties by the alphabet; a history has no names, so the id is it.
SELECT
    product AS product_id, product AS name,
    coalesce(min({'rows': -rows, 'category': category}).category, 'unknown') AS category
FROM (
    SELECT product, category, count(*) AS rows FROM typed_purchases WHERE product IS NOT NULL GROUP BY ALL
)
GROUP BY product
ORDER BY product
