-- Every purchase order that there is, as it stands now.
--
-- purchase_order_id: the purchase order
-- day: the day on which it was made
-- staff_id: who made it, in report.staff
-- counterparty_id: the supplier, in report.counterparties
-- item_code: what was ordered, in the supplier's code
-- quantity: how many items were ordered
-- unit_price: the price of an item, in the order's currency
-- currency_id: the order's currency, in report.currencies
-- payment_day: the day on which it is to be paid, as agreed
-- delivery_day: the day on which it is to be delivered, as agreed
-- location_id: where it is to be delivered to, in report.locations
-- batch: the batch that brought it as it stands now, in report.batches
-- versions: how many versions of it there are, in report.purchase_order_versions
-- converted: the order's value in the reporting currency, to the cent; NULL where there is no rate of that day or before
-- rate_day: the day of the rate that it is converted by, in report.exchange_rates; NULL where none is needed, or there is none
-- first_batch: the batch that brought the first version of it, in report.batches
SELECT
    purchase_order_id,
    created_date AS day,
    staff_id,
    counterparty_id,
    item_code,
    item_quantity AS quantity,
    item_unit_price AS unit_price,
    current_purchase_order.currency_id,
    agreed_payment_date AS payment_day,
    agreed_delivery_date AS delivery_day,
    agreed_delivery_location_id AS location_id,
    batch_id AS batch,
    versions,
    round(item_quantity * item_unit_price / rate, 2) AS converted,
    rate_day,
    first_batch
FROM public.current_purchase_order
/* LEFT, though each has one: so PostgreSQL leaves it out where nothing of it is wanted. */
LEFT JOIN (
    SELECT purchase_order_id, count(*) AS versions, min(batch_id) AS first_batch
    FROM public.fact_purchase_order
    GROUP BY 1
) AS held USING (purchase_order_id)
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = current_purchase_order.currency_id AND rated.day = current_purchase_order.created_date
