-- How long do customers take to pay? Days from an order to the payment date of its receipt, of receipts that are paid;
-- whether the money came on that very day, the source does not say. A receipt whose order is gone, or has never left quarantine, is left out, paid or not.
--
-- month: the first day of the month in which orders were made
-- currency: the ISO 4217 code of the payments' currency
-- paid: how many receipts are paid
-- not_paid: how many are not
-- median_days: half of those that are paid took at most so many days
-- ninety_percent_days: nine of ten did
SELECT
    date_trunc('month', current_sales_order.created_date::timestamp)::date AS month,
    currency_code AS currency,
    count(*) FILTER (WHERE paid) AS paid,
    count(*) FILTER (WHERE NOT paid) AS not_paid,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY payment_date - current_sales_order.created_date)
        FILTER (WHERE paid) AS median_days,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY payment_date - current_sales_order.created_date)
        FILTER (WHERE paid) AS ninety_percent_days
FROM public.current_payment
JOIN public.dim_payment_type USING (payment_type_id)
JOIN public.dim_transaction USING (transaction_id)
JOIN public.current_sales_order USING (sales_order_id)
JOIN public.dim_currency ON dim_currency.currency_id = current_payment.currency_id
WHERE payment_type_name = 'SALES_RECEIPT'
GROUP BY 1, currency_code
