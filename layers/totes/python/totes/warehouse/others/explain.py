"""Which of the things that others have made is why a load has failed: it is found by the error, and named."""

from collections.abc import Sequence

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import StarTable
from totes.warehouse.others.added_constraints import refused_by_others
from totes.warehouse.others.event_triggers import failed_by_event_triggers
from totes.warehouse.others.published import refused_for_publications
from totes.warehouse.others.run_by_writes import failed_by_others
from totes.warehouse.record_ids import without_record_ids


def why_refused(
    cursor: Cursor, error: psycopg2.Error, tables: Sequence[StarTable], begun: Sequence[StarTable], batch: int
) -> ConfigurationError | None:
    """Return the error to raise if what others have made refuses a batch.

    Args:
        cursor: the warehouse, in the transaction that has failed; it is rolled back if the catalog has to be asked.
        error: the error that the load of the batch ended with.
        tables: the star tables.
        begun: those that the load had begun; the last is the one that refuses.
        batch: the batch.

    Returns:
        The error, which says what to do; None if nothing of others refuses the batch.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    named = refused_by_others(error, tables, batch) or without_record_ids(error, tables, batch)
    if named is not None or not begun or cursor.connection.closed:
        return named
    # The transaction has failed, and the catalog cannot be asked in it.
    cursor.connection.rollback()
    return (
        failed_by_event_triggers(cursor, error)
        or refused_for_publications(cursor, error, begun[-1], batch)
        or failed_by_others(cursor, error, begun[-1], batch)
    )


def why_failed(connection: Connection, error: psycopg2.Error) -> ConfigurationError | None:
    """Return the error to raise if an event trigger of others is why totes cannot make, change or drop a table.

    Args:
        connection: the warehouse, outside a transaction.
        error: the error that the load ended with.

    Returns:
        The error, which names the trigger; None if none has failed, or the connection is closed.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    if connection.closed:
        return None
    with connection, connection.cursor() as cursor:
        return failed_by_event_triggers(cursor, error)
