from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from simulator.schema import MIGRATIONS, TABLES, drop_tables
from tests.support.databases import execute, rows, session, value
from totes.errors import UserError

REAL_SCHEMA = Path(__file__).parents[4] / "shared" / "data" / "totesys-2024-11-15" / "schema.sql"

SHAPE = """
    SELECT relname::text, attname::text, format_type(atttypid, atttypmod), attnotnull,
           pg_get_expr(adbin, adrelid), attnum
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'S') AND attnum > 0
    UNION ALL
    SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), NULL, NULL, NULL
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT typname::text, enumlabel::text, NULL, NULL, NULL, enumsortorder
    FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
    UNION ALL
    SELECT relation.relname::text, tgname::text, NULL, NULL, NULL, NULL
    FROM pg_trigger JOIN pg_class AS relation ON relation.oid = tgrelid WHERE NOT tgisinternal
    ORDER BY 1, 2, 6
"""
ORDERS = (
    "(SELECT created_at, agreed_delivery_date, agreed_payment_date FROM sales_order UNION ALL "
    "SELECT created_at, agreed_delivery_date, agreed_payment_date FROM purchase_order) AS orders"
)


def _content(uri: str) -> dict[str, str]:
    """A checksum of each table, its rows in the order in which they lie."""
    return {
        table: value(uri, f"SELECT md5(string_agg(ctid::text || line::text, '' ORDER BY ctid)) FROM {table} AS line")
        for table in (*TABLES, MIGRATIONS)
    }


@pytest.fixture(scope="module")
def shop(postgres: EmbeddedPostgres) -> str:
    """A shop to be looked at."""
    postgres.create_database("simulated")
    build(postgres.uri("simulated"), orders=2_000, seed=5)
    return postgres.uri("simulated")


def test_a_shop_that_is_dropped_leaves_nothing_in_the_way_of_the_next(empty_database: str) -> None:
    for _ in range(2):
        build(empty_database, orders=10, seed=5)
        with session(empty_database) as connection, connection, connection.cursor() as cursor:
            drop_tables(cursor)
        left = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace UNION ALL "
        left += "SELECT oid::regtype::text FROM pg_type WHERE typnamespace = 'public'::regnamespace"
        assert rows(empty_database, left) == []


@pytest.mark.skipif(not REAL_SCHEMA.exists(), reason="the real schema is not on this machine")
def test_the_schema_is_the_real_one(empty_database: str, source: str) -> None:
    execute(empty_database, REAL_SCHEMA.read_text(encoding="utf-8"))
    real = rows(empty_database, SHAPE)
    relations = {relation for relation, *_ in real}
    assert [each for each in rows(source, SHAPE) if each[0] in relations] == real


def test_the_same_seed_makes_the_same_shop(shop: str, empty_database: str) -> None:
    build(empty_database, orders=2_000, seed=5)
    assert _content(empty_database) == _content(shop)


def test_another_seed_makes_another_shop(shop: str, empty_database: str) -> None:
    build(empty_database, orders=2_000, seed=6)
    one, other = _content(shop), _content(empty_database)
    assert {table for table in one if one[table] != other[table]} == {*TABLES, MIGRATIONS}


def test_there_are_as_many_of_each_as_there_should_be(shop: str) -> None:
    counts = {table: value(shop, f"SELECT count(*) FROM {table}") for table in TABLES}
    briefs = {
        "address": 30,
        "counterparty": 20,
        "currency": 3,
        "department": 8,
        "design": 206,
        "payment": 2_831,
        "payment_type": 4,
        "purchase_order": 831,
        "sales_order": 2_000,
        "staff": 20,
        "transaction": 2_831,
    }
    assert counts | briefs == counts
    assert [table for table, count in counts.items() if not count] == []


def test_ids_go_on_where_the_build_ended(shop: str) -> None:
    for table, key in TABLES.items():
        highest, following = rows(
            shop, f"SELECT max({key}), nextval(pg_get_serial_sequence('{table}', '{key}')) FROM {table}"
        )[0]
        assert following == highest + 1, table


def test_an_order_has_a_transaction_and_a_payment_of_one_moment_and_its_amount(shop: str) -> None:
    assert value(
        shop,
        """SELECT count(*) FROM sales_order AS o JOIN transaction AS t USING (sales_order_id)
        JOIN payment AS p USING (transaction_id)
        WHERE (o.created_at, o.last_updated) = (t.created_at, p.created_at) AND t.last_updated = t.created_at
          AND payment_amount = units_sold * unit_price AND payment_type_id = 1 AND transaction_type = 'SALE'
          AND (p.counterparty_id, p.currency_id, payment_date) = (o.counterparty_id, o.currency_id, agreed_payment_date)
          AND units_sold BETWEEN 1000 AND 100000 AND unit_price BETWEEN 2 AND 4""",
    ) == value(shop, "SELECT count(*) FROM sales_order")
    assert value(
        shop,
        """SELECT count(*) FROM purchase_order AS o JOIN transaction AS t USING (purchase_order_id)
        JOIN payment AS p USING (transaction_id)
        WHERE (o.created_at, o.last_updated) = (t.created_at, p.created_at) AND t.last_updated = t.created_at
          AND payment_amount = item_quantity * item_unit_price AND payment_type_id = 3 AND transaction_type = 'PURCHASE'
          AND (p.counterparty_id, p.currency_id, payment_date) = (o.counterparty_id, o.currency_id, agreed_payment_date)
          AND item_quantity BETWEEN 1 AND 1000 AND item_unit_price BETWEEN 3 AND 1000""",
    ) == value(shop, "SELECT count(*) FROM purchase_order")


