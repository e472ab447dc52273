"""dim_transaction: what ties an order to its payment."""

from totes.shapes import Dimension, integer, text

DIM_TRANSACTION = Dimension(
    name="dim_transaction",
    source="transaction",
    key="transaction_id",
    columns=(
        integer("transaction_id"),
        text("transaction_type"),
        integer("sales_order_id", nullable=True),
        integer("purchase_order_id", nullable=True),
    ),
)
