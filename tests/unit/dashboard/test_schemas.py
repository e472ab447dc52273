"""The page reads what an earlier totes has published: a column that a file of then lacks is one that came later."""

from tests.support.page_schemas import page_schemas

_ORDER = "batch counterparty_id currency_id day delivery_day location_id payment_day staff_id unit_price"
_SALE, _PURCHASE = "design_id sales_order_id units", "item_code purchase_order_id quantity"
_PAYMENT = (
    "amount batch counterparty_id currency_id day paid payment_day payment_id payment_type_id purchase_order_id "
    "sales_order_id"
)

FIRST = {
    "sales_order": f"{_ORDER} {_SALE} versions",
    "purchase_order": f"{_ORDER} {_PURCHASE} versions",
    "payment": f"{_PAYMENT} versions",
    "sales_order_version": f"{_ORDER} {_SALE} deleted",
    "purchase_order_version": f"{_ORDER} {_PURCHASE} deleted",
    "payment_version": f"{_PAYMENT} deleted",
    "batch": "batch captured_at deleted loaded_at quarantined rows_in versions",
    "counterparty": "city counterparty_id country name",
    "staff": "department name place staff_id",
    "design": "design_id name",
    "location": "city country location_id",
    "currency": "code currency_id name",
    "exchange_rate": "currency_id day rate",
    "payment_type": "name payment_type_id",
    "open_quarantine": "batch key reason star_table",
    "drift": "batch what",
    "verification": "at batch differences equal",
}
"""The columns that every file of a table has, for it was published with them from its beginning. They stay these: what
was published stays as it is, and people look at it."""


def test_a_column_that_older_files_do_not_have_is_said_to_have_come_later() -> None:
    page = page_schemas()
    for table, columns in page.columns.items():
        assert table in FIRST, f"tests/unit/dashboard/test_schemas.py: FIRST lacks the columns of the new table {table}"
        strangers = sorted(columns - page.later - set(FIRST[table].split()))
        assert strangers == [], (
            f"dashboard/src/data/schemas.ts: no file of {table} that is published already has {', '.join(strangers)}, "
            "and so the page would show no older moment: name what is new in LATER too"
        )
