"""dim_currency: currencies, each with its name in ISO 4217."""

from totes.shapes import Dimension, integer, text
from totes.star.iso_4217 import CURRENCY_NAMES

DIM_CURRENCY = Dimension(
    name="dim_currency",
    source="currency",
    key="currency_id",
    columns=(
        integer("currency_id"),
        text("currency_code"),
        text("currency_name", of="currency_code", names=CURRENCY_NAMES),
    ),
)
