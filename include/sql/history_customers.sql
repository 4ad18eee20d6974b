-- Purpose     the customers of a purchase history, each with the money of the last purchase.
-- Parameters  none; table typed_purchases: good rows, one per purchase_id
-- Grain       one customer
-- Why         a history of purchases knows no countries; the money paid is the nearest it has.
SELECT customer_id, max({'at': occurred_at, 'id': purchase_id, 'currency': currency}).currency AS currency
FROM typed_purchases
GROUP BY customer_id
ORDER BY customer_id
