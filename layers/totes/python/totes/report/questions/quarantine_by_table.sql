-- Which rows are missing from these views, or still shown as they last could be? Source rows that could not become star
-- rows, and wait until they are fixed.
--
-- star_table: the star table that they are missing from, or in which they still are as they last could be
-- quarantined: how many source rows
-- since_batch: the first batch that brought one of them
-- since: when the source was read for that batch
SELECT
    star_table,
    count(*) AS quarantined,
    min(batch_id) AS since_batch,
    min(captured_at) AS since
FROM (
    SELECT star_table, batch_id, resolved_by FROM etl.quarantine
    UNION ALL
    SELECT star_table, batch_id, resolved_by FROM etl.rate_quarantine
) AS held
JOIN etl.batch USING (batch_id)
WHERE resolved_by IS NULL
GROUP BY star_table
