"""The queries that docs/warehouse.md and docs/athena.md show are run as they stand there, and say what they promise."""

import re
from pathlib import Path

import pytest

from tests.support.athena import VIEWS, Reader, Row, ordered
from tests.support.databases import execute, rows, session
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from totes.athena import Field, View, write_lists
from totes.star import STAR_TABLES

DOCS = Path(__file__).parents[3] / "docs"


def examples(page: str) -> list[str]:
    """The queries of a page, in its order."""
    blocks = re.findall(r"```sql\n(.+?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    queries = [query for block in blocks for query in re.split(r";$", block, flags=re.MULTILINE)]
    return [query for query in queries if query.strip()]


def asked_of_athena(pipeline: Pipeline, store: MemoryStore, folder: Path, query: str) -> list[Row]:
    """What a query says that reads the views by their names."""
    write_lists(pipeline.processed, [table.name for table in STAR_TABLES])
    named = ", ".join(f"{view.name} AS ({view.sql})" for view in VIEWS)
    fields = [Field(name="*", type="varchar")]
    asked = View(name="asked", fields=fields, meaning="", sql=f"WITH {named} {query}")
    return Reader(folder, store.bucket("processed")).read(views=[asked])["asked"]


HISTORY, KNOWN, BY_MONTH, CURRENCY, CONVERTED, OWN = examples("warehouse.md")
BY_DESIGN, BEFORE = examples("athena.md")


@pytest.mark.begun
def test_the_history_of_an_order_tells_its_end_from_a_version(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 42")
    pipeline.tick()
    of_it = "transaction_id IN (SELECT transaction_id FROM transaction WHERE sales_order_id = 42)"
    execute(
        pipeline.source,
        f"DELETE FROM payment WHERE {of_it}; DELETE FROM transaction WHERE sales_order_id = 42;"
        "DELETE FROM sales_order WHERE sales_order_id = 42",
    )
    pipeline.tick()
    found = rows(pipeline.warehouse, HISTORY)
    units = found[0][0]
    assert [(row[0], row[-1]) for row in found] == [(units, False), (units + 1, False), (units + 1, True)]


@pytest.mark.begun
def test_what_was_known_at_a_moment_is_what_the_source_said_then(pipeline: Pipeline) -> None:
    of_source = "SELECT sales_order_id, units_sold FROM sales_order ORDER BY 1"
    then = rows(pipeline.source, of_source)
    [[moment]] = rows(pipeline.warehouse, "SELECT captured_at + interval '1 ms' FROM etl.batch")
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id < 9")
    pipeline.tick()
    asked = KNOWN.replace("2026-03-01 09:00+00", str(moment))
    assert asked != KNOWN
    known = f"SELECT sales_order_id, units_sold FROM ({asked}) AS known_then ORDER BY 1"
    assert rows(pipeline.warehouse, known) == then != rows(pipeline.source, of_source)


@pytest.mark.begun
def test_what_was_sold_by_month_is_of_one_currency_a_row(pipeline: Pipeline) -> None:
    by_currency = """
        SELECT extract(year FROM sold.created_at)::int, extract(month FROM sold.created_at)::int, currency_code,
            sum(units_sold * unit_price)
        FROM sales_order AS sold JOIN currency USING (currency_id) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
    found = rows(pipeline.warehouse, BY_MONTH)
    assert found == rows(pipeline.source, by_currency)
    assert len({code for _, _, code, _ in found}) > 1


@pytest.mark.begun
def test_what_was_sold_in_one_currency_is_asked_of_a_view_that_there_is(pipeline: Pipeline) -> None:
    before = rows(pipeline.warehouse, CONVERTED)
    assert before != []
    assert all(converted is None for _, converted, _ in before)
    assert rows(pipeline.warehouse, CURRENCY) == []  # no row: nothing is converted
    execute(
        pipeline.warehouse,
        "INSERT INTO etl.reporting_currency (code) VALUES ('GBP');"
        "INSERT INTO fact_exchange_rate (rate_date, base_currency, currency, rate) "
        "VALUES ('2020-01-01', 'GBP', 'USD', 2)",
    )
    assert rows(pipeline.warehouse, CURRENCY) == [("GBP",)]
    assert any(converted is not None for _, converted, _ in rows(pipeline.warehouse, CONVERTED))
    by_view = "SELECT payment_id, converted FROM report.payments"
    assert ordered(rows(pipeline.warehouse, OWN)) == ordered(rows(pipeline.warehouse, by_view))


@pytest.mark.begun
def test_a_month_is_the_shops_in_whatever_zone_it_is_asked_for(pipeline: Pipeline) -> None:
    months = "SELECT DISTINCT date_trunc('month', created_at)::date FROM sales_order ORDER BY 1"
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            cursor.execute("SELECT set_config('TimeZone', %s, false)", [zone])
            cursor.execute(CONVERTED)
            assert [(month,) for month, _, _ in cursor.fetchall()] == rows(pipeline.source, months)


@pytest.mark.begun
def test_athena_is_asked_in_the_same_words_as_the_warehouse(
    pipeline: Pipeline, store: MemoryStore, tmp_path: Path
) -> None:
    found = asked_of_athena(pipeline, store, tmp_path, BY_DESIGN)
    by_currency = """
        SELECT design_name, currency_code, sum(units_sold * unit_price)
        FROM sales_order JOIN design USING (design_id) JOIN currency USING (currency_id) GROUP BY 1, 2
    """
    assert found == ordered(rows(pipeline.warehouse, BY_DESIGN)) == ordered(rows(pipeline.source, by_currency))


@pytest.mark.begun
def test_athena_says_what_a_member_of_staff_was_before(pipeline: Pipeline, store: MemoryStore, tmp_path: Path) -> None:
    [[before]] = rows(pipeline.source, "SELECT last_name FROM staff WHERE staff_id = 1")
    execute(pipeline.source, "UPDATE staff SET last_name = 'Other' WHERE staff_id = 1")
    pipeline.tick()
    found = asked_of_athena(pipeline, store, tmp_path, BEFORE)
    assert [(row[1], *row[3:]) for row in sorted(found, key=lambda row: row[3])] == [
        (before, 1, 2, False),
        ("Other", 2, None, False),
    ]
