-- Every batch that the warehouse holds: when the shop was read for it, and how many rows came to which end.
--
-- batch: the batch
-- captured_at: when the source was read for it
-- loaded_at: when it was in the warehouse
-- rows_in: how many rows, days that facts name, and keys of rows that are gone it brought
-- versions: those that became a new version of a fact, or changed a dimension
-- deleted: those that closed a row which is gone from the source
-- quarantined: those that could not become rows of the star
SELECT
    batch_id AS batch,
    captured_at,
    loaded_at,
    coalesce(sum(rows_in), 0)::bigint AS rows_in,
    coalesce(sum(versions), 0)::bigint AS versions,
    coalesce(sum(deleted), 0)::bigint AS deleted,
    coalesce(sum(quarantined), 0)::bigint AS quarantined
FROM etl.batch
LEFT JOIN etl.batch_table USING (batch_id)
GROUP BY batch_id, captured_at, loaded_at
