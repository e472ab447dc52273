"""Values arrive exact: text byte for byte, decimals as decimals, milliseconds kept; what cannot is in quarantine."""

import datetime
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn

from tests.support.databases import execute, own_session, rows, session, value
from tests.support.oracle import assert_calendar_is_right, assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.capture import SOURCE_TABLES, capture
from totes.capture.source_schema import Family
from totes.errors import ContractError
from totes.star import STAR_TABLES
from totes.star.iso_4217 import CURRENCY_NAMES
from totes.verify import verify

HOSTILE = [
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "a\\.\n\\.\nb",
    "'; DROP TABLE fact_payment; --",
    '"',
    '""',
    "a,b;c\td",
    "line\nline\r\nline\rline",
    "back\\slash\\\\",
    "=1+1",
    "007",
    "1e5",
    "NaN",
    "👜 tôte ñ 漢字 \u202e",
    "e\u0301 and \u00e9",
    "\x01\x02\x7f",
    "x" * 1_000_000,
]


@pytest.mark.begun
def test_hostile_texts_arrive_byte_for_byte(pipeline: Pipeline) -> None:
    for text in HOSTILE:
        execute(
            pipeline.source,
            "INSERT INTO address (address_line_1, address_line_2, district, city, postal_code, country, phone, "
            "last_updated) VALUES (%(t)s, %(t)s, NULL, %(t)s, %(t)s, %(t)s, '', now())",
            {"t": text},
        )
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_byte_order_mark_at_the_beginning_of_what_is_read_is_kept(pipeline: Pipeline) -> None:
    """Of a table whose first column is a text, as one that was made again in another order."""
    execute(
        pipeline.source,
        "CREATE TABLE again AS SELECT file_name, design_id, design_name, file_location, created_at, last_updated "
        "FROM design WHERE design_id = 2; INSERT INTO again SELECT file_name, design_id, design_name, file_location, "
        "created_at, last_updated FROM design WHERE design_id <> 2; ALTER TABLE again ADD PRIMARY KEY (design_id);"
        "ALTER TABLE design RENAME TO design_old; ALTER TABLE again RENAME TO design",
    )
    pipeline.tick()
    execute(pipeline.source, "UPDATE design SET file_name = U&'\\FEFFmarked' WHERE design_id = 2")
    pipeline.tick()
    assert value(pipeline.warehouse, "SELECT file_name FROM dim_design WHERE design_id = 2") == "\ufeffmarked"
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            st.none() | st.text(st.sampled_from("\",\\\n\r\t.N 'é👜")),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_text_arrives_byte_for_byte(pipeline: Pipeline, texts: list[tuple[str, str | None]]) -> None:
    execute(
        pipeline.source,
        "UPDATE address SET address_line_1 = new.a, address_line_2 = new.b, district = new.b, city = new.a "
        "FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS new (a, b, id) WHERE address_id = id",
        [[a for a, _ in texts], [b for _, b in texts]],
    )
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.decimals("-99999999.99", "99999999.99", places=2),
    units=st.integers(-(2**31), 2**31 - 1),
    created=st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001
    agreed=st.dates(),
)
def test_any_number_and_moment_arrives_exact(
    pipeline: Pipeline, price: object, units: int, created: datetime.datetime, agreed: datetime.date
) -> None:
    execute(
        pipeline.source,
        "UPDATE sales_order SET unit_price = %s, units_sold = %s, created_at = %s, agreed_payment_date = %s "
        "WHERE sales_order_id = 5",
        [price, units, created, agreed.isoformat()],
    )
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize(
    ("edit", "table", "reason"),
    [
        (
            "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 5",
            "fact_sales_order",
            "agreed_delivery_date is 'TBC', not a date (yyyy-mm-dd) of the years 0001 to 9999",
        ),
        (
            "UPDATE sales_order SET agreed_delivery_date = '2024-02-30' WHERE sales_order_id = 5",
            "fact_sales_order",
            "agreed_delivery_date is '2024-02-30', not a date (yyyy-mm-dd) of the years 0001 to 9999",
        ),
        (
            "UPDATE payment SET created_at = 'infinity' WHERE payment_id = 5",
            "fact_payment",
            "created_at is 'infinity', not a time stamp of the years 0001 to 9999",
        ),
        (
            "UPDATE payment SET created_at = '0044-03-15 BC', payment_date = '' WHERE payment_id = 5",
            "fact_payment",
            (
                "created_at is '0044-03-15 00:00:00 BC', not a time stamp of the years 0001 to 9999; "
                "payment_date is '', not a date (yyyy-mm-dd) of the years 0001 to 9999"
            ),
        ),
        (
            "UPDATE payment SET last_updated = '12000-01-01' WHERE payment_id = 5",
            "fact_payment",
            "last_updated is '12000-01-01 00:00:00', not a time stamp of the years 0001 to 9999",
        ),
        (
            "UPDATE payment SET payment_amount = 'NaN' WHERE payment_id = 5",
            "fact_payment",
            "payment_amount is 'NaN', not a numeric(10,2)",
        ),
        (
            (
                "ALTER TABLE purchase_order ALTER item_quantity TYPE bigint;"
                "UPDATE purchase_order SET item_quantity = 3000000000 WHERE purchase_order_id = 5"
            ),
            "fact_purchase_order",
            "item_quantity is '3000000000', not a 32-bit integer",
        ),
        (
            (
                "ALTER TABLE purchase_order ALTER item_unit_price TYPE numeric;"
                "UPDATE purchase_order SET item_unit_price = 1.005 WHERE purchase_order_id = 5"
            ),
            "fact_purchase_order",
            "item_unit_price is '1.005', not a numeric(10,2)",
        ),
        (
            "UPDATE currency SET currency_code = 'TOT' WHERE currency_id = 2",
            "dim_currency",
            "currency_code is 'TOT', not a code with a known name",
        ),
    ],
)
@pytest.mark.begun
def test_a_row_that_cannot_be_converted_is_in_quarantine_with_its_reason_and_blocks_nobody(
    pipeline: Pipeline, edit: str, table: str, reason: str
) -> None:
    execute(pipeline.source, edit)
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 77 WHERE sales_order_id = 6")
    loaded = pipeline.tick()
    assert loaded.tables[table].quarantined == 1
    assert rows(pipeline.warehouse, "SELECT star_table, reason FROM etl.quarantine") == [(table, reason)]
    assert value(pipeline.warehouse, "SELECT units_sold FROM current_sales_order WHERE sales_order_id = 6") == 77


