-- The designs that are printed on bags; one that the shop has deleted stays, for orders of the past name it.
--
-- design_id: the design
-- name: its name
-- deleted: whether it is gone from the shop; also true of one that waits in quarantine and was never in the star
SELECT design_id, design_name AS name, is_deleted AS deleted
FROM public.dim_design
