-- Who sells, and in which department? Revenue is units sold times unit price, in the orders' own currency; orders of the past move with a person who moves.
--
-- month: the first day of the month in which orders were made
-- staff_id: whose orders they are
-- staff: first and last name
-- department: the department of that person as it is now
-- currency: the ISO 4217 code of the orders' currency
-- orders: how many orders
-- units: how many bags
-- revenue: units times unit price, in the currency
-- converted: the revenue in the reporting currency, of the orders for which there is a rate (report.exchange_rates); NULL where there is none
SELECT
    date_trunc('month', created_date::timestamp)::date AS month,
    staff_id,
    first_name || ' ' || last_name AS staff,
    department_name AS department,
    currency_code AS currency,
    count(*) AS orders,
    sum(units_sold) AS units,
    sum(units_sold * unit_price) AS revenue,
    sum(round(units_sold * unit_price / rate, 2)) AS converted
FROM public.current_sales_order
JOIN public.dim_staff ON staff_id = sales_staff_id
JOIN public.dim_currency USING (currency_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = dim_currency.currency_id AND rated.day = current_sales_order.created_date
GROUP BY 1, staff_id, first_name, last_name, department_name, currency_code
