-- Do we sell more than we buy? The month's revenue of sales orders beside its cost of purchase orders, by currency.
--
-- month: the first day of the month in which orders were made
-- currency: the ISO 4217 code of the orders' currency
-- revenue: of sales orders: units times unit price, in the currency
-- cost: of purchase orders: quantity times unit price, in the currency
-- difference: revenue less cost
-- converted_revenue: the revenue in the reporting currency, of the orders for which there is a rate (report.exchange_rates), others are left out; NULL where none has one, 0 where there are no orders
-- converted_cost: the cost likewise
SELECT
    month,
    currency_code AS currency,
    coalesce(sum(revenue), 0) AS revenue,
    coalesce(sum(cost), 0) AS cost,
    coalesce(sum(revenue), 0) - coalesce(sum(cost), 0) AS difference,
    /* Nothing is nothing in any currency; that something cannot be converted is another matter, and NULL. */
    CASE WHEN count(revenue) = 0 THEN 0 ELSE sum(round(revenue / rate, 2)) END AS converted_revenue,
    CASE WHEN count(cost) = 0 THEN 0 ELSE sum(round(cost / rate, 2)) END AS converted_cost
FROM (
    SELECT
        date_trunc('month', created_date::timestamp)::date AS month,
        currency_id,
        created_date AS day,
        units_sold * unit_price AS revenue,
        NULL::numeric AS cost
    FROM public.current_sales_order
    UNION ALL
    SELECT date_trunc('month', created_date::timestamp)::date, currency_id, created_date, NULL, item_quantity * item_unit_price
    FROM public.current_purchase_order
) AS traded
JOIN public.dim_currency USING (currency_id)
LEFT JOIN report.exchange_rates AS rated ON rated.currency_id = dim_currency.currency_id AND rated.day = traded.day
GROUP BY month, currency_code
