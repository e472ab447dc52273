"""Comments that an earlier totes wrote, word for word: they give way to today's, and are not taken for a person's.

Whoever changes a comment of a table, view or column adds what it was. An entry may go once no warehouse is upgraded any
more from a version that wrote it, or when its table, view or column is gone.
"""

_VERSION = "The version: counts up as versions are captured."
_DIMENSIONS = (
    "dim_counterparty",
    "dim_currency",
    "dim_date",
    "dim_design",
    "dim_location",
    "dim_payment_type",
    "dim_staff",
    "dim_transaction",
)

RETIRED = frozenset(
    {
        # Written until 25 November 2026.
        ("etl", "quarantine", "resolved_by", "The batch that brought the row again, mended or not; NULL: open."),
        # Written until 26 November 2026.
        ("etl", "batch_table", None, "What became of the rows of each batch, for each star table that it touched."),
        # Written until 28 November 2026.
        (
            "public",
            "fact_payment",
            None,
            "Every captured version of a payment; the account numbers stay out of the warehouse.",
        ),
        ("etl", "drift", None, "Columns of the source that were added, dropped or retyped."),
        ("public", "fact_payment", "payment_record_id", _VERSION),
        ("public", "current_payment", "payment_record_id", _VERSION),
        ("public", "fact_purchase_order", "purchase_record_id", _VERSION),
        ("public", "current_purchase_order", "purchase_record_id", _VERSION),
        ("public", "fact_sales_order", "sales_record_id", _VERSION),
        ("public", "current_sales_order", "sales_record_id", _VERSION),
        # Written until 30 November 2026.
        ("public", "dim_transaction", None, "What ties an order to its payment."),
        (
            "public",
            "fact_exchange_rate",
            None,
            "What a currency was worth on a day, as a public source said; nonsense is left out.",
        ),
        *(("public", dimension, "is_deleted", "Whether it is gone.") for dimension in _DIMENSIONS),
        *(
            ("public", relation, column, f"The time of that day. From {source}.{of}.")
            for source in ("payment", "purchase_order", "sales_order")
            for relation in (f"fact_{source}", f"current_{source}")
            for column, of in (("created_time", "created_at"), ("last_updated_time", "last_updated"))
        ),
    }
)
"""Schema, relation, column (None: the relation itself) and what its comment said."""
