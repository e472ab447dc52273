"""fact_payment: every captured version of a payment; the account numbers stay out of the warehouse."""

from totes.shapes import Fact, boolean, date, decimal, integer, time

FACT_PAYMENT = Fact(
    name="fact_payment",
    source="payment",
    record_id="payment_record_id",
    key="payment_id",
    current_view="current_payment",
    columns=(
        integer("payment_id"),
        date("created_date", of="created_at"),
        time("created_time", of="created_at"),
        date("last_updated_date", of="last_updated"),
        time("last_updated_time", of="last_updated"),
        integer("transaction_id"),
        integer("counterparty_id"),
        decimal("payment_amount", 10, 2),
        integer("currency_id"),
        integer("payment_type_id"),
        boolean("paid"),
        date("payment_date"),
    ),
)
