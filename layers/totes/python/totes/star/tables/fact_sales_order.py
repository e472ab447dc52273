"""fact_sales_order: every captured version of a sales order."""

from totes.star_schema import Fact, date, decimal, integer, time

FACT_SALES_ORDER = Fact(
    name="fact_sales_order",
    meaning="Every captured version of a sales order.",
    source="sales_order",
    record_id="sales_record_id",
    key="sales_order_id",
    current_view="current_sales_order",
    columns=(
        integer("sales_order_id", meaning="Which sales order this is a version of."),
        date("created_date", meaning="The day on which the order was made.", of="created_at"),
        time(
            "created_time",
            meaning="The time of that day, as the shop's clock says, without a zone.",
            of="created_at",
        ),
        date(
            "last_updated_date",
            meaning="The day on which the shop last changed it, as the shop says.",
            of="last_updated",
        ),
        time(
            "last_updated_time",
            meaning="The time of that day, as the shop's clock says, without a zone.",
            of="last_updated",
        ),
        integer("sales_staff_id", meaning="Who made the sale.", of="staff_id"),
        integer("counterparty_id", meaning="The customer."),
        integer("units_sold", meaning="How many bags were ordered."),
        decimal("unit_price", 10, 2, meaning="The price of a bag, in the order's currency."),
        integer("currency_id", meaning="The order's currency."),
        integer("design_id", meaning="The design of the bags."),
        date("agreed_payment_date", meaning="The day on which it is to be paid."),
        date("agreed_delivery_date", meaning="The day on which it is to be delivered."),
        integer("agreed_delivery_location_id", meaning="The address that it is to be delivered to."),
    ),
)
