"""Record ids of facts: where their sequence is behind, it is raised; where nothing gives them, that is named.

A sequence is behind after a move of the warehouse by logical replication, which copies none, or where somebody has set
it. Then PostgreSQL refuses the next rows by their key.
"""

import logging
from collections.abc import Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import Fact, StarTable
from totes.warehouse.places import LIVE

logger = logging.getLogger(__name__)

# The sequence that gives the column's next value: that of an identity, or that which its default names.
_GIVES = """
    SELECT sequence.oid::regclass::text FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    JOIN pg_depend ON deptype = 'i' AND (classid, refclassid) = ('pg_class'::regclass, 'pg_class'::regclass)
            AND (refobjid, refobjsubid) = (attrelid, attnum)
        OR (classid, refclassid) = ('pg_attrdef'::regclass, 'pg_class'::regclass) AND objid = pg_attrdef.oid
    JOIN pg_class AS sequence ON relkind = 'S' AND sequence.oid = CASE deptype WHEN 'i' THEN objid ELSE refobjid END
    WHERE attrelid = %s::regclass AND attname = %s
"""

_RAISE = """
    SELECT setval({name}, greatest) FROM (SELECT max({id}) AS greatest FROM {table}) AS held, {sequence}
    WHERE greatest > last_value OR greatest = last_value AND NOT is_called
"""


def raise_sequences(cursor: Cursor, tables: Sequence[StarTable], error: psycopg2.Error) -> bool:
    """Raise each sequence that is behind the record ids of its fact, if a fact has refused a row.

    A load that is refused has taken numbers, which do not go back. So a sequence that was behind may not be any more.

    Args:
        cursor: the warehouse, with the loaders' lock.
        tables: the star tables.
        error: the error that the load ended with.

    Returns:
        Whether the load may go well now, and is to be tried again.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    facts = [table for table in tables if isinstance(table, Fact)]
    if error.diag.table_name not in {table.name for table in facts}:
        return False
    for table in facts:
        cursor.execute(_GIVES, (LIVE.star(table.name).as_string(cursor), table.record_id))
        for (name,) in cursor.fetchall():
            cursor.execute(
                sql.SQL(_RAISE).format(
                    name=sql.Literal(name),
                    id=sql.Identifier(table.record_id),
                    table=LIVE.star(table.name),
                    sequence=sql.SQL(name),
                )
            )
            if cursor.fetchone():
                shown = name.removeprefix("public.")
                logger.warning("the sequence %s was behind the record ids of %s, and is raised", shown, table.name)
    return True


def without_record_ids(error: psycopg2.Error, tables: Sequence[StarTable], batch: int) -> ConfigurationError | None:
    """Return the error to raise if a fact's rows are refused because nothing gives their record ids any more.

    Args:
        error: the error that the load of the batch ended with.
        tables: the star tables.
        batch: the batch.

    Returns:
        The error, which says what to do; None if something else refuses the batch.
    """
    of = (error.diag.table_name, error.diag.column_name)
    facts = {(table.name, table.record_id) for table in tables if isinstance(table, Fact)}
    if not isinstance(error, psycopg2.errors.NotNullViolation) or of not in facts:
        return None
    return ConfigurationError(
        f"batch {batch} cannot be loaded: {of[0]}.{of[1]} has no default any more, by which a sequence gives record "
        "ids; make all of the warehouse again from the lake (totes rebuild)"
    )
