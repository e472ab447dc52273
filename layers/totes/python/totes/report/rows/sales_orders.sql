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
SELECT
    sales_order_id,
    created_date AS day,
    sales_staff_id AS staff_id,
    counterparty_id,
    units_sold AS units,
    unit_price,
    currency_id,
    design_id,
    agreed_payment_date AS payment_day,
    agreed_delivery_date AS delivery_day,
    agreed_delivery_location_id AS location_id,
    batch_id AS batch,
    versions
FROM current_sales_order
JOIN (SELECT sales_order_id, count(*) AS versions FROM fact_sales_order GROUP BY 1) AS held USING (sales_order_id)
