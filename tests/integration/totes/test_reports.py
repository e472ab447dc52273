"""The views of schema report say what the source says, follow it, and stand in the way of nothing."""

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median_low
from typing import Any

import pytest

from tests.integration.totes.test_roles import Role, drop
from tests.support.databases import execute, rows, session, value
from tests.support.pipeline import Pipeline
from totes.report import QUESTIONS, VIEWS, Question
from totes.roles import DASHBOARD, prepare_warehouse
from totes.star import READABLE, STAR_TABLES, fingerprint, replay
from totes.warehouse import load
from totes.warehouse.for_readers import ensure_reports

Row = dict[str, Any]


@pytest.fixture
def loader(pipeline: Pipeline) -> Iterator[Role]:
    role, dashboard = Role(f"loader_{uuid.uuid4().hex[:8]}", "b-password"), Role(DASHBOARD, "c-password")
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, role.login, dashboard.login, READABLE)
    yield role
    for each in (role, dashboard):
        drop(pipeline.warehouse, each)


@pytest.fixture
def by_role(pipeline: Pipeline, loader: Role) -> Pipeline:
    return dataclasses.replace(pipeline, warehouse=loader.uri(pipeline.warehouse))


def question_of(name: str) -> Question:
    return next(question for question in QUESTIONS if question.name == name)


def answers(uri: str, name: str) -> list[tuple[Any, ...]]:
    """A view's rows, but for what is converted: test_rates.py works that out."""
    columns = rows(
        uri,
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum",
        [f"report.{name}"],
    )
    own = [column for (column,) in columns if not column.startswith(("converted", "rate_day"))]
    return sorted(rows(uri, f"SELECT {', '.join(own)} FROM report.{name}"))


def all_answers(uri: str) -> dict[str, list[tuple[Any, ...]]]:
    return {question.name: answers(uri, question.name) for question in VIEWS}


