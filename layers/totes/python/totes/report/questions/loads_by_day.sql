-- How much comes in, and how late? The lag of a batch is the time from the reading of the source to its load.
--
-- day: the day on which batches were loaded, UTC
-- batches: how many batches
-- rows_in: how many rows they brought, over all star tables; days that facts name are rows of dim_date
-- versions: how many of these said something new
-- deleted: how many rows were gone
-- quarantined: how many could not become star rows
-- median_lag_seconds: half of the batches were loaded within so many seconds
-- greatest_lag_seconds: all of them were
SELECT
    (loaded_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS batches,
    sum(rows_in)::bigint AS rows_in,
    sum(versions)::bigint AS versions,
    sum(deleted)::bigint AS deleted,
    sum(quarantined)::bigint AS quarantined,
    round(extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY loaded_at - captured_at)), 3)
        AS median_lag_seconds,
    round(extract(epoch FROM max(loaded_at - captured_at)), 3) AS greatest_lag_seconds
FROM etl.batch
LEFT JOIN (
    SELECT
        batch_id,
        sum(rows_in) AS rows_in,
        sum(versions) AS versions,
        sum(deleted) AS deleted,
        sum(quarantined) AS quarantined
    FROM etl.batch_table
    GROUP BY batch_id
) AS counted USING (batch_id)
GROUP BY 1
