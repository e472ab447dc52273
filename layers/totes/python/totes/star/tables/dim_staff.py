"""dim_staff: staff, each with their department."""

from totes.shapes import Dimension, Join, integer, text

DIM_STAFF = Dimension(
    name="dim_staff",
    source="staff",
    key="staff_id",
    joins=(Join(table="department", key="department_id", on="department_id"),),
    columns=(
        integer("staff_id"),
        text("first_name"),
        text("last_name"),
        text("department_name", of="department.department_name"),
        text("location", of="department.location", nullable=True),
        text("email_address"),
    ),
)
