"""dim_location: the addresses that orders are delivered to."""

from totes.shapes import Dimension, integer, text

DIM_LOCATION = Dimension(
    name="dim_location",
    source="address",
    key="location_id",
    columns=(
        integer("location_id", of="address_id"),
        text("address_line_1"),
        text("address_line_2", nullable=True),
        text("district", nullable=True),
        text("city"),
        text("postal_code"),
        text("country"),
        text("phone"),
    ),
)
