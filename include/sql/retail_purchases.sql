-- Purpose     the purchases in Online Retail's invoice lines.
-- Parameters  none; tables retail_lines (invoice, stock, units, invoiced_at, price, customer; customers known, in file order) and
--             retail_goods (stock, category)
-- Grain       one invoice of a customer that is no cancellation (a cancellation's number begins with C)
-- Why         a cancellation names no invoice, so only one that gives back exactly what an earlier invoice of the customer
--             sold, line by line, is known to cancel it: the latest such invoice, one at most. What comes back in part
--             changes no purchase. The product is the dearest of the invoice's goods; carriage and corrections are none.
WITH invoices AS (
    SELECT
        invoice, customer, invoice LIKE 'C%' AS back, min(invoiced_at) AS invoiced_at, min(line) AS line,
        abs(sum(units)) AS quantity, sum(units * price) AS amount,
        list_sort(list({'stock': stock, 'units': abs(units), 'price': price})) AS contents
    FROM retail_lines
    GROUP BY ALL
), cancellations AS (
    SELECT back.invoiced_at AS cancelled_at, max({'at': sold.invoiced_at, 'invoice': sold.invoice}).invoice AS invoice
    FROM invoices AS back
    JOIN invoices AS sold ON back.customer = sold.customer AND back.contents = sold.contents AND sold.invoiced_at <= back.invoiced_at
    WHERE back.back AND NOT sold.back
    GROUP BY back.invoice, back.invoiced_at
), cancelled AS (
    SELECT invoice, min(cancelled_at) AS cancelled_at FROM cancellations GROUP BY invoice
), dearest AS (
    SELECT invoice, min({'amount': -amount, 'stock': stock, 'category': category}) AS good
    FROM (
        SELECT invoice, stock, category, sum(units * price) AS amount
        FROM retail_lines JOIN retail_goods USING (stock)
        GROUP BY ALL
    )
    GROUP BY invoice
)
SELECT
    invoices.invoice AS purchase_id, customer AS customer_id, invoiced_at AS occurred_at, 'order' AS kind,
    CAST(amount AS DECIMAL(18, 4)) AS amount, 'GBP' AS currency, CAST(NULL AS DECIMAL(18, 4)) AS margin,
    CAST(NULL AS DECIMAL(18, 4)) AS discount, CAST(NULL AS VARCHAR) AS offer_code, good.category AS category,
    good.stock AS product, CAST(quantity AS BIGINT) AS quantity, CAST(NULL AS TIMESTAMPTZ) AS period_end, cancelled_at
FROM invoices
LEFT JOIN dearest USING (invoice)
LEFT JOIN cancelled USING (invoice)
WHERE NOT back
ORDER BY line
