-- Receipts, payments and refunds.
--
-- payment_type_id: the type of payment
-- name: SALES_RECEIPT, SALES_REFUND, PURCHASE_PAYMENT or PURCHASE_REFUND; one that the shop has added; or unknown
-- deleted: whether it is gone from the shop; also true of one that waits in quarantine and was never in the star
SELECT payment_type_id, payment_type_name AS name, is_deleted AS deleted
FROM public.dim_payment_type
