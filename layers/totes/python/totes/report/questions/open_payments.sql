-- What is not paid yet, and how late is it? A payment's age is the days from its date to the day of the newest batch.
-- One of a kind that the shop has added, or whose type waits in quarantine, is here, and in no view of what is due by age.
-- A payment whose order is gone is still here; in report.payments it has neither a sales order nor a purchase order.
--
-- payment_id: the payment
-- counterparty_id: who pays, or is paid
-- kind: SALES_RECEIPT, SALES_REFUND, PURCHASE_PAYMENT or PURCHASE_REFUND; one that the shop has added; or unknown
-- currency: the ISO 4217 code of the payment's currency
-- amount: the amount, in the currency
-- payment_date: the day on which it was or is to be paid
-- age: not due, or days since it was due: 0-30, 31-60, 61-90 or 91+; what is due on the very day is 0-30, not overdue
-- converted: the amount in the reporting currency, to the cent; NULL where there is no rate of the day it was entered or before
-- rate_day: the day of the rate that it is converted by; NULL where none is needed, or there is none
SELECT
    payment_id,
    counterparty_id,
    payment_type_name AS kind,
    currency_code AS currency,
    payment_amount AS amount,
    payment_date,
    CASE
        WHEN overdue < 0 THEN 'not due'
        WHEN overdue <= 30 THEN '0-30'
        WHEN overdue <= 60 THEN '31-60'
        WHEN overdue <= 90 THEN '61-90'
        ELSE '91+'
    END AS age,
    round(payment_amount / rate, 2) AS converted,
    rate_day
FROM (
    SELECT *, (SELECT as_of_day FROM report.freshness) - payment_date AS overdue
    FROM public.current_payment
    WHERE NOT paid
) AS open
JOIN public.dim_payment_type USING (payment_type_id)
JOIN public.dim_currency USING (currency_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = dim_currency.currency_id AND rated.day = open.created_date
