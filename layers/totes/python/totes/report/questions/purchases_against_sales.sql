-- Do we sell more than we buy? The month's revenue of sales orders beside its cost of purchase orders, by currency.
--
-- month: the first day of the month in which orders were made
-- currency: the ISO 4217 code of the orders' currency
-- revenue: of sales orders: units times unit price, in the currency
-- cost: of purchase orders: quantity times unit price, in the currency
-- difference: revenue less cost
SELECT
    month,
    currency_code AS currency,
    sum(revenue) AS revenue,
    sum(cost) AS cost,
    sum(revenue) - sum(cost) AS difference
FROM (
    SELECT date_trunc('month', created_date)::date AS month, currency_id, units_sold * unit_price AS revenue, 0 AS cost
    FROM current_sales_order
    UNION ALL
    SELECT date_trunc('month', created_date)::date, currency_id, 0, item_quantity * item_unit_price
    FROM current_purchase_order
) AS traded
JOIN dim_currency USING (currency_id)
GROUP BY month, currency_code
