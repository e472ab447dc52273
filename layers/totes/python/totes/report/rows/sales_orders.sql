-- Every sales order that there is, as it stands now.
--
-- sales_order_id: the sales order
-- day: the day on which it was made
-- staff_id: who made the sale, in report.staff
-- counterparty_id: the customer, in report.counterparties
-- units: how many bags were ordered
-- unit_price: the price of a bag, in the order's currency
-- currency_id: the order's currency, in report.currencies
-- design_id: the design of the bags, in report.designs
-- payment_day: the day on which it is to be paid, as agreed
-- delivery_day: the day on which it is to be delivered, as agreed
-- location_id: where it is to be delivered to, in report.locations
-- batch: the batch that brought it as it stands now, in report.batches
-- versions: how many versions of it there are, in report.sales_order_versions
-- converted: the order's value in the reporting currency, to the cent; NULL where there is no rate of that day or before
-- rate_day: the day of the rate that it is converted by, in report.exchange_rates; NULL where none is needed, or there is none
-- first_batch: the batch that brought the first version of it, in report.batches
SELECT
    sales_order_id,
    created_date AS day,
    sales_staff_id AS staff_id,
    counterparty_id,
    units_sold AS units,
    unit_price,
    current_sales_order.currency_id,
    design_id,
    agreed_payment_date AS payment_day,
    agreed_delivery_date AS delivery_day,
    agreed_delivery_location_id AS location_id,
    batch_id AS batch,
    versions,
    round(units_sold * unit_price / rate, 2) AS converted,
    rate_day,
    first_batch
FROM public.current_sales_order
/* LEFT, though each has one: so PostgreSQL leaves it out where nothing of it is wanted. */
LEFT JOIN (
    SELECT sales_order_id, count(*) AS versions, min(batch_id) AS first_batch
    FROM public.fact_sales_order
    GROUP BY 1
) AS held USING (sales_order_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = current_sales_order.currency_id AND rated.day = current_sales_order.created_date
