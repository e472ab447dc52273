-- From whom do we buy? Cost is item quantity times item unit price, of orders as they are now, in their own currency.
--
-- month: the first day of the month in which purchase orders were made
-- counterparty_id: the supplier
-- counterparty: its legal name
-- currency: the ISO 4217 code of the orders' currency
-- orders: how many purchase orders
-- items: how many items
-- cost: quantity times unit price, in the currency
-- converted: the cost in the reporting currency, of the orders for which there is a rate (report.exchange_rates); NULL where there is none
SELECT
    date_trunc('month', created_date::timestamp)::date AS month,
    counterparty_id,
    counterparty_legal_name AS counterparty,
    currency_code AS currency,
    count(*) AS orders,
    sum(item_quantity) AS items,
    sum(item_quantity * item_unit_price) AS cost,
    sum(round(item_quantity * item_unit_price / rate, 2)) AS converted
FROM public.current_purchase_order
JOIN public.dim_counterparty USING (counterparty_id)
JOIN public.dim_currency USING (currency_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = dim_currency.currency_id AND rated.day = current_purchase_order.created_date
GROUP BY 1, counterparty_id, counterparty_legal_name, currency_code
