-- What do we sell, day by day? Revenue is units sold times unit price, of orders as they are now, in their own currency.
--
-- day: the day on which orders were made
-- currency: the ISO 4217 code of the orders' currency
-- orders: how many orders
-- units: how many bags
-- revenue: units times unit price, in the currency
-- average_order: revenue of an order on average, in the currency
SELECT
    created_date AS day,
    currency_code AS currency,
    count(*) AS orders,
    sum(units_sold) AS units,
    sum(units_sold * unit_price) AS revenue,
    round(sum(units_sold * unit_price) / count(*), 2) AS average_order
FROM current_sales_order
JOIN dim_currency USING (currency_id)
GROUP BY created_date, currency_code
