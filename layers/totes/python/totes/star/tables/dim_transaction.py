"""dim_transaction: what ties an order to its payment."""

from totes.star_schema import Dimension, integer, text

DIM_TRANSACTION = Dimension(
    name="dim_transaction",
    meaning="What ties an order to its payment. From an order to its payment take those that are not is_deleted: one "
    "that was deleted and entered again is there twice.",
    source="transaction",
    key="transaction_id",
    columns=(
        integer("transaction_id", meaning="The transaction."),
        text("transaction_type", meaning="SALE or PURCHASE."),
        integer("sales_order_id", meaning="The sales order, where it is a sale.", nullable=True),
        integer("purchase_order_id", meaning="The purchase order, where it is a purchase.", nullable=True),
    ),
)
