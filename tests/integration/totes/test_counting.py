"""One look at a table tells its count, that of a condition's rows, and a place in which all of these lie."""

import random
from collections.abc import Iterator

import pytest
from psycopg2 import sql

from tests.support.databases import execute, session
from totes.capture import sizes
from totes.capture.rows import counting
from totes.capture.rows.counting import Counted, count_rows
from totes.capture.source.snapshot import EVERY_ROW, Snapshot, snapshot_of

_ROWS_OF_A_BLOCK = 3
_ROWS = 600
_BLOCKS = _ROWS // _ROWS_OF_A_BLOCK


@pytest.fixture
def snapshot(empty_database: str) -> Iterator[Snapshot]:
    """A table `wide` of few rows a block, and one that is `parted` into a long and a short part."""
    execute(
        empty_database,
        f"""
        CREATE TABLE wide (key integer, filled text, starts date, ends text, stretch inet);
        ALTER TABLE wide ALTER filled SET STORAGE PLAIN;
        INSERT INTO wide SELECT key, repeat('x', 2500) FROM generate_series(0, {_ROWS - 1}) AS key;
        CREATE TABLE parted (key integer) PARTITION BY RANGE (key);
        CREATE TABLE parted_long PARTITION OF parted FOR VALUES FROM (0) TO (50000);
        CREATE TABLE parted_short PARTITION OF parted FOR VALUES FROM (50000) TO (60000);
        INSERT INTO parted SELECT generate_series(0, 50009);
        """,
    )
    with session(empty_database) as connection, snapshot_of(connection) as taken:
        yield taken


def keys(*values: int) -> sql.Composable:
    return sql.SQL("key = ANY({})").format(sql.Literal(list(values)))


def there(snapshot: Snapshot, table: str, place: sql.Composable) -> list[int]:
    """The keys of the rows at a place."""
    with snapshot.connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT key FROM public.{} WHERE {}").format(sql.Identifier(table), place))
        return [key for (key,) in cursor.fetchall()]


def looked_at(snapshot: Snapshot, counted: Counted) -> int:
    """How many rows PostgreSQL looks at for a place in `wide`."""
    return len(there(snapshot, "wide", counted.place))


@pytest.mark.parametrize("blocks_of_a_stretch", [1, 7])
@pytest.mark.parametrize("seed", range(20))
def test_all_rows_of_a_condition_are_counted_and_lie_in_the_place(
    snapshot: Snapshot, seed: int, blocks_of_a_stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_STRETCHES", _BLOCKS // blocks_of_a_stretch)
    chosen = random.Random(seed).sample(range(_ROWS), k=seed * seed)  # noqa: S311 - a test's choice
    counted = count_rows(snapshot, "wide", _BLOCKS, keys(*chosen))
    assert (counted.rows, counted.candidates) == (_ROWS, len(chosen))
    assert set(chosen) <= set(there(snapshot, "wide", counted.place))


@pytest.mark.parametrize("first", [0, 100, 299, 580])
def test_rows_that_lie_together_are_found_without_looking_elsewhere(snapshot: Snapshot, first: int) -> None:
    counted = count_rows(snapshot, "wide", _BLOCKS, keys(*range(first, first + 20)))
    assert counted.candidates == 20
    assert looked_at(snapshot, counted) <= 20 + 2 * _ROWS_OF_A_BLOCK, "they lie in a few blocks"


def test_few_rows_that_lie_far_apart_are_found_without_looking_elsewhere(snapshot: Snapshot) -> None:
    chosen = range(0, _ROWS, 30)
    counted = count_rows(snapshot, "wide", _BLOCKS, keys(*chosen))
    assert sorted(there(snapshot, "wide", counted.place)) == [*chosen]


def test_rows_that_lie_nearly_everywhere_are_read_as_the_whole_table_is(snapshot: Snapshot) -> None:
    for chosen in (range(0, _ROWS, 9), range(_ROWS // 2 - 10, _ROWS)):
        assert count_rows(snapshot, "wide", _BLOCKS, keys(*chosen)).place == EVERY_ROW


def test_no_more_rows_are_looked_up_one_by_one_than_are_read_in_any_order(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = keys(100, 200)
    monkeypatch.setattr(sizes, "UNORDERED_ROWS", 2)
    assert looked_at(snapshot, count_rows(snapshot, "wide", _BLOCKS, chosen)) == 2
    monkeypatch.setattr(sizes, "UNORDERED_ROWS", 1)
    assert looked_at(snapshot, count_rows(snapshot, "wide", _BLOCKS, chosen)) > 100, "all between"


@pytest.mark.parametrize("chosen", [range(300, 303), range(0, _ROWS, 60)], ids=["together", "far apart"])
def test_postgresql_does_not_read_what_lies_elsewhere(snapshot: Snapshot, chosen: range) -> None:
    place = count_rows(snapshot, "wide", _BLOCKS, keys(*chosen)).place
    query = sql.SQL("EXPLAIN SELECT FROM public.wide WHERE {} AND {}")
    with snapshot.connection.cursor() as cursor:
        cursor.execute(query.format(keys(*chosen), place))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Tid Range Scan on wide" in plan
    assert "Seq Scan" not in plan


def test_a_table_that_has_grown_since_its_blocks_were_counted_is_counted_whole(snapshot: Snapshot) -> None:
    for blocks in (0, 1, _BLOCKS // 2, _BLOCKS * 5):
        counted = count_rows(snapshot, "wide", blocks, keys(0, 599))
        assert (counted.rows, counted.candidates) == (_ROWS, 2)
        assert {0, 599} <= set(there(snapshot, "wide", counted.place))


def test_a_place_holds_in_every_part_of_a_table(snapshot: Snapshot) -> None:
    counted = count_rows(snapshot, "parted", 50_000 // 200, keys(49_999, 50_000))
    assert (counted.rows, counted.candidates) == (50_010, 2)
    assert {49_999, 50_000} <= set(there(snapshot, "parted", counted.place))


def test_where_no_row_is_there_is_no_place(snapshot: Snapshot) -> None:
    counted = count_rows(snapshot, "wide", _BLOCKS, keys(-1))
    assert (counted.rows, counted.candidates) == (_ROWS, 0)
    assert looked_at(snapshot, counted) == 0


def test_where_every_row_is_asked_for_all_of_the_table_is_the_place(snapshot: Snapshot) -> None:
    counted = count_rows(snapshot, "wide", _BLOCKS, EVERY_ROW)
    assert (counted.rows, counted.candidates) == (_ROWS, _ROWS)
    assert looked_at(snapshot, counted) == _ROWS
