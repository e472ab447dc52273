-- Staff, each with the department; one whom the shop has deleted stays, for orders of the past name them.
--
-- staff_id: the member of staff
-- name: first and last name
-- department: the name of the department as it is now
-- place: where the department is; NULL where nobody said
-- deleted: whether the person is gone from the shop; also true of one that waits in quarantine and was never in the star
SELECT
    staff_id,
    first_name || ' ' || last_name AS name,
    department_name AS department,
    location AS place,
    is_deleted AS deleted
FROM public.dim_staff
