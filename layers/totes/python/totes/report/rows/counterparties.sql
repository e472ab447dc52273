-- Who buys and who supplies; one that the shop has deleted stays, for orders of the past name it.
--
-- counterparty_id: the counterparty
-- name: its legal name
-- city: the city of its legal address
-- country: the country of its legal address
-- deleted: whether it is gone from the shop; also true of one that waits in quarantine and was never in the star
SELECT
    counterparty_id,
    counterparty_legal_name AS name,
    counterparty_legal_city AS city,
    counterparty_legal_country AS country,
    is_deleted AS deleted
FROM public.dim_counterparty
