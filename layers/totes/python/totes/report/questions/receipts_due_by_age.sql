-- What are we owed, and since when? A payment that is not paid is overdue once its date is before the day of the newest batch.
-- Of the kinds SALES_RECEIPT and PURCHASE_REFUND; what is open of any but the four kinds that are known is in report.open_payments alone.
-- A payment whose order is gone still counts, until the shop deletes it too, or marks it as paid; report.open_payments says how to find it.
--
-- currency: the ISO 4217 code of the payments' currency
-- age: not due, or days since it was due: 0-30, 31-60, 61-90 or 91+; what is due on the very day is 0-30, not overdue
-- payments: how many payments
-- amount: their sum, in the currency
-- oldest: the earliest date on which one of them was to be paid
-- converted: the sum in the reporting currency, of the payments for which there is a rate (report.exchange_rates); NULL where there is none
SELECT
    currency,
    age,
    count(*) AS payments,
    sum(amount) AS amount,
    min(payment_date) AS oldest,
    sum(converted) AS converted
FROM report.open_payments
WHERE kind IN ('SALES_RECEIPT', 'PURCHASE_REFUND')
GROUP BY currency, age
