"""dim_counterparty: who buys and who supplies, each with their legal address."""

from totes.shapes import Dimension, Join, integer, text

DIM_COUNTERPARTY = Dimension(
    name="dim_counterparty",
    source="counterparty",
    key="counterparty_id",
    joins=(Join(table="address", key="address_id", on="legal_address_id"),),
    columns=(
        integer("counterparty_id"),
        text("counterparty_legal_name"),
        text("counterparty_legal_address_line_1", of="address.address_line_1"),
        text("counterparty_legal_address_line_2", of="address.address_line_2", nullable=True),
        text("counterparty_legal_district", of="address.district", nullable=True),
        text("counterparty_legal_city", of="address.city"),
        text("counterparty_legal_postal_code", of="address.postal_code"),
        text("counterparty_legal_country", of="address.country"),
        text("counterparty_legal_phone_number", of="address.phone"),
    ),
)