class Shop:
    """The source's rows in Python's own words, by which answers are worked out a second time."""

    def __init__(self, uri: str, day: date) -> None:
        self.day = day
        for table in ("sales_order", "purchase_order", "payment", "transaction", "staff", "department", "design"):
            setattr(self, table, self._read(uri, table))
        self.currency = {each["currency_id"]: each["currency_code"] for each in self._read(uri, "currency")}
        self.address = {each["address_id"]: each for each in self._read(uri, "address")}
        self.counterparty = {each["counterparty_id"]: each for each in self._read(uri, "counterparty")}
        self.kind = {each["payment_type_id"]: each["payment_type_name"] for each in self._read(uri, "payment_type")}

    sales_order: Sequence[Row]
    purchase_order: Sequence[Row]
    payment: Sequence[Row]
    transaction: Sequence[Row]
    staff: Sequence[Row]
    department: Sequence[Row]
    design: Sequence[Row]

    @staticmethod
    def _read(uri: str, table: str) -> list[Row]:
        return [found for [found] in rows(uri, f"SELECT to_jsonb({table}) FROM {table}")]

    def sold(self, key: Callable[[Row], tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Sales by a key: the key, then orders, units and revenue."""
        groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for order in self.sales_order:
            groups[key(order)].append(order)
        return sorted(
            (*key, len(orders), sum(each["units_sold"] for each in orders), revenue_of(orders))
            for key, orders in groups.items()
        )


def revenue_of(orders: Sequence[Row]) -> Decimal:
    return sum((each["units_sold"] * Decimal(str(each["unit_price"])) for each in orders), Decimal(0))


def rounded(number: Decimal, places: int) -> Decimal:
    """Rounded as PostgreSQL does it."""
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def day_of(row: Row, column: str = "created_at") -> date:
    return date.fromisoformat(row[column][:10])


def month_of(row: Row) -> date:
    return day_of(row).replace(day=1)


def sales_by_day(shop: Shop) -> list[tuple[Any, ...]]:
    sold = shop.sold(lambda order: (day_of(order), shop.currency[order["currency_id"]]))
    return [(*rest, orders, units, revenue, rounded(revenue / orders, 2)) for *rest, orders, units, revenue in sold]


def sales_by_design(shop: Shop) -> list[tuple[Any, ...]]:
    names = {each["design_id"]: each["design_name"] for each in shop.design}
    return shop.sold(
        lambda order: (
            month_of(order),
            order["design_id"],
            names[order["design_id"]],
            shop.currency[order["currency_id"]],
        )
    )


def sales_by_staff(shop: Shop) -> list[tuple[Any, ...]]:
    departments = {each["department_id"]: each["department_name"] for each in shop.department}
    staff = {each["staff_id"]: each for each in shop.staff}

    def key(order: Row) -> tuple[Any, ...]:
        one = staff[order["staff_id"]]
        name = f"{one['first_name']} {one['last_name']}"
        department = departments[one["department_id"]]
        return month_of(order), one["staff_id"], name, department, shop.currency[order["currency_id"]]

    return shop.sold(key)


def sales_by_country(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.sold(
        lambda order: (
            month_of(order),
            shop.address[order["agreed_delivery_location_id"]]["country"],
            shop.currency[order["currency_id"]],
        )
    )


def sales_by_counterparty(shop: Shop) -> list[tuple[Any, ...]]:
    sold = shop.sold(lambda order: (shop.currency[order["currency_id"]], order["counterparty_id"]))
    found: list[tuple[Any, ...]] = []
    for currency in sorted({row[0] for row in sold}):
        in_order = sorted((row for row in sold if row[0] == currency), key=lambda row: (-row[4], row[1]))
        total, so_far = sum(row[4] for row in in_order), Decimal(0)
        for place, (_, key, orders, units, revenue) in enumerate(in_order, start=1):
            so_far += revenue
            one = shop.counterparty[key]
            country = shop.address[one["legal_address_id"]]["country"]
            shares = rounded(revenue / total, 6), rounded(so_far / total, 6)
            name = one["counterparty_legal_name"]
            found.append((currency, place, key, name, country, orders, units, revenue, *shares))
    return sorted(found)


def agreed_lead_times(shop: Shop) -> list[tuple[Any, ...]]:
    days: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for order in shop.sales_order:
        country = shop.address[order["agreed_delivery_location_id"]]["country"]
        days[month_of(order), country].append((day_of(order, "agreed_delivery_date") - day_of(order)).days)
    return sorted((*key, len(each), median_low(each), ninety(each)) for key, each in days.items())


def ninety(days: Sequence[int]) -> int:
    """The least number that nine of ten are not above."""
    in_order = sorted(days)
    return in_order[-(-9 * len(in_order) // 10) - 1]


def bought(shop: Shop, key: Callable[[Row], tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for order in shop.purchase_order:
        groups[key(order)].append(order)
    return sorted(
        (*key, len(orders), sum(each["item_quantity"] for each in orders), sum(map(cost_of, orders)))
        for key, orders in groups.items()
    )


def cost_of(order: Row) -> Decimal:
    return Decimal(order["item_quantity"] * Decimal(str(order["item_unit_price"])))


def purchases_by_counterparty(shop: Shop) -> list[tuple[Any, ...]]:
    return bought(
        shop,
        lambda order: (
            month_of(order),
            order["counterparty_id"],
            shop.counterparty[order["counterparty_id"]]["counterparty_legal_name"],
            shop.currency[order["currency_id"]],
        ),
    )


def purchases_against_sales(shop: Shop) -> list[tuple[Any, ...]]:
    revenue = {row[:2]: row[4] for row in shop.sold(lambda each: (month_of(each), shop.currency[each["currency_id"]]))}
    cost = {row[:2]: row[4] for row in bought(shop, lambda each: (month_of(each), shop.currency[each["currency_id"]]))}
    zero = Decimal(0)
    return sorted(
        (*key, revenue.get(key, zero), cost.get(key, zero), revenue.get(key, zero) - cost.get(key, zero))
        for key in revenue.keys() | cost.keys()
    )


def age_of(shop: Shop, payment: Row) -> str:
    days = (shop.day - day_of(payment, "payment_date")).days
    ages = {"not due": days < 0, "0-30": days <= 30, "31-60": days <= 60, "61-90": days <= 90, "91+": True}
    return next(age for age, holds in ages.items() if holds)


def open_payments(shop: Shop) -> list[tuple[Any, ...]]:
    return sorted(
        (
            each["payment_id"],
            each["counterparty_id"],
            shop.kind[each["payment_type_id"]],
            shop.currency[each["currency_id"]],
            Decimal(str(each["payment_amount"])),
            day_of(each, "payment_date"),
            age_of(shop, each),
        )
        for each in shop.payment
        if not each["paid"]
    )


def due_by_age(shop: Shop, kinds: Sequence[str]) -> list[tuple[Any, ...]]:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for payment in shop.payment:
        if not payment["paid"] and shop.kind[payment["payment_type_id"]] in kinds:
            groups[shop.currency[payment["currency_id"]], age_of(shop, payment)].append(payment)
    return sorted(
        (
            *key,
            len(payments),
            sum(Decimal(str(each["payment_amount"])) for each in payments),
            min(day_of(each, "payment_date") for each in payments),
        )
        for key, payments in groups.items()
    )


def receipts_due_by_age(shop: Shop) -> list[tuple[Any, ...]]:
    return due_by_age(shop, ["SALES_RECEIPT", "PURCHASE_REFUND"])


def payments_due_by_age(shop: Shop) -> list[tuple[Any, ...]]:
    return due_by_age(shop, ["PURCHASE_PAYMENT", "SALES_REFUND"])


def order_to_payment_days(shop: Shop) -> list[tuple[Any, ...]]:
    orders = {each["sales_order_id"]: each for each in shop.sales_order}
    order_of = {each["transaction_id"]: orders.get(each["sales_order_id"]) for each in shop.transaction}
    groups: dict[tuple[Any, ...], list[tuple[bool, int]]] = defaultdict(list)
    for payment in shop.payment:
        order = order_of[payment["transaction_id"]]
        if order and shop.kind[payment["payment_type_id"]] == "SALES_RECEIPT":
            days = (day_of(payment, "payment_date") - day_of(order)).days
            groups[month_of(order), shop.currency[payment["currency_id"]]].append((payment["paid"], days))
    found = []
    for key, payments in groups.items():
        days_of = [days for paid, days in payments if paid]
        times = (median_low(days_of), ninety(days_of)) if days_of else (None, None)
        found.append((*key, len(days_of), len(payments) - len(days_of), *times))
    return sorted(found)


@pytest.mark.begun
def test_views_read_the_tables_of_now_where_those_of_before_were_moved_away(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE SCHEMA archive; ALTER TABLE dim_design SET SCHEMA archive")
    execute(pipeline.source, "UPDATE design SET design_name = 'since' WHERE design_id = 2")
    for _ in range(2):
        pipeline.tick()
    assert value(pipeline.warehouse, "SELECT name FROM report.designs WHERE design_id = 2") == "since"


WORKED_OUT: list[Callable[[Shop], list[tuple[Any, ...]]]] = [
    sales_by_day,
    sales_by_design,
    sales_by_staff,
    sales_by_country,
    sales_by_counterparty,
    agreed_lead_times,
    purchases_by_counterparty,
    purchases_against_sales,
    open_payments,
    receipts_due_by_age,
    payments_due_by_age,
    order_to_payment_days,
]
OF_THE_WAREHOUSE = {"exchange_rates", "freshness", "loads_by_day", "quarantine_by_table", "source_changes"}


def test_every_question_is_worked_out_a_second_time_or_is_about_the_warehouse_itself() -> None:
    worked_out = {each.__name__ for each in WORKED_OUT} | OF_THE_WAREHOUSE
    assert worked_out == {question.name for question in QUESTIONS}, (
        "tests/integration/totes/test_reports.py: each question has a function of its name in WORKED_OUT, which works "
        "its answer out of the shop's rows, or is named in OF_THE_WAREHOUSE"
    )


def assert_answers_are_the_sources(pipeline: Pipeline) -> None:
    shop = Shop(pipeline.source, value(pipeline.warehouse, "SELECT as_of_day FROM report.freshness"))
    for work_out in WORKED_OUT:
        assert answers(pipeline.warehouse, work_out.__name__) == work_out(shop), work_out.__name__


@pytest.mark.begun
def test_every_answer_is_what_the_source_says_also_after_it_has_changed(pipeline: Pipeline) -> None:
    assert_answers_are_the_sources(pipeline)
    day = value(pipeline.warehouse, "SELECT as_of_day FROM report.freshness")
    execute(
        pipeline.source,
        """
            UPDATE payment SET paid = NOT paid WHERE payment_id % 3 = 0;
            UPDATE sales_order SET unit_price = unit_price + 0.07 WHERE sales_order_id % 5 = 0;
            DELETE FROM payment WHERE payment_id % 11 = 0;
            UPDATE staff SET last_name = 'O''Hara' WHERE staff_id = 2;
        """,
    )
    for ago in (-1, 0, 1, 30, 31, 60, 61, 90, 91, 400):
        execute(
            pipeline.source,
            "UPDATE payment SET paid = false, payment_date = %s WHERE payment_id = %s",
            [str(day - timedelta(days=ago)), ago + 500 if ago < 0 else 20 + ago],
        )
    gone = value(
        pipeline.source,
        "SELECT sales_order_id FROM transaction JOIN payment USING (transaction_id) WHERE payment_id = 20",
    )
    execute(pipeline.source, "DELETE FROM sales_order WHERE sales_order_id = %s", [gone])
    pipeline.tick()
    assert_answers_are_the_sources(pipeline)
    of_no_order = (
        "SELECT payment_id FROM report.open_payments JOIN report.payments USING (payment_id) "
        "WHERE sales_order_id IS NULL AND purchase_order_id IS NULL"
    )
    assert rows(pipeline.warehouse, of_no_order) == [(20,)], "where its order is gone, it can be found"


@pytest.mark.begun
def test_views_and_columns_say_what_they_mean(pipeline: Pipeline) -> None:
    said = rows(
        pipeline.warehouse,
        "SELECT relname, obj_description(pg_class.oid), array_agg(attname::text ORDER BY attnum), "
        "array_agg(col_description(pg_class.oid, attnum) ORDER BY attnum) "
        "FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "
        "WHERE relnamespace = 'report'::regnamespace AND relkind = 'v' GROUP BY 1, 2 ORDER BY 1",
    )
    wanted = sorted(VIEWS, key=lambda question: question.name)
    assert said == [(each.name, each.sentence, list(each.columns), list(each.columns.values())) for each in wanted]


@pytest.mark.begun
def test_a_file_names_the_columns_of_its_query_in_the_querys_order(pipeline: Pipeline) -> None:
    """The view has them by their place: in another order each would have another one's values."""
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        for question in VIEWS:
            cursor.execute("SET search_path TO public")
            cursor.execute(question.query)
            names = [column.name for column in cursor.description or ()]
            assert names == list(question.columns), (
                f"{question.name}.sql: a comment for each column of its query, in the query's order"
            )


@pytest.mark.begun
def test_the_warehouse_says_how_fresh_and_how_whole_it_is(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN note text")
    execute(pipeline.source, "UPDATE payment SET payment_date = 'soon' WHERE payment_id IN (3, 4)")
    pipeline.tick()
    newest = rows(pipeline.warehouse, "SELECT batch_id, captured_at, loaded_at FROM etl.batch ORDER BY 1")[-1]
    [[batch, as_of, day, loaded_at, quarantined]] = answers(pipeline.warehouse, "freshness")
    assert (batch, as_of, loaded_at, quarantined) == (*newest, 2)
    assert day == as_of.date()
    assert answers(pipeline.warehouse, "quarantine_by_table") == [("fact_payment", 2, 2, as_of)]
    [[seen_by, seen, what]] = answers(pipeline.warehouse, "source_changes")
    assert (seen_by, seen) == (2, as_of)
    assert "note" in what
    [[_, batches, rows_in, versions, deleted, held_out, median, greatest]] = answers(pipeline.warehouse, "loads_by_day")
    counted = "SELECT sum(rows_in), sum(versions), sum(deleted), sum(quarantined) FROM etl.batch_table"
    assert (batches, rows_in, versions, deleted, held_out) == (2, *rows(pipeline.warehouse, counted)[0])
    assert 0 < median <= greatest


@pytest.mark.begun
def test_a_row_says_which_batch_was_its_first_and_a_payment_since_when_it_is_paid(pipeline: Pipeline) -> None:
    first = value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch")
    changes = (
        "paid = true WHERE payment_id IN (1, 2, 3, 4)",
        "paid = false WHERE payment_id IN (2, 3, 5)",
        "paid = true, payment_amount = payment_amount + 1 WHERE payment_id IN (1, 2, 6)",
        "payment_amount = payment_amount + 1 WHERE payment_id IN (1, 2, 3)",
    )
    execute(pipeline.source, "UPDATE payment SET paid = payment_id IN (5, 6, 7) WHERE payment_id < 9")
    pipeline.tick()
    for change in changes:
        execute(pipeline.source, f"UPDATE payment SET {change}")
        pipeline.tick()
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 4")
    pipeline.tick()
    found = rows(
        pipeline.warehouse, "SELECT payment_id, first_batch, paid_since FROM report.payments WHERE payment_id < 9"
    )
    begun = "SELECT payment_id, min(batch_id) FROM fact_payment WHERE paid AND payment_id IN (6, 7) GROUP BY 1"
    turned = {1: first + 2, 2: first + 4, **dict(rows(pipeline.warehouse, begun))}
    assert sorted(found) == [(key, first, turned.get(key)) for key in (1, 2, 3, 5, 6, 7, 8)]


@pytest.mark.begun
def test_rows_in_quarantine_are_told_apart_by_whether_an_earlier_version_of_them_is_shown(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        """
            UPDATE payment SET payment_date = 'soon' WHERE payment_id = 3;
            UPDATE currency SET currency_code = 'ZZZ' WHERE currency_id = 1;
            INSERT INTO currency (currency_id, currency_code, last_updated) VALUES (77, 'ZZZ', now());
            DELETE FROM sales_order WHERE sales_order_id = 5;
        """,
    )
    pipeline.tick()
    execute(
        pipeline.source,
        """
            INSERT INTO sales_order
            SELECT key, now(), now(), design_id, staff_id, counterparty_id, units_sold, unit_price, currency_id, 'TBC',
                agreed_payment_date, agreed_delivery_location_id
            FROM sales_order, unnest(ARRAY[5, 5000]) AS key WHERE sales_order_id = 1
        """,
    )
    pipeline.tick()
    assert rows(pipeline.warehouse, "SELECT star_table, key, stale FROM report.open_quarantine ORDER BY 1, 2") == [
        ("dim_currency", 1, True),
        ("dim_currency", 77, False),
        ("fact_payment", 3, True),
        ("fact_sales_order", 5, False),
        ("fact_sales_order", 5000, False),
    ]


def test_a_counterparty_has_one_row_a_currency_whichever_row_of_the_source_names_that(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        """
            UPDATE sales_order SET currency_id = (SELECT min(currency_id) FROM currency WHERE currency_code = 'GBP');
            INSERT INTO currency (currency_id, currency_code, last_updated) VALUES (70, 'GBP', now());
            UPDATE sales_order SET currency_id = 70 WHERE sales_order_id % 2 = 0;
        """,
    )
    pipeline.tick()
    found = rows(pipeline.warehouse, "SELECT currency, place, counterparty_id FROM report.sales_by_counterparty")
    buyers = rows(pipeline.source, "SELECT count(DISTINCT counterparty_id) FROM sales_order")[0][0]
    assert sorted(place for _, place, _ in found) == list(range(1, buyers + 1))
    assert len({key for *_, key in found}) == buyers
    assert {currency for currency, *_ in found} == {"GBP"}


def test_a_month_is_that_of_the_day_in_every_zone_that_a_reader_may_set(pipeline: Pipeline) -> None:
    """Kiritimati had no 31 December 1994."""
    execute(pipeline.source, "UPDATE sales_order SET created_at = '1994-12-31 12:00' WHERE sales_order_id = 1")
    pipeline.tick()
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone TO 'Pacific/Kiritimati'")
        for question in ("sales_by_staff", "sales_by_design", "sales_by_country", "agreed_lead_times"):
            cursor.execute(f"SELECT min(month)::text FROM report.{question}")
            assert cursor.fetchone() == ("1994-12-01",), question


@pytest.mark.parametrize(
    ("payment_date", "said"),
    [
        ("TBC", "payment_amount is …, not a numeric(10,2); payment_date is …, not a date (yyyy-mm-dd) of the years"),
        ("O'Brien's", "payment_amount is …, not a date (yyyy-mm-dd) of the years"),
        ("a', not SECRET is 'c", "payment_amount is …, not a date (yyyy-mm-dd) of the years"),
        (
            'her "day"',
            "payment_amount is …, not a numeric(10,2); payment_date is …, not a date (yyyy-mm-dd) of the years",
        ),
    ],
)
def test_a_reason_names_each_column_and_quotes_none(pipeline: Pipeline, payment_date: str, said: str) -> None:
    """Where the quoted value has such quotes of its own, nobody can tell what ends it, and all between is left out."""
    execute(
        pipeline.source,
        "UPDATE payment SET payment_amount = 'NaN', payment_date = %s WHERE payment_id = 2",
        [payment_date],
    )
    pipeline.tick()
    [[reason]] = rows(pipeline.warehouse, "SELECT reason FROM report.open_quarantine WHERE key = 2")
    assert reason == f"{said} 0001 to 9999"


def test_an_empty_warehouse_answers_with_no_rows(pipeline: Pipeline) -> None:
    pipeline.load()
    assert all(answers(pipeline.warehouse, question.name) == [] for question in VIEWS)


def test_the_reader_reads_every_answer_whoever_came_first(pipeline: Pipeline, by_role: Pipeline) -> None:
    dashboard = Role(DASHBOARD, "c-password").uri(pipeline.warehouse)
    by_role.tick()
    read = all_answers(by_role.warehouse)
    assert read["sales_by_day"]
    assert all_answers(dashboard) == read
    execute(pipeline.warehouse, "DROP SCHEMA report CASCADE")
    pipeline.load()
    assert all_answers(dashboard) == all_answers(pipeline.warehouse) == read


def test_a_rebuild_keeps_the_answers_and_what_people_made_of_them(pipeline: Pipeline, by_role: Pipeline) -> None:
    by_role.tick()
    execute(
        by_role.warehouse,
        f"""
            CREATE VIEW mine AS SELECT currency, sum(revenue) AS revenue FROM report.sales_by_day GROUP BY 1;
            REVOKE SELECT ON report.sales_by_staff FROM {DASHBOARD};
            GRANT SELECT ON report.sales_by_design TO {DASHBOARD} WITH GRANT OPTION
        """,
    )
    asked = (
        "SELECT * FROM mine ORDER BY 1",
        (
            "SELECT relname, relacl::text, obj_description(oid) FROM pg_class "
            "WHERE relnamespace = 'report'::regnamespace ORDER BY 1"
        ),
        "SELECT * FROM report.sales_by_counterparty ORDER BY 1, 2",
    )
    before = [rows(pipeline.warehouse, question) for question in asked]
    with session(by_role.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert [rows(pipeline.warehouse, question) for question in asked] == before


def ensure(uri: str, *questions: Question) -> None:
    with session(uri) as connection, connection, connection.cursor() as cursor:
        ensure_reports(cursor, questions)


def test_the_reader_reads_what_totes_has_put_in_the_place_of_somebodys_view(
    pipeline: Pipeline, by_role: Pipeline
) -> None:
    by_role.tick()
    execute(
        by_role.warehouse,
        "DROP VIEW current_payment CASCADE; CREATE VIEW current_payment AS SELECT * FROM fact_payment",
    )
    execute(
        by_role.warehouse,
        "DROP VIEW report.sales_by_staff CASCADE; CREATE VIEW report.sales_by_staff AS SELECT 1 AS one",
    )
    ensure(by_role.warehouse, *QUESTIONS)
    by_role.load()
    reads = "SELECT has_table_privilege(%s, name, 'SELECT') FROM unnest(%s) AS name"
    names = ["current_payment", "report.sales_by_staff", "report.payments"]
    assert rows(pipeline.warehouse, reads, [DASHBOARD, names]) == [(True,)] * 3


@pytest.mark.parametrize(
    "other",
    [
        {"sentence": "How many?"},
        {"columns": {"orders": "all of them"}, "query": "SELECT count(*) FROM public.dim_design"},
    ],
)
def test_an_upgrade_gives_nobody_back_what_was_taken(
    pipeline: Pipeline, by_role: Pipeline, other: Mapping[str, Any]
) -> None:
    by_role.tick()
    taken = ("report.sales_by_staff", "report.sales_by_day", "current_payment")
    execute(by_role.warehouse, f"REVOKE SELECT ON {', '.join(taken)} FROM {DASHBOARD}")
    ensure(by_role.warehouse, dataclasses.replace(question_of("sales_by_day"), **other), question_of("sales_by_staff"))
    execute(
        by_role.warehouse, "DROP VIEW report.verifications; COMMENT ON RULE \"_RETURN\" ON current_payment IS 'earlier'"
    )
    by_role.load()
    assert value(pipeline.warehouse, "SELECT to_regclass('report.verifications') IS NOT NULL")
    reads = "SELECT name FROM unnest(%s) AS name WHERE has_table_privilege(%s, name, 'SELECT')"
    assert rows(pipeline.warehouse, reads, [[*taken, "report.verifications"], DASHBOARD]) == [("report.verifications",)]


def test_a_question_that_is_asked_in_another_way_is_answered_in_another_way(
    pipeline: Pipeline, by_role: Pipeline
) -> None:
    by_role.tick()
    old = question_of("sales_by_day")
    execute(by_role.warehouse, f"GRANT SELECT ON report.{old.name} TO {DASHBOARD} WITH GRANT OPTION")
    granted = f"SELECT relacl::text FROM pg_class WHERE oid = 'report.{old.name}'::regclass"
    before = value(pipeline.warehouse, granted)
    new = dataclasses.replace(
        old, sentence="How many?", columns={"orders": "all of them"}, query="SELECT count(*) FROM current_sales_order"
    )
    ensure(by_role.warehouse, new)
    assert answers(pipeline.warehouse, old.name) == [(100,)]
    assert value(pipeline.warehouse, granted) == before
    assert value(pipeline.warehouse, f"SELECT obj_description('report.{old.name}'::regclass)") == "How many?"
    by_role.load()
    [again, *_] = rows(pipeline.warehouse, f"SELECT * FROM report.{old.name}")
    assert len(again) == len(old.columns)


def test_a_view_that_somebodys_view_reads_stays_as_it_is_and_no_load_fails(
    pipeline: Pipeline, by_role: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    by_role.tick()
    execute(by_role.warehouse, "CREATE VIEW mine AS SELECT revenue FROM report.sales_by_day")
    other = dataclasses.replace(question_of("sales_by_day"), columns={"orders": "n"}, query="SELECT 1")
    ensure(by_role.warehouse, other)
    assert "report.sales_by_day is not made now" in caplog.text
    assert len(answers(pipeline.warehouse, "sales_by_day")[0]) == 6
    execute(by_role.warehouse, "DROP VIEW mine")
    ensure(by_role.warehouse, other)
    assert answers(pipeline.warehouse, "sales_by_day") == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT medan(revenue) FROM report.sales_by_day",
        "SELECT FROM WHERE",
        "SELECT revenue FROM report.sales_by_day GROUP BY created_date",
        "SELECT date '2024-11-15' + date '2024-11-16'",
        "SELECT date '2024-11-31'",
        "SELECT 1 LIMIT 1 FOR UPDATE OF nothing",
    ],
)
def test_a_question_whose_query_is_wrong_is_named_and_stops_neither_a_load_nor_the_others(
    pipeline: Pipeline, by_role: Pipeline, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    by_role.tick()
    wrong = Question(name="wrong", sentence="How?", columns={"answer": "it"}, query=query)
    right = dataclasses.replace(wrong, name="right", query="SELECT 42")
    with session(by_role.warehouse) as connection, connection, connection.cursor() as cursor:
        ensure_reports(cursor, [wrong, right])
    assert "report.wrong is not made now" in caplog.text
    assert answers(pipeline.warehouse, "right") == [(42,)]


def test_a_reader_of_an_answer_delays_no_load_for_long(
    pipeline: Pipeline, by_role: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    by_role.tick()
    execute(by_role.warehouse, "DROP VIEW report.sales_by_day; COMMENT ON SCHEMA report IS NULL")
    execute(
        pipeline.warehouse,
        f"COMMENT ON SCHEMA report IS '{'The shop' + chr(39) * 2}s questions, a view each, made by totes'",
    )
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM report.freshness")
        by_role.load()
    assert "report.freshness is not made now" in caplog.text
    assert answers(pipeline.warehouse, "sales_by_day")


def test_somebodys_own_schema_of_that_name_is_left_alone(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    execute(pipeline.warehouse, "CREATE SCHEMA report; CREATE TABLE report.mine (id int)")
    pipeline.tick()
    assert "report of the warehouse is not totes' own" in caplog.text
    assert rows(pipeline.warehouse, "SELECT relname FROM pg_class WHERE relnamespace = 'report'::regnamespace") == [
        ("mine",)
    ]


def test_a_loader_that_may_make_no_schema_says_who_does(
    pipeline: Pipeline, by_role: Pipeline, loader: Role, caplog: pytest.LogCaptureFixture
) -> None:
    execute(pipeline.warehouse, "DROP SCHEMA report")
    by_role.tick()
    assert "totes init warehouse" in caplog.text
    with session(pipeline.warehouse) as admin:
        prepare_warehouse(admin, loader.login, Role(DASHBOARD, "c-password").login, READABLE)
    by_role.load()
    assert answers(Role(DASHBOARD, "c-password").uri(pipeline.warehouse), "freshness")


@pytest.mark.begun
def test_views_that_were_dropped_with_a_table_come_back_with_it(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "DROP TABLE dim_design CASCADE")
    pipeline.load()
    assert_answers_are_the_sources(pipeline)


@pytest.mark.begun
def test_a_question_that_a_star_without_its_column_cannot_answer_goes_and_stops_no_rebuild(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    without = [
        dataclasses.replace(table, columns=[each for each in table.columns if each.name != "paid"])
        for table in STAR_TABLES
    ]
    replay(pipeline.ingestion, pipeline.processed, without, first=1)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, without, code=fingerprint(without))
    assert "report.order_to_payment_days does not fit the star any more" in caplog.text
    assert value(pipeline.warehouse, "SELECT to_regclass('report.order_to_payment_days') IS NULL")
    assert answers(pipeline.warehouse, "sales_by_day")
