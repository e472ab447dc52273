"""dim_payment_type: receipts, payments and refunds."""

from totes.shapes import Dimension, integer, text

DIM_PAYMENT_TYPE = Dimension(
    name="dim_payment_type",
    source="payment_type",
    key="payment_type_id",
    columns=(integer("payment_type_id"), text("payment_type_name")),
)
