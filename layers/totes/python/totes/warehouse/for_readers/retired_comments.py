"""Comments that an earlier totes wrote, word for word: they give way to today's, and are not taken for a person's.

Whoever changes a comment of a table, view or column adds what it was. An entry may go once no warehouse is upgraded any
more from a version that wrote it, or when its table, view or column is gone.
"""

_VERSION = "The version: counts up as versions are captured."

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
    }
)
"""Schema, relation, column (None: the relation itself) and what its comment said."""
