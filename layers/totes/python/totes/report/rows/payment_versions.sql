-- Every version of every payment: what each batch said that changed it.
--
-- payment_id: the payment
-- batch: the batch that brought this version, in report.batches
-- deleted: whether it says that the payment is gone from the shop; its other columns are those of the version before
-- day: the day on which the payment was entered
-- sales_order_id: the sales order that it pays, in report.sales_orders; NULL where it pays none
-- purchase_order_id: the purchase order that it pays, in report.purchase_orders; NULL where it pays none
-- counterparty_id: who pays, or is paid, in report.counterparties
-- amount: the amount, in the payment's currency
-- currency_id: the payment's currency, in report.currencies
-- payment_type_id: whether it is a receipt, a payment or a refund, in report.payment_types
-- paid: whether it is paid
-- payment_day: the day on which it was or is to be paid
-- linked_by: the batch that last changed the transaction that it pays, in report.batches; NULL where none is known
-- converted: the amount in the reporting currency, to the cent; NULL where there is no rate of that day or before
-- rate_day: the day of the rate that it is converted by, in report.exchange_rates; NULL where none is needed, or there is none
SELECT
    payment_id,
    fact_payment.batch_id AS batch,
    fact_payment.is_deleted AS deleted,
    created_date AS day,
    sales_order_id,
    purchase_order_id,
    counterparty_id,
    payment_amount AS amount,
    fact_payment.currency_id,
    payment_type_id,
    paid,
    payment_date AS payment_day,
    dim_transaction.batch_id AS linked_by,
    round(payment_amount / rate, 2) AS converted,
    rate_day
FROM public.fact_payment
LEFT JOIN public.dim_transaction USING (transaction_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = fact_payment.currency_id AND rated.day = fact_payment.created_date
