-- The rows of a source that could not become rows of the star and wait to be fixed: which and why, not what they say.
--
-- star_table: the star table that the row is missing from
-- key: the row's key; of exchange rates the day, such as 20240305
-- reason: why it could not become a row of the star; what is quoted of the row is left out, for it may be personal
-- batch: the batch that brought it, in report.batches
SELECT star_table, key, regexp_replace(reason, '[''"].*[''"]', '…') AS reason, batch_id AS batch
FROM (
    SELECT star_table, key, reason, batch_id, resolved_by FROM etl.quarantine
    UNION ALL
    SELECT star_table, key, reason, batch_id, resolved_by FROM etl.rate_quarantine
) AS held
WHERE resolved_by IS NULL
