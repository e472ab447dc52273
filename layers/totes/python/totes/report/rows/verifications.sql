-- Every comparison of the whole warehouse with the source, and how it ended.
--
-- at: when it ended
-- batch: the newest batch that the warehouse held, in report.batches
-- equal: whether the two said the same, but for what was on its way or in quarantine
-- differences: how many rows differed beyond that
SELECT at, batch_id AS batch, equal, differences
FROM etl.verification
