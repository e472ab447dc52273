"""dim_staff: staff, each with their department."""

from totes.star_schema import Dimension, Join, integer, text

DIM_STAFF = Dimension(
    name="dim_staff",
    meaning="Staff, each with the department.",
    source="staff",
    key="staff_id",
    joins=(Join(table="department", key="department_id", on="department_id"),),
    columns=(
        integer("staff_id", meaning="The member of staff."),
        text("first_name", meaning="The first name."),
        text("last_name", meaning="The last name."),
        text("department_name", meaning="The name of the department.", of="department.department_name"),
        text(
            "location",
            meaning="Where the department is; NULL where nobody said.",
            of="department.location",
            nullable=True,
        ),
        text("email_address", meaning="The e-mail address."),
    ),
)
