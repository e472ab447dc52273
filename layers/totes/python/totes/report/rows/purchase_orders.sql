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
SELECT
    purchase_order_id,
    created_date AS day,
    staff_id,
    counterparty_id,
    item_code,
    item_quantity AS quantity,
    item_unit_price AS unit_price,
    currency_id,
    agreed_payment_date AS payment_day,
    agreed_delivery_date AS delivery_day,
    agreed_delivery_location_id AS location_id,
    batch_id AS batch,
    versions
FROM current_purchase_order
JOIN (SELECT purchase_order_id, count(*) AS versions FROM fact_purchase_order GROUP BY 1) AS held
    USING (purchase_order_id)
