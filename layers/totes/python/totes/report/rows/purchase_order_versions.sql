-- Every version of every purchase order: what each batch said that changed it.
--
-- purchase_order_id: the purchase order
-- batch: the batch that brought this version, in report.batches
-- deleted: whether it says that the order is gone from the shop; its other columns are those of the version before
-- day: the day on which the order was made
-- staff_id: who made it, in report.staff
-- counterparty_id: the supplier, in report.counterparties
-- item_code: what was ordered, in the supplier's code
-- quantity: how many items were ordered
-- unit_price: the price of an item, in the order's currency
-- currency_id: the order's currency, in report.currencies
-- payment_day: the day on which it is to be paid, as agreed
-- delivery_day: the day on which it is to be delivered, as agreed
-- location_id: where it is to be delivered to, in report.locations
-- converted: the order's value in the reporting currency, to the cent; NULL where there is no rate of that day or before
-- rate_day: the day of the rate that it is converted by, in report.exchange_rates; NULL where none is needed, or there is none
SELECT
    purchase_order_id,
    batch_id AS batch,
    is_deleted AS deleted,
    created_date AS day,
    staff_id,
    counterparty_id,
    item_code,
    item_quantity AS quantity,
    item_unit_price AS unit_price,
    fact_purchase_order.currency_id,
    agreed_payment_date AS payment_day,
    agreed_delivery_date AS delivery_day,
    agreed_delivery_location_id AS location_id,
    round(item_quantity * item_unit_price / rate, 2) AS converted,
    rate_day
FROM public.fact_purchase_order
LEFT JOIN report.exchange_rates AS rated
    ON rated.currency_id = fact_purchase_order.currency_id AND rated.day = fact_purchase_order.created_date
