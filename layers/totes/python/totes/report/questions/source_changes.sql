-- How has the shape of the source changed? Columns, partitions, labels of enums or tables that are others than before,
-- and the batch that saw it.
--
-- batch: the batch
-- seen: when the source was read for it
-- what: the change
SELECT batch_id AS batch, captured_at AS seen, what
FROM etl.drift
JOIN etl.batch USING (batch_id)
