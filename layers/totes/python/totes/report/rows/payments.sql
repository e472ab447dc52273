-- Every payment that there is, as it stands now.
--
-- payment_id: the payment
-- day: the day on which it was entered
-- sales_order_id: the sales order that it pays, in report.sales_orders; NULL where it pays none
-- purchase_order_id: the purchase order that it pays, in report.purchase_orders; NULL where it pays none
-- counterparty_id: who pays, or is paid, in report.counterparties
-- amount: the amount, in the payment's currency
-- currency_id: the payment's currency, in report.currencies
-- payment_type_id: whether it is a receipt, a payment or a refund, in report.payment_types
-- paid: whether it is paid
-- payment_day: the day on which it was or is to be paid
-- batch: the batch that brought it as it stands now, in report.batches
-- versions: how many versions of it there are, in report.payment_versions
-- converted: the amount in the reporting currency, to the cent; NULL where there is no rate of that day or before
-- rate_day: the day of the rate that it is converted by, in report.exchange_rates; NULL where none is needed, or there is none
-- first_batch: the batch that brought the first version of it, in report.batches
-- paid_since: the batch since which every version says that it is paid; NULL where it is not paid
SELECT
    payment_id,
    created_date AS day,
    sales_order_id,
    purchase_order_id,
    counterparty_id,
    payment_amount AS amount,
    current_payment.currency_id,
    payment_type_id,
    paid,
    payment_date AS payment_day,
    current_payment.batch_id AS batch,
    versions,
    round(payment_amount / rate, 2) AS converted,
    rate_day,
    first_batch,
    CASE
        WHEN NOT paid THEN NULL
        WHEN last_unpaid IS NULL THEN first_batch
        ELSE (
            SELECT min(batch_id)
            FROM public.fact_payment AS version
            WHERE version.payment_id = current_payment.payment_id AND version.batch_id > last_unpaid
        )
    END AS paid_since
FROM public.current_payment
/* LEFT, though each has one: so PostgreSQL leaves it out where nothing of it is wanted. */
LEFT JOIN (
    SELECT payment_id, count(*) AS versions, min(batch_id) AS first_batch, max(batch_id) FILTER (WHERE NOT paid) AS last_unpaid
    FROM public.fact_payment
    GROUP BY 1
) AS held USING (payment_id)
LEFT JOIN public.dim_transaction USING (transaction_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = current_payment.currency_id AND rated.day = current_payment.created_date
