"""COPY out of a database has one text whatever values it asks for, so that nobody's statistics fill up with it."""

import io
import re
from collections.abc import Callable

import pytest
from psycopg2 import sql

from local_cloud.postgres import EmbeddedPostgres
from simulator import Shop
from tests.support.databases import execute, own_session, session
from tests.support.pipeline import Pipeline
from tests.support.servers import run_alone
from totes.capture import SOURCE_TABLES, capture
from totes.copy_out import OneOf, copy_out
from totes.star import STAR_TABLES
from totes.verify import pages, verify


def copies(postgres: EmbeddedPostgres, act: Callable[[], object]) -> set[str]:
    """The texts of what is copied out while something is done, as the server's log has them."""
    begin = len(postgres._log.read_bytes())
    act()
    log = postgres._log.read_bytes()[begin:].decode()
    return set(re.findall(r"statement: (COPY \(.*?TO STDOUT[^\n]*)", log, flags=re.DOTALL))


@pytest.fixture
def logged(pipeline: Pipeline) -> Pipeline:
    """A pipeline whose source logs each statement."""
    name = sql.Identifier(pipeline.source.rpartition("/")[2])
    run_alone(pipeline.source, sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(name))
    return pipeline


@pytest.mark.begun
def test_no_tick_copies_by_a_statement_with_a_value_in_it(postgres: EmbeddedPostgres, logged: Pipeline) -> None:
    def change(number: int) -> None:
        """Bring rows of every kind, a row that is gone, and a dimension whose other table has changed."""
        Shop(logged.source, seed=number).trade(20)
        execute(logged.source, "DELETE FROM payment WHERE payment_id = %s", [number])
        execute(logged.source, "UPDATE department SET location = %s WHERE department_id = 1", [str(number)])
        logged.tick()

    def live() -> None:
        for number in range(1, 9):
            change(number)

    seen = copies(postgres, live)
    assert seen
    assert {number for text in seen for number in re.findall(r"\b\d+\b", text)} <= {"1"}, "which stands after GROUP BY"


@pytest.mark.begun
def test_every_page_of_a_verification_is_copied_by_the_same_statements(
    postgres: EmbeddedPostgres, logged: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare() -> None:
        with session(logged.source) as source, session(logged.warehouse) as warehouse:
            assert verify(source, warehouse, logged.ingestion, SOURCE_TABLES, STAR_TABLES).differences == 0

    monkeypatch.setattr(pages, "PAGE_ROWS", 7)
    seen = copies(postgres, compare)
    assert len(seen) <= 3 * len(SOURCE_TABLES), "the first page of a table, others, and rows that are joined"


def test_values_arrive_as_they_are(pipeline: Pipeline) -> None:
    query = sql.SQL("SELECT {}, {}, 7 {}, '1'::oid {}, '5'::xid {}, '6'::xid {} LIMIT {}").format(
        sql.Literal(-(2**62)),
        sql.Literal('it\'s, "here"\nand {there} %s'),
        OneOf([6, 7, 2**40], "bigint"),
        OneOf(["1", "2"], "oid"),
        OneOf([4, 5], "xid"),
        OneOf([4, 5], "xid"),
        sql.Literal(1),
    )
    text = io.BytesIO()
    with session(pipeline.source) as connection, connection.cursor() as cursor:
        copy_out(cursor, query, text)
        cursor.execute(query)
        [plain] = cursor.fetchall()
    assert text.getvalue() == b'-4611686018427387904,"it\'s, ""here""\nand {there} %s",t,t,t,f\n'
    assert plain == (-(2**62), 'it\'s, "here"\nand {there} %s', True, True, True, False)


@pytest.mark.begun
def test_no_list_is_gone_through_for_each_row(postgres: EmbeddedPostgres, logged: Pipeline) -> None:
    """What a filter says is worked out for each row, but for a query of its own: ten thousand keys take minutes."""
    execute(logged.source, "UPDATE address SET phone = '1'; UPDATE department SET location = 'Leeds'")
    with own_session(logged.source, "source") as connection:
        asked = {"payment": range(1, 50)}
        seen = copies(postgres, lambda: capture(connection, logged.ingestion, SOURCE_TABLES, recapture=asked))
    lists = [text for text in seen if "[]" in text]
    assert lists
    for text in lists:
        of_a_query = r"SELECT (unnest\()?current_setting\('totes\.value_\d+'\)::\w+\[\]"
        assert len(re.findall(of_a_query, text)) == len(re.findall(r"current_setting\([^)]*\)::\w+\[\]", text))
