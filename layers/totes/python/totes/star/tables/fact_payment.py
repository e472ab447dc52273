"""fact_payment: every captured version of a payment; the account numbers stay out of the star.

A payment in quarantine keeps all its source values, those too, in etl.quarantine, which `totes.roles` lets no reader
see.
"""

from totes.star_schema import Fact, boolean, date, decimal, integer, time

FACT_PAYMENT = Fact(
    name="fact_payment",
    meaning="Every captured version of a payment. The account numbers stay out of the star; a payment in quarantine "
    "keeps all its source values in etl.quarantine, which totes lets neither analysts nor the dashboard read.",
    source="payment",
    record_id="payment_record_id",
    key="payment_id",
    current_view="current_payment",
    columns=(
        integer("payment_id", meaning="Which payment this is a version of."),
        date("created_date", meaning="The day on which the payment was entered.", of="created_at"),
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
        integer("transaction_id", meaning="The transaction that it pays."),
        integer("counterparty_id", meaning="Who pays, or is paid."),
        decimal("payment_amount", 10, 2, meaning="The amount, in the payment's currency."),
        integer("currency_id", meaning="The payment's currency."),
        integer("payment_type_id", meaning="Whether it is a receipt, a payment or a refund."),
        boolean("paid", meaning="Whether it is paid."),
        date("payment_date", meaning="The day on which it was or is to be paid."),
    ),
)
