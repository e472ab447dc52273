-- How soon do we promise to deliver? Days from an order to its agreed delivery; the source does not say when it was.
--
-- month: the first day of the month in which orders were made
-- country: the country of the agreed place of delivery
-- orders: how many orders
-- median_days: half of them are to be delivered within so many days
-- ninety_percent_days: nine of ten are
SELECT
    date_trunc('month', created_date::timestamp)::date AS month,
    country,
    count(*) AS orders,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY agreed_delivery_date - created_date) AS median_days,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY agreed_delivery_date - created_date) AS ninety_percent_days
FROM public.current_sales_order
JOIN public.dim_location ON location_id = agreed_delivery_location_id
GROUP BY 1, country
