"""The keys by which a load finds the rows of star tables: one that somebody has dropped is made again in place.

Nothing is lost by that, and it builds one index, while a rebuild makes the whole warehouse. Rows that break the key may
have come meanwhile. Then only a rebuild helps, because the lake knows which rows are right.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence

import psycopg2
from psycopg2.extensions import cursor as Cursor

from totes.star_schema import Fact, StarTable
from totes.warehouse.definitions import add_key, columns_known_by, keys_of
from totes.warehouse.lock_timeout import IN_USE, short_lock_timeout
from totes.warehouse.places import LIVE

logger = logging.getLogger(__name__)

_IMPOSSIBLE = (
    psycopg2.errors.UniqueViolation,
    psycopg2.errors.NotNullViolation,
    psycopg2.errors.InsufficientPrivilege,
    psycopg2.errors.InvalidTableDefinition,
    psycopg2.errors.FeatureNotSupported,
)
"""Errors that PostgreSQL raises when rows break the key, or the loader does not own the table, or the table has another
primary key or is partitioned."""


def ensure_keys(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Collection[frozenset[str]]]
) -> Iterator[str]:
    """Make again the keys that are gone, in the cursor's transaction; for each that cannot be made, yield why.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        held: by each table's name, the columns of its keys and unique indexes; a table that is not in it needs no key.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost, or a dimension is in use; a fact can do without its
            key for a while.
    """
    for table in tables:
        columns = columns_known_by(table)
        if table.name not in held or frozenset(columns) in held[table.name]:
            continue
        shown = ", ".join(columns)
        try:
            with short_lock_timeout(cursor):
                add_key(cursor, LIVE, table, keys_of(table)[0])
        except _IMPOSSIBLE as error:
            why = error.diag.message_detail or error.diag.message_primary
            yield f"the key ({shown}) of {table.name} is gone, and cannot be made again in place: {why}"
        except IN_USE:
            if not isinstance(table, Fact):
                raise
            logger.warning("the key (%s) of %s is gone; it is made again when nobody reads that", shown, table.name)
        else:
            logger.warning("the key (%s) of %s was dropped, and is there again", shown, table.name)
