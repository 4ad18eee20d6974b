-- Purpose     offers as a snapshot keeps them.
-- Parameters  none; table typed_offers
-- Grain       one offer
-- Why         nothing in them is personal; whether one has begun or ended is for the decision to ask.
SELECT * EXCLUDE (row, bad) FROM typed_offers WHERE NOT bad ORDER BY offer_id
