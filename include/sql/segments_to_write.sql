-- Purpose     what a table of our segments in another system lacks, or has of people who are in them no more.
-- Parameters  $playbooks: those whose segments are known now; views ours and theirs (customer_id, playbook, segment,
--             since) and erased (customer_id)
-- Grain       one customer in one segment of one playbook; left_it: the row is to go. Ordered
-- Why         the key alone is compared: since when somebody is in a segment is what the run said that first found them
--             there. A playbook that has found nothing yet says nothing about anybody, so its rows stay.
SELECT ours.customer_id, ours.playbook, ours.segment, date_trunc('second', ours.since) AS since, FALSE AS left_it
FROM ours
ANTI JOIN theirs USING (customer_id, playbook, segment)
UNION ALL
SELECT theirs.customer_id, theirs.playbook, theirs.segment, theirs.since, TRUE AS left_it
FROM theirs
ANTI JOIN ours USING (customer_id, playbook, segment)
ANTI JOIN erased USING (customer_id)
WHERE list_contains($playbooks, theirs.playbook)
ORDER BY ALL
