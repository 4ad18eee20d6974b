-- Purpose     purchases condensed to what the decisions ask of them.
-- Parameters  $as_of; table purchases: the good rows, one per purchase_id
-- Grain       one customer with at least one purchase at the as-of
-- Why         ten million rows stay where they are and one per customer crosses. A cancelled order or booking is no
--             purchase from its cancellation on; a cancelled subscription was one, and its end is told apart. Money is
--             null where currencies are mixed: no rate is known here. Sums are of decimals and every choice of "the
--             last" or "the most frequent" has a tie broken to the end, so that threads do not show. A gap counts days
--             between distinct purchase days: two purchases on one day are one occasion. Months are counted over the last
--             24 months, January first.
WITH counted AS (
    SELECT
        customer_id, purchase_id, occurred_at, kind, amount, currency, margin, discount, offer_code, category, product,
        period_end,
        CASE WHEN cancelled_at <= $as_of THEN cancelled_at END AS cancelled_at,
        occurred_at > CAST($as_of AS TIMESTAMPTZ) - INTERVAL 24 MONTH AS recent,
        CAST(occurred_at AS DATE) AS day,
        month(occurred_at) AS month
    FROM purchases
    WHERE occurred_at <= $as_of AND (kind = 'subscription' OR cancelled_at IS NULL OR cancelled_at > $as_of)
), condensed AS (
    SELECT
        customer_id,
        count(*) AS purchases,
        count(DISTINCT day) AS purchase_days,
        min(occurred_at) AS first_purchase_at,
        max(occurred_at) AS last_purchase_at,
        max(occurred_at) FILTER (kind = 'order') AS last_order_at,
        max(occurred_at) FILTER (kind = 'booking') AS last_booking_at,
        max(occurred_at) FILTER (kind = 'subscription') AS last_subscription_at,
        count(*) FILTER (kind = 'order') AS orders,
        count(*) FILTER (kind = 'booking') AS bookings,
        count(*) FILTER (kind = 'subscription') AS subscriptions,
        max(period_end) AS period_end,
        struct_extract(max({'at': occurred_at, 'id': purchase_id, 'cancelled_at': cancelled_at})
            FILTER (kind = 'subscription'), 'cancelled_at') AS subscription_cancelled_at,
        min(currency) AS currency,
        max(currency) AS other_currency,
        sum(amount) AS revenue,
        coalesce(sum(amount) FILTER (recent), 0) AS revenue_24m,
        sum(margin) FILTER (recent) AS margin_24m,
        sum(amount) FILTER (recent AND margin IS NOT NULL) AS margin_revenue_24m,
        count(margin) AS margin_known_rows,
        count(*) FILTER (discount > 0) AS discounted_purchases,
        coalesce(sum(discount), 0) AS discount_total,
        max(day) - min(day) AS days_between,
        struct_extract(max({'at': occurred_at, 'id': purchase_id, 'category': category})
            FILTER (category IS NOT NULL), 'category') AS last_category,
        struct_extract(max({'at': occurred_at, 'id': purchase_id, 'product': product})
            FILTER (product IS NOT NULL), 'product') AS last_product,
        count(offer_code) AS codes_redeemed,
        [count(*) FILTER (recent AND month = 1), count(*) FILTER (recent AND month = 2), count(*) FILTER (recent AND month = 3),
            count(*) FILTER (recent AND month = 4), count(*) FILTER (recent AND month = 5), count(*) FILTER (recent AND month = 6),
            count(*) FILTER (recent AND month = 7), count(*) FILTER (recent AND month = 8), count(*) FILTER (recent AND month = 9),
            count(*) FILTER (recent AND month = 10), count(*) FILTER (recent AND month = 11), count(*) FILTER (recent AND month = 12)
        ] AS month_counts
    FROM counted
    GROUP BY customer_id
), mixed AS (
    SELECT customer_id, count(DISTINCT currency) AS currencies
    FROM counted
    WHERE customer_id IN (SELECT customer_id FROM condensed WHERE currency <> other_currency)
    GROUP BY customer_id
), favourite AS (
    SELECT
        customer_id,
        struct_extract(min({'n': -n, 'at': -epoch_us("at"), 'category': category}), 'category') AS top_category
    FROM (
        SELECT customer_id, category, count(*) AS n, max(occurred_at) AS "at"
        FROM counted
        WHERE category IS NOT NULL
        GROUP BY customer_id, category
    )
    GROUP BY customer_id
)
SELECT
    customer_id, purchases, purchase_days, first_purchase_at, last_purchase_at, last_order_at, last_booking_at,
    last_subscription_at, orders, bookings, subscriptions, period_end, subscription_cancelled_at,
    CASE WHEN currency = other_currency THEN currency END AS currency,
    coalesce(currencies, CASE WHEN currency IS NULL THEN 0 ELSE 1 END) AS currencies,
    CASE WHEN currency = other_currency THEN revenue END AS revenue,
    CASE WHEN currency = other_currency THEN revenue_24m END AS revenue_24m,
    CASE WHEN currency = other_currency THEN margin_24m END AS margin_24m,
    CASE WHEN currency = other_currency THEN margin_revenue_24m END AS margin_revenue_24m,
    margin_known_rows, discounted_purchases,
    CASE WHEN currency = other_currency THEN discount_total END AS discount_total,
    days_between * 86400 AS gap_seconds_total,
    purchase_days - 1 AS gaps,
    top_category, last_category, last_product, codes_redeemed,
    purchases - purchase_days AS same_day_merges,
    month_counts
FROM condensed
LEFT JOIN mixed USING (customer_id)
LEFT JOIN favourite USING (customer_id)
ORDER BY customer_id
