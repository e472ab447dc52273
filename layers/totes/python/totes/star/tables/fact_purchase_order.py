"""fact_purchase_order: every captured version of a purchase order."""

from totes.star_schema import Fact, date, decimal, integer, text, time

FACT_PURCHASE_ORDER = Fact(
    name="fact_purchase_order",
    meaning="Every captured version of a purchase order.",
    source="purchase_order",
    record_id="purchase_record_id",
    key="purchase_order_id",
    current_view="current_purchase_order",
    columns=(
        integer("purchase_order_id", meaning="Which purchase order this is a version of."),
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
        integer("staff_id", meaning="Who made the order."),
        integer("counterparty_id", meaning="The supplier."),
        text("item_code", meaning="What was ordered, in the supplier's code."),
        integer("item_quantity", meaning="How many items were ordered."),
        decimal("item_unit_price", 10, 2, meaning="The price of an item, in the order's currency."),
        integer("currency_id", meaning="The order's currency."),
        date("agreed_delivery_date", meaning="The day on which it is to be delivered."),
        date("agreed_payment_date", meaning="The day on which it is to be paid."),
        integer("agreed_delivery_location_id", meaning="The address that it is to be delivered to."),
    ),
)
