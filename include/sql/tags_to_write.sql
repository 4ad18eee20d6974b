-- Purpose     what a table of our tags lacks in another system, or says otherwise than we do.
-- Parameters  none; views ours and theirs (customer_id, tag, set_at, removed_at)
-- Grain       one tag of one customer from when it was set; there: whether the table has it already. Ordered
-- Why         whole seconds: not every database keeps finer instants, and one that comes back otherwise than it was
--             written would be written again each time. What only the table has is not ours and stays as it is.
WITH said AS (
    SELECT
        customer_id,
        tag,
        date_trunc('second', set_at) AS set_at,
        CASE WHEN count(*) = count(removed_at) THEN date_trunc('second', max(removed_at)) END AS removed_at
    FROM ours
    GROUP BY ALL
)
SELECT said.customer_id, said.tag, said.set_at, said.removed_at, theirs.customer_id IS NOT NULL AS there
FROM said
LEFT JOIN theirs USING (customer_id, tag, set_at)
WHERE theirs.customer_id IS NULL OR said.removed_at IS DISTINCT FROM theirs.removed_at
ORDER BY ALL
