"""A part of a transaction is undone by itself, and what stops that is not hidden."""

import psycopg2
import pytest

from tests.support.databases import session
from tests.support.servers import run_alone
from totes.savepoints import dry_run, savepoint


def test_an_error_undoes_its_block_alone(empty_database: str) -> None:
    with session(empty_database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept ()")
        with pytest.raises(psycopg2.errors.DivisionByZero), savepoint(cursor):
            cursor.execute("CREATE TABLE undone ()")
            cursor.execute("SELECT 1 / 0")
        cursor.execute("SELECT to_regclass('kept') IS NOT NULL, to_regclass('undone') IS NULL")
        assert cursor.fetchone() == (True, True)


def test_a_dry_run_leaves_nothing_and_goes_on(empty_database: str) -> None:
    with session(empty_database) as connection, connection.cursor() as cursor:
        with dry_run(cursor):
            cursor.execute("CREATE TABLE tried ()")
        cursor.execute("SELECT to_regclass('tried') IS NULL")
        assert cursor.fetchone() == (True,)


def test_a_block_whose_connection_is_lost_says_so(empty_database: str) -> None:
    lost = pytest.raises(psycopg2.OperationalError, match="connection")
    with session(empty_database) as connection, connection.cursor() as cursor, lost, savepoint(cursor):
        run_alone(empty_database, f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        cursor.execute("SELECT 1")


def test_a_dry_run_that_could_not_be_undone_is_no_success(empty_database: str) -> None:
    lost = pytest.raises(psycopg2.OperationalError, match="connection")
    with session(empty_database) as connection, connection.cursor() as cursor, lost, dry_run(cursor):
        run_alone(empty_database, f"SELECT pg_terminate_backend({connection.info.backend_pid})")
