-- What are we owed, and since when? A payment that is not paid is overdue once its date is before the day of the newest batch.
--
-- currency: the ISO 4217 code of the payments' currency
-- age: not due, or days overdue: 0-30, 31-60, 61-90 or 91+; one that is due on the very day is 0-30
-- payments: how many payments
-- amount: their sum, in the currency
-- oldest: the earliest date on which one of them was to be paid
SELECT
    currency_code AS currency,
    CASE
        WHEN overdue < 0 THEN 'not due'
        WHEN overdue <= 30 THEN '0-30'
        WHEN overdue <= 60 THEN '31-60'
        WHEN overdue <= 90 THEN '61-90'
        ELSE '91+'
    END AS age,
    count(*) AS payments,
    sum(payment_amount) AS amount,
    min(payment_date) AS oldest
FROM (
    SELECT *, (SELECT as_of_day FROM report.freshness) - payment_date AS overdue
    FROM current_payment
    WHERE NOT paid
) AS open
JOIN dim_payment_type USING (payment_type_id)
JOIN dim_currency USING (currency_id)
WHERE payment_type_name IN ('SALES_RECEIPT', 'PURCHASE_REFUND')
GROUP BY 1, 2
