-- What do we sell, day by day? Revenue is units sold times unit price, of orders as they are now, in their own currency.
--
-- day: the day on which orders were made
-- currency: the ISO 4217 code of the orders' currency
-- orders: how many orders
-- units: how many bags
-- revenue: units times unit price, in the currency
-- average_order: revenue of an order on average, in the currency
-- converted: the revenue in the reporting currency, of the orders for which there is a rate (report.exchange_rates); NULL where there is none
SELECT
    created_date AS day,
    currency_code AS currency,
    count(*) AS orders,
    sum(units_sold) AS units,
    sum(units_sold * unit_price) AS revenue,
    round(sum(units_sold * unit_price) / count(*), 2) AS average_order,
    sum(round(units_sold * unit_price / rate, 2)) AS converted
FROM public.current_sales_order
JOIN public.dim_currency USING (currency_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = dim_currency.currency_id AND rated.day = current_sales_order.created_date
GROUP BY created_date, currency_code
