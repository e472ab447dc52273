-- The rows of a source that, as they are now, could not become rows of the star and wait to be fixed: which and why, not what they say.
--
-- star_table: the star table that the row is missing from, or in which it still is as it last could be
-- key: the row's key; of exchange rates the day, such as 20240305
-- reason: why it could not become a row of the star; what is quoted of the row is left out, for it may be personal
-- batch: the batch that brought it, in report.batches
-- stale: whether an earlier version of the row is in the star and still shown; otherwise the row is missing
SELECT
    star_table,
    key,
    CASE
        -- Each quotation by itself, where it is certain what ends it, for no value of the row has such a mark of its own;
        -- otherwise all from the first to the last.
        WHEN reason ~ '^([^''"]| is ''[^'']*'', (not |longer than |[0-9]+ bytes in ))*$'
                AND strpos(source_row::text, '''') = 0 AND source_row -> '_text' IS NULL
            THEN regexp_replace(reason, '''[^'']*''', '…', 'g')
        ELSE regexp_replace(reason, '[''"].*[''"]', '…')
    END AS reason,
    batch_id AS batch,
    CASE star_table
        WHEN 'dim_counterparty' THEN EXISTS (SELECT FROM public.dim_counterparty WHERE counterparty_id = key AND NOT is_deleted)
        WHEN 'dim_currency' THEN EXISTS (SELECT FROM public.dim_currency WHERE currency_id = key AND NOT is_deleted)
        WHEN 'dim_design' THEN EXISTS (SELECT FROM public.dim_design WHERE design_id = key AND NOT is_deleted)
        WHEN 'dim_location' THEN EXISTS (SELECT FROM public.dim_location WHERE location_id = key AND NOT is_deleted)
        WHEN 'dim_payment_type' THEN EXISTS (SELECT FROM public.dim_payment_type WHERE payment_type_id = key AND NOT is_deleted)
        WHEN 'dim_staff' THEN EXISTS (SELECT FROM public.dim_staff WHERE staff_id = key AND NOT is_deleted)
        WHEN 'dim_transaction' THEN EXISTS (SELECT FROM public.dim_transaction WHERE transaction_id = key AND NOT is_deleted)
        WHEN 'fact_payment' THEN EXISTS (SELECT FROM public.current_payment WHERE payment_id = key)
        WHEN 'fact_purchase_order' THEN EXISTS (SELECT FROM public.current_purchase_order WHERE purchase_order_id = key)
        WHEN 'fact_sales_order' THEN EXISTS (SELECT FROM public.current_sales_order WHERE sales_order_id = key)
        ELSE false
    END AS stale
FROM (
    SELECT star_table, key, reason, batch_id, resolved_by, source_row FROM etl.quarantine
    UNION ALL
    SELECT star_table, key, reason, batch_id, resolved_by, source_row FROM etl.rate_quarantine
) AS held
WHERE resolved_by IS NULL
