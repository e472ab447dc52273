-- Currencies, each with its name in ISO 4217.
--
-- currency_id: the currency
-- code: its code in ISO 4217
-- name: its name in ISO 4217
-- deleted: whether it is gone from the shop; also true of one that waits in quarantine and was never in the star
SELECT currency_id, currency_code AS code, currency_name AS name, is_deleted AS deleted
FROM public.dim_currency
