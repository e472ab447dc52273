"""One state of the warehouse, read whole, whatever is loaded or swapped meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.catalog import Relation, absent
from totes.errors import ConfigurationError


@contextmanager
def consistent_read(
    warehouse: Connection, relations: Sequence[Relation], missing: Callable[[Sequence[str]], str]
) -> Iterator[Cursor]:
    """Open a read-only transaction that sees one state of tables and views, and keeps them from being swapped.

    The lock is the transaction's first statement: it takes no snapshot, and any other one would. To a snapshot that is
    older than a swap, for which the lock may have waited, the tables look empty.

    Args:
        warehouse: the warehouse, outside a transaction.
        relations: what is read; of a view, what it reads is locked too.
        missing: says what to do where some of them are not there, whose names it is given.

    Raises:
        ConfigurationError: some are not there.
        psycopg2.Error: the connection to the warehouse was lost, or what makes the tables again was at it for too long.
    """
    with warehouse, warehouse.cursor() as cursor:
        if gone := absent(cursor, relations):
            raise ConfigurationError(missing(gone))
    with warehouse, warehouse.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        all_of_them = sql.SQL(", ").join(sql.Identifier(*relation) for relation in relations)
        cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(all_of_them))
        yield cursor
