-- Purpose     purchases condensed to what the decisions ask of them.
-- Parameters  $as_of, $since_24m, $since_90d (the beginning of a day): microseconds since 1970; table purchases: the good rows, one per purchase_id, instants
--             in microseconds since 1970, money in whole ten-thousandths
-- Grain       one customer with at least one purchase at the as-of
-- Why         ten million rows stay where they are and one per customer crosses. This one text runs in DuckDB and, put
--             into their dialects, in PostgreSQL and SQLite: whole numbers only, so that the same rows give the same
--             figures everywhere; the twelve months become a list, the numbers instants and money, after they arrived.
--             A cancelled order or booking is no purchase from its cancellation on; a cancelled subscription was one, and
--             its end is told apart. Money is null where currencies are mixed: no rate is known here. Every choice of
--             "the last" or "the most frequent" has a tie broken to the end, so that threads do not show. A gap counts
--             days between distinct purchase days: two purchases on one day are one occasion. Months are counted over the
--             last 24 months, January first.
--             What was known 90 days ago is kept beside, so that scores can be held against what came since; a period of a
--             subscription is due a week after its end, and renewed by one that begins until then.
WITH counted AS NOT MATERIALIZED (
    SELECT
        customer_id, purchase_id, occurred_at, kind, amount, currency, margin, discount, offer_code, category, product,
        period_end,
        CASE WHEN cancelled_at <= $as_of THEN cancelled_at END AS cancelled_at,
        occurred_at > $since_24m AS recent,
        day_of(occurred_at) AS day,
        occurred_at >= $since_90d AS held_out,
        CASE WHEN occurred_at > $since_24m THEN month_of(day_of(occurred_at)) END AS month
    FROM purchases
    WHERE occurred_at <= $as_of AND (kind = 'subscription' OR cancelled_at IS NULL OR cancelled_at > $as_of)
), condensed AS (
    SELECT
        customer_id,
        count(*) AS purchases,
        count(DISTINCT day) AS purchase_days,
        count(DISTINCT CASE WHEN held_out THEN day END) AS purchase_days_90d,
        max(occurred_at) FILTER (WHERE NOT held_out) AS last_purchase_before_90d_at,
        min(occurred_at) AS first_purchase_at,
        max(occurred_at) AS last_purchase_at,
        max(occurred_at) FILTER (WHERE kind = 'order') AS last_order_at,
        max(occurred_at) FILTER (WHERE kind = 'booking') AS last_booking_at,
        max(occurred_at) FILTER (WHERE kind = 'subscription') AS last_subscription_at,
        max(occurred_at) FILTER (WHERE category IS NOT NULL) AS last_category_at,
        max(occurred_at) FILTER (WHERE product IS NOT NULL) AS last_product_at,
        count(*) FILTER (WHERE kind = 'order') AS orders,
        count(*) FILTER (WHERE kind = 'booking') AS bookings,
        count(*) FILTER (WHERE kind = 'subscription') AS subscriptions,
        max(period_end) AS period_end,
        min(currency) AS currency,
        max(currency) AS other_currency,
        sum(amount) AS revenue,
        coalesce(sum(amount) FILTER (WHERE recent), 0) AS revenue_24m,
        sum(margin) FILTER (WHERE recent) AS margin_24m,
        sum(amount) FILTER (WHERE recent AND margin IS NOT NULL) AS margin_revenue_24m,
        count(margin) AS margin_known_rows,
        count(*) FILTER (WHERE discount > 0) AS discounted_purchases,
        coalesce(sum(discount), 0) AS discount_total,
        max(day) - min(day) AS days_between,
        count(offer_code) AS codes_redeemed,
        count(*) FILTER (WHERE month = 1) AS month_1,
        count(*) FILTER (WHERE month = 2) AS month_2,
        count(*) FILTER (WHERE month = 3) AS month_3,
        count(*) FILTER (WHERE month = 4) AS month_4,
        count(*) FILTER (WHERE month = 5) AS month_5,
        count(*) FILTER (WHERE month = 6) AS month_6,
        count(*) FILTER (WHERE month = 7) AS month_7,
        count(*) FILTER (WHERE month = 8) AS month_8,
        count(*) FILTER (WHERE month = 9) AS month_9,
        count(*) FILTER (WHERE month = 10) AS month_10,
        count(*) FILTER (WHERE month = 11) AS month_11,
        count(*) FILTER (WHERE month = 12) AS month_12
    FROM counted
    GROUP BY customer_id
), periods AS (
    SELECT
        customer_id,
        day_of(period_end) AS ends,
        lead(day) OVER (PARTITION BY customer_id ORDER BY day, period_end, purchase_id) - day_of(period_end) AS pause
    FROM counted
    WHERE kind = 'subscription' AND period_end IS NOT NULL
), renewals AS (
    SELECT
        customer_id,
        count(*) FILTER (WHERE ends + 7 <= day_of($as_of)) AS periods_due,
        count(*) FILTER (WHERE ends + 7 <= day_of($as_of) AND pause <= 7) AS periods_renewed,
        count(*) FILTER (WHERE ends + 90 <= day_of($as_of) AND (pause IS NULL OR pause > 7)) AS periods_lapsed,
        count(*) FILTER (WHERE ends + 90 <= day_of($as_of) AND pause > 7 AND pause <= 90) AS periods_restarted
    FROM periods
    GROUP BY customer_id
), mixed AS (
    SELECT customer_id, count(DISTINCT currency) AS currencies
    FROM counted
    WHERE customer_id IN (SELECT customer_id FROM condensed WHERE currency <> other_currency)
    GROUP BY customer_id
), favourite AS (
    -- one row each already; grouped, because SQLite would else read them all again for each customer
    SELECT customer_id, min(category) AS top_category
    FROM (
        SELECT
            customer_id,
            category,
            row_number() OVER (PARTITION BY customer_id ORDER BY n DESC, latest DESC, category) AS place
        FROM (
            SELECT customer_id, category, count(*) AS n, max(occurred_at) AS latest
            FROM counted
            WHERE category IS NOT NULL
            GROUP BY customer_id, category
        ) AS per_category
    ) AS ranked
    WHERE place = 1
    GROUP BY customer_id
), last AS (
    -- at one instant the greatest name, and a subscription that goes on before one that was cancelled
    SELECT
        c.customer_id,
        max(c.category) FILTER (WHERE c.occurred_at = l.last_category_at) AS last_category,
        max(c.product) FILTER (WHERE c.occurred_at = l.last_product_at) AS last_product,
        count(*) FILTER (WHERE c.kind = 'subscription' AND c.occurred_at = l.last_subscription_at) AS ending,
        count(c.cancelled_at) FILTER (WHERE c.kind = 'subscription' AND c.occurred_at = l.last_subscription_at) AS ended,
        max(c.cancelled_at) FILTER (WHERE c.kind = 'subscription' AND c.occurred_at = l.last_subscription_at) AS ended_at
    FROM counted AS c
    JOIN condensed AS l ON l.customer_id = c.customer_id
    WHERE c.occurred_at IN (l.last_category_at, l.last_product_at, l.last_subscription_at)
    GROUP BY c.customer_id
)
SELECT
    condensed.customer_id, purchases, purchase_days, first_purchase_at, last_purchase_at, last_order_at, last_booking_at,
    last_subscription_at, orders, bookings, subscriptions, period_end,
    CASE WHEN ended = ending THEN ended_at END AS subscription_cancelled_at,
    CASE WHEN currency = other_currency THEN currency END AS currency,
    coalesce(currencies, CASE WHEN currency IS NULL THEN 0 ELSE 1 END) AS currencies,
    CASE WHEN currency = other_currency THEN within_money(revenue) END AS revenue,
    CASE WHEN currency = other_currency THEN within_money(revenue_24m) END AS revenue_24m,
    CASE WHEN currency = other_currency THEN within_money(margin_24m) END AS margin_24m,
    CASE WHEN currency = other_currency THEN within_money(margin_revenue_24m) END AS margin_revenue_24m,
    margin_known_rows, discounted_purchases,
    CASE WHEN currency = other_currency THEN within_money(discount_total) END AS discount_total,
    days_between * 86400 AS gap_seconds_total,
    purchase_days - 1 AS gaps,
    top_category, last_category, last_product, codes_redeemed,
    purchases - purchase_days AS same_day_merges,
    purchase_days_90d, last_purchase_before_90d_at,
    coalesce(periods_due, 0) AS periods_due, coalesce(periods_renewed, 0) AS periods_renewed,
    coalesce(periods_lapsed, 0) AS periods_lapsed, coalesce(periods_restarted, 0) AS periods_restarted,
    month_1, month_2, month_3, month_4, month_5, month_6, month_7, month_8, month_9, month_10, month_11, month_12
FROM condensed
LEFT JOIN renewals ON renewals.customer_id = condensed.customer_id
LEFT JOIN mixed ON mixed.customer_id = condensed.customer_id
LEFT JOIN favourite ON favourite.customer_id = condensed.customer_id
LEFT JOIN last ON last.customer_id = condensed.customer_id