def test_orders_come_during_opening_hours_on_working_days(shop: str) -> None:
    assert not rows(
        shop,
        f"""SELECT created_at FROM {ORDERS}
        WHERE extract(isodow FROM created_at) > 5 OR extract(hour FROM created_at) NOT BETWEEN 8 AND 18""",
    )
    per_day = value(shop, "SELECT count(*)::float / count(DISTINCT created_at::date) FROM sales_order")
    assert 18 < per_day < 24


def test_sales_and_purchases_are_interleaved(shop: str) -> None:
    switches = value(
        shop,
        """SELECT count(*) FROM (SELECT transaction_type <> lag(transaction_type) OVER (ORDER BY transaction_id)
        AS switched FROM transaction) AS steps WHERE switched""",
    )
    assert switches > 800


def test_what_is_agreed_is_a_date_within_a_week_and_seldom_far_away(shop: str) -> None:
    ahead = rows(
        shop,
        f"""SELECT agreed_payment_date::date - created_at::date, agreed_delivery_date::date - created_at::date,
        agreed_payment_date || agreed_delivery_date ~ '^(\\d{{4}}-\\d\\d-\\d\\d){{2}}$' FROM {ORDERS}""",
    )
    assert all(well_formed for _, _, well_formed in ahead)
    assert {days for days, _, _ in ahead} == set(range(7))
    deliveries = [days for _, days, _ in ahead]
    assert set(range(8)) <= set(deliveries)
    assert 0 < sum(days > 7 for days in deliveries) < len(deliveries) / 50
    assert max(deliveries) <= 624 + 7


def test_payments_are_made_at_five_to_eight_on_the_working_day_they_are_due(shop: str) -> None:
    paid = rows(shop, "SELECT last_updated::date::text, last_updated::time::text, payment_date FROM payment WHERE paid")
    assert all(day == due and time.startswith("07:55:1") for day, time, due in paid)
    assert not rows(shop, "SELECT 1 FROM payment WHERE NOT paid AND last_updated <> created_at")
    assert 0.5 < len(paid) / 2_831 < 0.7


def test_stamps_are_as_untidy_as_the_real_ones(shop: str) -> None:
    moments = f"SELECT count(*) AS sharing FROM {ORDERS} GROUP BY created_at"
    assert value(shop, f"SELECT max(sharing) FROM ({moments}) AS groups") > 1
    assert value(shop, "SELECT max(n) FROM (SELECT count(*) AS n FROM payment GROUP BY last_updated) AS groups") > 9
    assert value(shop, f"SELECT count(*) FROM {ORDERS} WHERE date_trunc('second', created_at) = created_at") > 0
    assert value(
        shop,
        """SELECT count(*) FROM (SELECT created_at < lag(created_at) OVER (ORDER BY sales_order_id) AS back
        FROM sales_order) AS steps WHERE back""",
    )


def test_small_tables_have_the_quirks_of_the_real_ones(shop: str) -> None:
    assert value(shop, "SELECT count(*) FROM address WHERE address_line_2 IS NULL") == 20
    assert 0 < value(shop, "SELECT count(*) FROM address WHERE district IS NULL") < 30
    assert value(shop, "SELECT count(*) FROM address WHERE postal_code LIKE '0%'") >= 4
    assert value(shop, "SELECT count(*) FROM staff WHERE last_name LIKE '%''%'") == 2
    assert ("Shefield", 1) in rows(shop, "SELECT location, count(*) FROM department GROUP BY 1")
    assert rows(shop, "SELECT currency_code FROM currency ORDER BY currency_id") == [("GBP",), ("USD",), ("EUR",)]


def test_progress_reaches_its_end_when_all_is_committed(empty_database: str) -> None:
    steps = []

    def progress(done: int, total: int) -> None:
        committed = value(empty_database, "SELECT count(*) FROM pg_class WHERE relname = 'payment'")
        steps.append((done, total, committed))

    build(empty_database, orders=100, seed=1, progress=progress)
    assert steps == [(0, 142, 0), (142, 142, 1)]


def test_a_shop_is_not_built_over_another(source: str) -> None:
    before = _content(source)
    with pytest.raises(UserError, match="is a shop already"):
        build(source, orders=100, seed=2)
    assert _content(source) == before


def test_a_build_that_breaks_off_leaves_nothing(empty_database: str) -> None:
    def break_off(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(empty_database, orders=100, seed=1, progress=break_off)
    assert not rows(empty_database, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert not rows(empty_database, "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace")


@pytest.mark.parametrize("uri", ["postgresql://shop:hush-hush@localhost:1/shop", "postgresql//shop:hush-hush@nowhere"])
def test_a_database_that_cannot_be_reached_is_one_sentence_without_the_password(uri: str) -> None:
    with pytest.raises(UserError, match="database") as refusal:
        build(uri, orders=100, seed=1)
    assert "hush-hush" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_negative_seed_is_refused(empty_database: str) -> None:
    with pytest.raises(UserError, match="a seed is 0 or more"):
        build(empty_database, orders=100, seed=-1)
