-- Where orders are delivered to, as far as a map shows it; one that the shop has deleted stays, for orders name it.
--
-- location_id: the address
-- city: its city
-- country: its country
-- deleted: whether it is gone from the shop; also true of one that waits in quarantine and was never in the star
SELECT location_id, city, country, is_deleted AS deleted
FROM public.dim_location
