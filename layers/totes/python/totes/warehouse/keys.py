"""The keys by which a load knows the rows of star tables again: one that somebody has dropped is made again in place.

Nothing is lost by that, and it is one index, where a rebuild is all of the warehouse. Rows that break it can have come
meanwhile: then only a rebuild helps, for the lake knows which are right.
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
"""What it ends with where rows break the key, or where the table is somebody's, has another primary key or parts."""


def ensure_keys(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Collection[frozenset[str]]]
) -> Iterator[str]:
    """Make again the keys that are gone, in the cursor's transaction; yield why one cannot be, a sentence each.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        held: the columns of what keeps each table's rows apart, by the table's name; without it no key is missed.

    Raises:
        psycopg2.Error: the warehouse broke off, or a dimension is in use; a fact does without for a while.
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
