"""Short words for what tests do to databases."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

QUICK = {"fsync": "off"}
"""Settings of a server whose machine does not lose power: what it has written outlives any crash of its own."""


@contextmanager
def session(uri: str) -> Iterator[Connection]:
    """An open connection, closed at the end; a transaction that is still open is rolled back."""
    connection = psycopg2.connect(uri)
    try:
        yield connection
    finally:
        connection.close()


def execute(uri: str, statements: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
    """Run statements and commit."""
    with session(uri) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statements, values)


def rows(uri: str, query: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """A query's rows."""
    with session(uri) as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def value(uri: str, query: str, values: Sequence[Any] | None = None) -> Any:
    """A query's only value."""
    [[only]] = rows(uri, query, values)
    return only
