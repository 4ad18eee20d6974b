-- Purpose     what each offer cost and brought: codes sent, codes redeemed, revenue of the redeeming purchases.
-- Parameters  none
-- Tables      sent, told (ledger/measured.py)
-- Grain       one row per (offer_id, currency); an offer nobody redeemed has one row without a currency
-- Why         a code used for a purchase that was cancelled was not redeemed. A redemption costs what the source says was
--             taken off, else what was signed for one, if that is in the same money; else its cost is unknown, and counted
--             apart. An offer is of the type (the step of the ladder) that it was sent as.
WITH redeemed AS (
    SELECT offer_id, purchase.currency, purchase.amount,
        coalesce(purchase.discount, CASE WHEN sent.unit_currency = purchase.currency THEN sent.unit_cost END) AS cost
    FROM told AS code
    JOIN sent USING (touch_id)
    JOIN told AS purchase ON purchase.event_id = code.about
    WHERE code.kind = 'redeemed'
        AND code.about NOT IN (SELECT about FROM told WHERE kind = 'cancelled' AND about IS NOT NULL)
),
by_offer AS (
    SELECT offer_id, currency, count(*) AS redeemed, sum(amount) AS revenue, sum(cost) AS cost,
        count(*) FILTER (cost IS NULL) AS cost_unknown
    FROM redeemed
    GROUP BY offer_id, currency
),
offered AS (
    SELECT offer_id, min(incentive) AS incentive, count(*) AS codes_sent
    FROM sent
    WHERE offer_id IS NOT NULL
    GROUP BY offer_id
)
SELECT offer_id, incentive, codes_sent, currency, coalesce(redeemed, 0) AS redeemed, revenue, cost,
    coalesce(cost_unknown, 0) AS cost_unknown
FROM offered LEFT JOIN by_offer USING (offer_id)
ORDER BY offer_id, currency NULLS LAST
