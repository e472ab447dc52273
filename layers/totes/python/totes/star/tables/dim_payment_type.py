"""dim_payment_type: receipts, payments and refunds."""

from totes.star_schema import Dimension, integer, text

DIM_PAYMENT_TYPE = Dimension(
    name="dim_payment_type",
    meaning="Receipts, payments and refunds.",
    source="payment_type",
    key="payment_type_id",
    columns=(
        integer("payment_type_id", meaning="The type of payment."),
        text("payment_type_name", meaning="SALES_RECEIPT, SALES_REFUND, PURCHASE_PAYMENT or PURCHASE_REFUND."),
    ),
)
