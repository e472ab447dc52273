"""dim_location: the addresses that orders are delivered to."""

from totes.star_schema import Dimension, integer, text

DIM_LOCATION = Dimension(
    name="dim_location",
    meaning="The addresses that orders are delivered to.",
    source="address",
    key="location_id",
    columns=(
        integer("location_id", meaning="The address.", of="address_id"),
        text("address_line_1", meaning="Its first line."),
        text("address_line_2", meaning="Its second line; NULL where there is none.", nullable=True),
        text("district", meaning="Its district; NULL where there is none.", nullable=True),
        text("city", meaning="Its city."),
        text("postal_code", meaning="Its postal code."),
        text("country", meaning="Its country."),
        text("phone", meaning="Its phone number."),
    ),
)
