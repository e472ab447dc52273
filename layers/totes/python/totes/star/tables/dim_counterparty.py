"""dim_counterparty: who buys and who supplies, each with their legal address."""

from totes.star_schema import Dimension, Join, integer, text

DIM_COUNTERPARTY = Dimension(
    name="dim_counterparty",
    meaning="Who buys and who supplies, each with the legal address.",
    source="counterparty",
    key="counterparty_id",
    joins=(Join(table="address", key="address_id", on="legal_address_id"),),
    columns=(
        integer("counterparty_id", meaning="The counterparty."),
        text("counterparty_legal_name", meaning="Its legal name."),
        text(
            "counterparty_legal_address_line_1",
            meaning="The first line of its legal address.",
            of="address.address_line_1",
        ),
        text(
            "counterparty_legal_address_line_2",
            meaning="The second line of its legal address; NULL where there is none.",
            of="address.address_line_2",
            nullable=True,
        ),
        text(
            "counterparty_legal_district",
            meaning="The district of its legal address; NULL where there is none.",
            of="address.district",
            nullable=True,
        ),
        text("counterparty_legal_city", meaning="The city of its legal address.", of="address.city"),
        text(
            "counterparty_legal_postal_code", meaning="The postal code of its legal address.", of="address.postal_code"
        ),
        text("counterparty_legal_country", meaning="The country of its legal address.", of="address.country"),
        text("counterparty_legal_phone_number", meaning="The phone number of its legal address.", of="address.phone"),
    ),
)
