"""What a first script does: a cursor, all rows at once or some at a time, and executemany."""

import csv
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from tests.benchmark.suite.where import Where

_ROWS_AT_ONCE = 10_000


def fetchall(where: Where) -> None:
    """Each of the source's tables whole, then to a file of CSV."""
    with closing(psycopg2.connect(where.source)) as source, source.cursor() as cursor:
        for table in where.tables:
            cursor.execute(f"SELECT * FROM {table}")
            _write(where, table, cursor.fetchall())


def cursor_of_the_server(where: Where) -> None:
    """The same, some rows at a time."""
    with closing(psycopg2.connect(where.source)) as source:
        for table in where.tables:
            with source.cursor(table) as cursor:
                cursor.itersize = _ROWS_AT_ONCE
                cursor.execute(f"SELECT * FROM {table}")
                _write(where, table, cursor)


def executemany(where: Where) -> None:
    """Each of the source's tables whole, then by INSERT into bare tables."""
    with (
        closing(psycopg2.connect(where.source)) as source,
        closing(psycopg2.connect(where.target)) as target,
        source.cursor() as reading,
        target.cursor() as writing,
    ):
        for table in where.tables:
            reading.execute(f"SELECT * FROM {table}")
            rows = reading.fetchall()
            writing.executemany(insert(table, len(reading.description or ())), rows)
        target.commit()


def insert(table: str, columns: int) -> str:
    """The statement that inserts a row."""
    return f"INSERT INTO {table} VALUES ({', '.join(['%s'] * columns)})"


def _write(where: Where, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with (Path(where.files) / f"{table}.out").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