def test_a_quarantined_row_keeps_every_original_value(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET created_at = '-infinity', payment_date = 'soon' WHERE payment_id = 5")
    pipeline.tick()
    row = value(pipeline.warehouse, "SELECT source_row FROM etl.quarantine")
    original = value(pipeline.source, "SELECT to_jsonb(payment) FROM payment WHERE payment_id = 5")
    assert row.pop("_raw") == '{"created_at":"-infinity"}'
    assert row.pop("created_at") is None
    assert row["payment_date"] == "soon"
    assert row["company_ac_number"] == str(original["company_ac_number"])
    assert row.keys() == original.keys() - {"created_at"}


@pytest.mark.begun
def test_a_quarantined_row_read_again_makes_no_second_batch(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET created_at = 'infinity', payment_amount = 'NaN' WHERE payment_id = 5")
    pipeline.tick()
    execute(pipeline.source, "UPDATE payment SET created_at = created_at WHERE payment_id IN (5, 6, 7)")
    assert pipeline.capture().batch is None


@pytest.mark.begun
def test_a_fixed_row_leaves_quarantine(pipeline: Pipeline) -> None:
    history = []
    for date in ("TBC", "TBD", "2031-12-24"):
        execute(pipeline.source, "UPDATE sales_order SET agreed_delivery_date = %s WHERE sales_order_id = 5", [date])
        pipeline.tick()
        history.append(rows(pipeline.warehouse, "SELECT batch_id, resolved_by FROM etl.quarantine ORDER BY batch_id"))
    assert history == [[(2, None)], [(2, 3), (3, None)], [(2, 3), (3, 4)]]
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_row_put_back_to_what_the_warehouse_holds_leaves_quarantine(pipeline: Pipeline) -> None:
    was = value(pipeline.source, "SELECT agreed_delivery_date FROM sales_order WHERE sales_order_id = 5")
    edit = "UPDATE sales_order SET agreed_delivery_date = %s WHERE sales_order_id = 5"
    execute(pipeline.source, edit, ["TBC"])
    pipeline.tick()
    execute(pipeline.source, edit, [was])
    assert pipeline.tick().tables["fact_sales_order"].unchanged == 1
    assert value(pipeline.warehouse, "SELECT resolved_by FROM etl.quarantine") == 3


@pytest.mark.begun
def test_a_department_named_again_brings_its_staff_out_of_quarantine(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE department ALTER department_name DROP NOT NULL")
    busy = "(SELECT department_id FROM staff GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)"
    execute(pipeline.source, f"UPDATE department SET department_name = NULL WHERE department_id = {busy}")
    loaded = pipeline.tick()
    assert loaded.tables["dim_staff"].quarantined > 0
    reason = "SELECT DISTINCT reason FROM etl.quarantine"
    assert value(pipeline.warehouse, reason) == "department.department_name is NULL"
    execute(pipeline.source, "UPDATE department SET department_name = 'Named' WHERE department_name IS NULL")
    pipeline.tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_department_without_a_location_keeps_its_staff_in_the_dimension(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE department SET location = NULL WHERE department_id IN (1, 2, 3)")
    assert pipeline.tick().quarantined == 0
    lost = (
        "SELECT count(*) FROM fact_sales_order LEFT JOIN dim_staff ON staff_id = sales_staff_id WHERE staff_id IS NULL"
    )
    assert value(pipeline.warehouse, lost) == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("written", [" 2031-12-24", "2031-12-24 ", "\t2031-12-24\r\n"])
@pytest.mark.begun
def test_a_blank_around_a_date_keeps_nothing_from_the_warehouse(pipeline: Pipeline, written: str) -> None:
    execute(
        pipeline.source,
        "UPDATE sales_order SET agreed_delivery_date = %s, units_sold = 77 WHERE sales_order_id = 5",
        [written],
    )
    assert pipeline.tick().tables["fact_sales_order"].versions == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert_calendar_is_right(pipeline.warehouse)


def assert_nothing_has_changed(pipeline: Pipeline) -> None:
    loaded = pipeline.tick()
    assert loaded.batches.count == 1, "the lake has the rows of the new type"
    assert (loaded.quarantined, {counts.versions for counts in loaded.tables.values()}) == (0, {0})
    assert_is_the_shops_in_utc(pipeline)


def assert_is_the_shops_in_utc(pipeline: Pipeline) -> None:
    assert_warehouse_mirrors(f"{pipeline.source}?options=-ctimezone%3DUTC", pipeline.warehouse)
    with own_session(pipeline.source, "source") as source, session(pipeline.warehouse) as warehouse:
        assert verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES).differences == 0


@pytest.mark.parametrize("precision", ["(3)", ""], ids=["milliseconds", "microseconds"])
@pytest.mark.begun
def test_a_time_stamp_that_gets_a_time_zone_is_read_in_utc_whatever_zone_the_source_has(
    pipeline: Pipeline, precision: str
) -> None:
    retyped = ", ".join(f"ALTER {name} TYPE timestamp{precision} {{}}" for name in ("created_at", "last_updated"))
    with_zone, without = (
        "; ".join(f"ALTER TABLE {table} {retyped.replace('{}', zone)}" for table in ("payment", "sales_order"))
        for zone in ("with time zone", "without time zone")
    )
    execute(pipeline.source, f"SET timezone TO 'UTC'; {with_zone}")
    execute(pipeline.source, f"ALTER DATABASE {parse_dsn(pipeline.source)['dbname']} SET timezone TO 'Asia/Kathmandu'")
    assert_nothing_has_changed(pipeline)
    drift = f"column payment.created_at is timestamp{precision} with time zone, it was timestamp(3) without time zone"
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.drift WHERE what = %s", [drift]) == 1
    execute(pipeline.source, "UPDATE payment SET created_at = '2024-04-01 01:30:00.125+02:00' WHERE payment_id = 5")
    execute(pipeline.source, "UPDATE payment SET created_at = '2024-01-01 00:00:00' WHERE payment_id = 6")
    execute(pipeline.source, "UPDATE payment SET created_at = 'infinity' WHERE payment_id = 7")
    assert pipeline.tick().tables["fact_payment"].versions == 2
    stamps = "SELECT payment_id, created_date, created_time FROM current_payment WHERE payment_id IN (5, 6) ORDER BY 1"
    assert rows(pipeline.warehouse, stamps) == [
        (5, datetime.date(2024, 3, 31), datetime.time(23, 30, 0, 125000)),
        (6, datetime.date(2023, 12, 31), datetime.time(18, 15)),
    ]
    assert value(pipeline.warehouse, "SELECT reason FROM etl.quarantine") == (
        "created_at is 'infinity', not a time stamp of the years 0001 to 9999"
    )
    execute(pipeline.source, "UPDATE payment SET created_at = '2024-01-01 00:00:00' WHERE payment_id = 7")
    assert pipeline.tick().tables["fact_payment"].versions == 1
    execute(pipeline.source, f"SET timezone TO 'UTC'; {without}")
    assert_nothing_has_changed(pipeline)


@pytest.mark.begun
def test_a_date_that_is_a_text_no_more_is_the_same_date(pipeline: Pipeline) -> None:
    dates = {"payment": "payment_date", "sales_order": "agreed_delivery_date", "purchase_order": "agreed_payment_date"}
    for table, column in dates.items():
        execute(pipeline.source, f"ALTER TABLE {table} ALTER {column} TYPE date USING {column}::date")
    assert_nothing_has_changed(pipeline)
    execute(pipeline.source, "UPDATE payment SET payment_date = '2031-12-24' WHERE payment_id = 5")
    execute(pipeline.source, "UPDATE payment SET payment_date = 'infinity' WHERE payment_id = 6")
    execute(pipeline.source, "UPDATE payment SET payment_date = '12000-01-01' WHERE payment_id = 7")
    loaded = pipeline.tick()
    assert (loaded.tables["fact_payment"].versions, loaded.quarantined) == (1, 2)
    expected = "not a date (yyyy-mm-dd) of the years 0001 to 9999"
    assert rows(pipeline.warehouse, "SELECT reason FROM etl.quarantine ORDER BY key") == [
        (f"payment_date is 'infinity', {expected}",),
        (f"payment_date is '12000-01-01', {expected}",),
    ]
    execute(pipeline.source, "UPDATE payment SET payment_date = '2031-12-25' WHERE payment_id IN (6, 7)")
    pipeline.tick()
    for table, column in dates.items():
        execute(pipeline.source, f"ALTER TABLE {table} ALTER {column} TYPE text")
    assert_nothing_has_changed(pipeline)


@pytest.mark.begun
def test_pence_do_not_become_pounds_whatever_the_contract_says(pipeline: Pipeline) -> None:
    pence = "ALTER TABLE payment ALTER payment_amount TYPE integer USING payment_amount * 100"
    execute(pipeline.source, pence)
    with pytest.raises(ContractError, match="payment_amount is integer, expected a numeric"):
        pipeline.capture()
    of_integers = {"payment_amount": Family.INTEGER}
    contract = [
        replace(table, columns={**table.columns, **of_integers}) if table.name == "payment" else table
        for table in SOURCE_TABLES
    ]
    with own_session(pipeline.source, "source") as connection:
        capture(connection, pipeline.ingestion, contract)
    before = value(pipeline.warehouse, "SELECT sum(payment_amount) FROM current_payment")
    pipeline.transform()
    loaded = pipeline.load()
    assert loaded.quarantined == value(pipeline.source, "SELECT count(*) FROM payment")
    assert value(pipeline.warehouse, "SELECT sum(payment_amount) FROM current_payment") == before
    execute(
        pipeline.source,
        "ALTER TABLE payment RENAME payment_amount TO pence; ALTER TABLE payment "
        "ADD COLUMN payment_amount numeric(10,2) GENERATED ALWAYS AS (pence / 100.0) STORED",
    )
    assert_nothing_has_changed(pipeline)
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 0


@pytest.mark.parametrize("code", ["HRK", "ANG", "BGN", "SLL", "DEM"])
def test_a_currency_that_was_withdrawn_keeps_its_name(pipeline: Pipeline, code: str) -> None:
    execute(pipeline.source, "UPDATE currency SET currency_code = %s WHERE currency_id = 3", [code])
    assert pipeline.tick().quarantined == 0
    name = "SELECT currency_name FROM dim_currency WHERE currency_id = 3 AND NOT is_deleted"
    assert value(pipeline.warehouse, name) == CURRENCY_NAMES[code]


def test_a_reference_to_no_row_is_reported_as_such(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE counterparty DISABLE TRIGGER ALL")
    execute(pipeline.source, "UPDATE counterparty SET legal_address_id = 4242 WHERE counterparty_id = 1")
    execute(pipeline.source, "ALTER TABLE counterparty ALTER legal_address_id DROP NOT NULL")
    execute(pipeline.source, "UPDATE counterparty SET legal_address_id = NULL WHERE counterparty_id = 2")
    pipeline.tick()
    assert rows(pipeline.warehouse, "SELECT key, reason FROM etl.quarantine ORDER BY 1") == [
        (1, "legal_address_id 4242 refers to no address"),
        (2, "legal_address_id is NULL"),
    ]


def test_dim_date_covers_whatever_year_comes(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "UPDATE sales_order SET agreed_delivery_date = '9999-12-31', agreed_payment_date = '0001-01-01', "
        "created_at = '1752-09-14 23:59:59.999' WHERE sales_order_id = 5",
    )
    pipeline.tick()
    assert_calendar_is_right(pipeline.warehouse)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_milliseconds_of_exactly_zero_and_microseconds_are_kept_apart(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE sales_order ALTER created_at TYPE timestamp(6);"
        "UPDATE sales_order SET created_at = '2024-01-01 08:00:00', last_updated = '2024-01-01 08:00:00.001' "
        "WHERE sales_order_id = 5;"
        "UPDATE sales_order SET created_at = '2024-01-01 23:59:59.9999' WHERE sales_order_id = 6",
    )
    pipeline.tick()
    found = rows(
        pipeline.warehouse,
        "SELECT created_time, last_updated_time, created_date FROM fact_sales_order WHERE sales_order_id IN (5, 6) "
        "ORDER BY sales_order_id",
    )
    assert found[0][:2] == (datetime.time(8), datetime.time(8, 0, 0, 1000))
    assert found[1][0] == datetime.time(23, 59, 59, 999000), "cut to the millisecond: rounding would leave the day"


def test_a_column_that_the_source_calls_as_the_lake_calls_its_own_is_carried_and_hurts_nothing(
    pipeline: Pipeline,
) -> None:
    lie = '{"agreed_payment_date": "2020-01-01"}'
    execute(pipeline.source, f"ALTER TABLE sales_order ADD COLUMN _raw jsonb DEFAULT '{lie}'")
    execute(pipeline.source, "ALTER TABLE department ADD COLUMN _raw text DEFAULT 'x', ADD COLUMN _raw_ text")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    execute(pipeline.source, "UPDATE sales_order SET _raw = NULL, agreed_payment_date = 'TBC' WHERE sales_order_id = 3")
    execute(pipeline.source, "UPDATE department SET _raw = 'y', manager = 'Ann' WHERE department_id = 1")
    pipeline.tick()
    [[reason]] = rows(pipeline.warehouse, "SELECT reason FROM etl.quarantine")
    assert reason.startswith("agreed_payment_date is 'TBC'")
    assert pipeline.capture().batch is None
    execute(pipeline.source, "UPDATE department SET _raw = 'z' WHERE department_id = 1")
    assert pipeline.capture().batch == 3, "what changes in it alone is a change"


@pytest.mark.begun
def test_a_column_that_the_source_calls_as_a_join_calls_its_own_is_carried_and_hides_nothing(
    pipeline: Pipeline,
) -> None:
    execute(
        pipeline.source,
        """
            ALTER TABLE staff ADD "department.location" text DEFAULT 'mine', ADD "department.department_name" text
                DEFAULT 'mine', ADD "department._raw" text DEFAULT '{}', ALTER first_name DROP NOT NULL;
            UPDATE staff SET first_name = NULL WHERE staff_id = 2
        """,
    )
    pipeline.tick()
    kept = value(pipeline.warehouse, "SELECT source_row FROM etl.quarantine")
    whereabouts = "SELECT location FROM staff JOIN department USING (department_id) WHERE staff_id = 2"
    assert kept["department.location"] == value(pipeline.source, whereabouts)
    assert [text for name, text in kept.items() if "department.location" in name[1:]] == ["mine"]
    execute(pipeline.source, "UPDATE staff SET first_name = 'Ann' WHERE staff_id = 2")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_text_of_megabytes_that_many_rows_are_joined_to_stops_nobody(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "UPDATE address SET phone = repeat('0', 4000000) WHERE address_id = 1; "
        "INSERT INTO counterparty SELECT 1000 + number, counterparty_legal_name, 1, commercial_contact, "
        "delivery_contact, created_at, last_updated FROM counterparty, generate_series(1, 300) AS number "
        "WHERE counterparty_id = 1",
    )
    before = set(keys_of(pipeline.processed))
    pipeline.tick()
    written = [len(pipeline.processed.get(key)) for key in set(keys_of(pipeline.processed)) - before]
    assert sum(written) < 1_000_000
    [[count, reason, length]] = rows(
        pipeline.warehouse,
        "SELECT count(*), max(reason), max(length(source_row::text)) FROM etl.quarantine "
        "WHERE star_table = 'dim_counterparty' AND key > 1000 AND resolved_by IS NULL",
    )
    assert count == 300
    assert re.fullmatch(r"address.phone is '0{100}…', longer than 1048576 bytes", reason)
    assert length < 5_000
    execute(pipeline.source, "UPDATE address SET phone = repeat('0', 1048576) WHERE address_id = 1")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
