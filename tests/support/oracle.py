"""The star as PostgreSQL itself derives it from the source: the brief's rules once more, in SQL, sharing no code."""

from typing import Any

from tests.support.databases import reader, rows

_CURRENCIES = "(VALUES ('GBP', 'Pound Sterling'), ('USD', 'US Dollar'), ('EUR', 'Euro')) AS iso (code, name)"

EXPECTED = {
    "fact_sales_order": """
        SELECT sales_order_id, created_at::date, created_at::time(3), last_updated::date, last_updated::time(3),
               staff_id, counterparty_id, units_sold, unit_price::numeric(10,2), currency_id, design_id,
               agreed_payment_date::date, agreed_delivery_date::date, agreed_delivery_location_id
        FROM sales_order ORDER BY sales_order_id""",
    "fact_purchase_order": """
        SELECT purchase_order_id, created_at::date, created_at::time(3), last_updated::date, last_updated::time(3),
               staff_id, counterparty_id, item_code, item_quantity, item_unit_price::numeric(10,2), currency_id,
               agreed_delivery_date::date, agreed_payment_date::date, agreed_delivery_location_id
        FROM purchase_order ORDER BY purchase_order_id""",
    "fact_payment": """
        SELECT payment_id, created_at::date, created_at::time(3), last_updated::date, last_updated::time(3),
               transaction_id, counterparty_id, payment_amount::numeric(10,2), currency_id, payment_type_id, paid,
               payment_date::date
        FROM payment ORDER BY payment_id""",
    "dim_staff": """
        SELECT staff_id, first_name, last_name, department_name, location, email_address
        FROM staff JOIN department USING (department_id) ORDER BY staff_id""",
    "dim_location": """
        SELECT address_id, address_line_1, address_line_2, district, city, postal_code, country, phone
        FROM address ORDER BY address_id""",
    "dim_currency": f"""
        SELECT currency_id, currency_code, iso.name FROM currency JOIN {_CURRENCIES} ON iso.code = currency_code
        ORDER BY currency_id""",
    "dim_design": "SELECT design_id, design_name, file_location, file_name FROM design ORDER BY design_id",
    "dim_counterparty": """
        SELECT counterparty_id, counterparty_legal_name, address_line_1, address_line_2, district, city, postal_code,
               country, phone
        FROM counterparty JOIN address ON address_id = legal_address_id ORDER BY counterparty_id""",
    "dim_payment_type": "SELECT payment_type_id, payment_type_name::text FROM payment_type ORDER BY payment_type_id",
    "dim_transaction": """
        SELECT transaction_id, transaction_type::text, sales_order_id, purchase_order_id
        FROM transaction ORDER BY transaction_id""",
}

ACTUAL = {
    "fact_sales_order": """
        SELECT sales_order_id, created_date, created_time, last_updated_date, last_updated_time, sales_staff_id,
               counterparty_id, units_sold, unit_price, currency_id, design_id, agreed_payment_date,
               agreed_delivery_date, agreed_delivery_location_id
        FROM current_sales_order ORDER BY sales_order_id""",
    "fact_purchase_order": """
        SELECT purchase_order_id, created_date, created_time, last_updated_date, last_updated_time, staff_id,
               counterparty_id, item_code, item_quantity, item_unit_price, currency_id, agreed_delivery_date,
               agreed_payment_date, agreed_delivery_location_id
        FROM current_purchase_order ORDER BY purchase_order_id""",
    "fact_payment": """
        SELECT payment_id, created_date, created_time, last_updated_date, last_updated_time, transaction_id,
               counterparty_id, payment_amount, currency_id, payment_type_id, paid, payment_date
        FROM current_payment ORDER BY payment_id""",
    "dim_staff": """
        SELECT staff_id, first_name, last_name, department_name, location, email_address
        FROM dim_staff WHERE NOT is_deleted ORDER BY staff_id""",
    "dim_location": """
        SELECT location_id, address_line_1, address_line_2, district, city, postal_code, country, phone
        FROM dim_location WHERE NOT is_deleted ORDER BY location_id""",
    "dim_currency": """
        SELECT currency_id, currency_code, currency_name
        FROM dim_currency WHERE NOT is_deleted ORDER BY currency_id""",
    "dim_design": """
        SELECT design_id, design_name, file_location, file_name
        FROM dim_design WHERE NOT is_deleted ORDER BY design_id""",
    "dim_counterparty": """
        SELECT counterparty_id, counterparty_legal_name, counterparty_legal_address_line_1,
               counterparty_legal_address_line_2, counterparty_legal_district, counterparty_legal_city,
               counterparty_legal_postal_code, counterparty_legal_country, counterparty_legal_phone_number
        FROM dim_counterparty WHERE NOT is_deleted ORDER BY counterparty_id""",
    "dim_payment_type": """
        SELECT payment_type_id, payment_type_name
        FROM dim_payment_type WHERE NOT is_deleted ORDER BY payment_type_id""",
    "dim_transaction": """
        SELECT transaction_id, transaction_type, sales_order_id, purchase_order_id
        FROM dim_transaction WHERE NOT is_deleted ORDER BY transaction_id""",
}

_CALENDAR = """
    SELECT day::date, extract(year FROM day)::int, extract(month FROM day)::int, extract(day FROM day)::int,
           extract(isodow FROM day)::int, trim(to_char(day, 'Day')), trim(to_char(day, 'Month')),
           extract(quarter FROM day)::int
    FROM unnest(%s::date[]) AS day ORDER BY day
"""


def assert_warehouse_mirrors(source: str, warehouse: str) -> None:
    """Hold the warehouse's current state against the source's, cell by cell, and dim_date against all facts."""
    with reader(warehouse) as of_warehouse, reader(source) as of_source:
        for table, query in EXPECTED.items():
            assert of_warehouse(ACTUAL[table]) == of_source(query), f"{table} differs from what the source says"
    assert_calendar_is_right(warehouse)


def assert_calendar_is_right(warehouse: str) -> None:
    """Every date of a fact is in dim_date, and dim_date says of each date what PostgreSQL says."""
    with reader(warehouse) as rows_of:
        fact_dates = {
            date
            for table in EXPECTED
            if table.startswith("fact_")
            for row in rows_of(f"SELECT * FROM {table}")
            for date in _dates_in(row)
        }
        calendar = rows_of(
            "SELECT date_id, year, month, day, day_of_week, day_name, month_name, quarter FROM dim_date ORDER BY 1"
        )
    known = [row[0] for row in calendar]
    assert fact_dates <= set(known), "a fact names a date that dim_date lacks"
    assert calendar == rows(warehouse, _CALENDAR, [known])


def _dates_in(row: tuple[Any, ...]) -> set[Any]:
    return {value for value in row if type(value).__name__ == "date"}
