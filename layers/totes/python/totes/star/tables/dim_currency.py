"""dim_currency: currencies, each with its name in ISO 4217."""

from totes.star.iso_4217 import CURRENCY_NAMES
from totes.star_schema import Dimension, integer, text

DIM_CURRENCY = Dimension(
    name="dim_currency",
    meaning="Currencies, each with its name in ISO 4217.",
    source="currency",
    key="currency_id",
    columns=(
        integer("currency_id", meaning="The currency."),
        text("currency_code", meaning="Its code in ISO 4217."),
        text("currency_name", meaning="Its name in ISO 4217.", of="currency_code", names=CURRENCY_NAMES),
    ),
)
