-- Purpose: what the scores are made from: how often, how recently and since when each customer bought, now and as it was
--   known 90 days ago, and the last period of a subscription.
-- Parameters: $at instant.
-- Grain: one row per customer with at least one purchase; ordered by customer_id.
-- Why so: joins only, no judgement. Days are whole UTC days (of dates: a division would round those before 1970 up, and
--   part them from the days of purchase_summary), money whole ten-thousandths (BIGINT). Who bought for the first time
--   within the 90 days has no history of then.
WITH day AS (
    SELECT
        customer_id, subscriptions, currency, purchases, subscription_cancelled_at IS NOT NULL AS cancelled,
        purchase_days, purchase_days_90d, gap_seconds_total // 86400 AS recency,
        date_diff('day', DATE '1970-01-01', $at::TIMESTAMPTZ::DATE) AS today,
        date_diff('day', DATE '1970-01-01', first_purchase_at::DATE) AS first,
        date_diff('day', DATE '1970-01-01', last_purchase_before_90d_at::DATE) AS last_then,
        date_diff('day', DATE '1970-01-01', last_subscription_at::DATE) AS begins,
        date_diff('day', DATE '1970-01-01', period_end::DATE) AS ends,
        ten_thousandths(revenue::DECIMAL(18, 4)) AS revenue,
        ten_thousandths(margin_24m::DECIMAL(18, 4)) AS margin_24m,
        ten_thousandths(margin_revenue_24m::DECIMAL(18, 4)) AS margin_revenue_24m,
        periods_due, periods_renewed, periods_lapsed, periods_restarted, month_counts
    FROM purchase_summary
)
SELECT
    day.customer_id,
    contacts.business_segment,
    day.subscriptions > 0 AS subscribed,
    purchase_days - 1 AS frequency,
    recency,
    today - first AS age,
    purchase_days - purchase_days_90d - 1 AS frequency_then,
    last_then - first AS recency_then,
    today - first - 90 AS age_then,
    purchase_days_90d > 0 AS returned,
    begins,
    ends,
    cancelled,
    today,
    periods_due,
    periods_renewed,
    periods_lapsed,
    periods_restarted,
    currency,
    purchases,
    revenue,
    margin_24m,
    margin_revenue_24m,
    month_counts
FROM day JOIN contacts USING (customer_id)
ORDER BY day.customer_id
