"""Short words for what tests do to databases."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import parse_dsn

from local_cloud.postgres import EmbeddedPostgres
from tests.support.in_memory import in_memory
from tests.support.versions import server_in
from totes.databases import open_session

QUICK = {"fsync": "off", "max_wal_size": "64MB", "min_wal_size": "32MB", "shared_buffers": "16MB"}
"""Settings of a server whose machine does not lose power: what it has written outlives any crash of its own. Its
databases are small, and each session's process maps the buffers for itself."""


@contextmanager
def quick_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for many short-lived databases, in memory where there is plenty of it."""
    with tempfile.TemporaryDirectory(prefix="totes-", dir=in_memory(), ignore_cleanup_errors=True) as folder:
        server = server_in(Path(folder), settings=QUICK)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            # Python takes ten times as long for many files.
            subprocess.run(["rm", "-rf", folder], check=True)


@contextmanager
def session(uri: str) -> Iterator[Connection]:
    """An open connection, closed at the end; a transaction that is still open is rolled back."""
    connection = psycopg2.connect(uri)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def own_session(uri: str, login_name: str) -> Iterator[Connection]:
    """A session with the settings that totes gives its own, closed at the end."""
    dsn = parse_dsn(uri)
    login = {"host": dsn["host"], "port": dsn["port"], "username": dsn["user"], "dbname": dsn["dbname"]}
    connection = open_session(login | {"password": dsn["password"]}, login_name)
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


@contextmanager
def reader(uri: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """What gives the rows of queries, each in a transaction of its own, over one connection.

    To connect takes seven milliseconds of the processor, and a query of a small table one.
    """
    with session(uri) as connection:
        connection.autocommit = True

        def rows_of(query: str) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()

        yield rows_of


def value(uri: str, query: str, values: Sequence[Any] | None = None) -> Any:
    """A query's only value."""
    [[only]] = rows(uri, query, values)
    return only
