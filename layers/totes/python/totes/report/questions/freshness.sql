-- How fresh is what these views say? As of the newest batch, which is the source as it was at one moment.
-- A run that finds no change makes no batch, so as_of of a quiet shop stays as it is, as it does if no run ends any more.
-- The alarms no-success and lag, and checked_at of the dashboard's status, tell the two apart.
--
-- batch: the newest batch that the warehouse holds
-- as_of: when the source was read for it
-- as_of_day: the day of that, UTC; what is due or overdue is so as of this day
-- loaded_at: when it was in the warehouse
-- quarantined: rows of the source that are missing, or still shown as they last could be, because they could not become rows of the star
SELECT
    batch_id AS batch,
    captured_at AS as_of,
    (captured_at AT TIME ZONE 'UTC')::date AS as_of_day,
    loaded_at,
    (SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL)
        + (SELECT count(*) FROM etl.rate_quarantine WHERE resolved_by IS NULL) AS quarantined
FROM etl.batch
ORDER BY batch_id DESC
LIMIT 1
