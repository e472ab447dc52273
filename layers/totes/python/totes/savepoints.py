"""A part of a transaction that can be undone by itself."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.extensions import cursor as Cursor


class _DryRunEnds(Exception):
    """The block of a dry run has come to its end."""


@contextmanager
def savepoint(cursor: Cursor) -> Iterator[None]:
    """Roll back to the start of the block if it raises an error, and raise it again."""
    cursor.execute("SAVEPOINT block")
    try:
        yield
    except Exception as error:
        try:
            cursor.execute("ROLLBACK TO SAVEPOINT block; RELEASE SAVEPOINT block")
        except psycopg2.Error:
            # If the connection is lost, this fails too, and the error of the block says why.
            if isinstance(error, _DryRunEnds) or not cursor.connection.closed:
                raise
        raise
    cursor.execute("RELEASE SAVEPOINT block")


@contextmanager
def dry_run(cursor: Cursor) -> Iterator[None]:
    """Always roll back to the start of the block."""
    with suppress(_DryRunEnds), savepoint(cursor):
        yield
        raise _DryRunEnds
