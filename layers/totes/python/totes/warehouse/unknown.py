"""Unknown members: each stands in a dimension for a row in quarantine, so that no join loses facts that refer to it.

The technique is known as a late arriving dimension: R. Kimball and M. Ross, The Data Warehouse Toolkit, chapter 19.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.star_schema import INTEGER_RANGE, Dimension, StarTable
from totes.warehouse.definitions import identifiers
from totes.warehouse.places import Place

UNKNOWN = "unknown"
"""The value of each text that must have one; the first text of a member has its key too.

Otherwise, who groups by a name or a currency's code would take several unknown members for one.
"""

_NAMED = sql.SQL("concat({}, ' ', held.key)").format(sql.Literal(UNKNOWN))
"""The first text of a member for a row `held` in quarantine."""


def add_unknown(cursor: Cursor, place: Place, table: Dimension, batch: int | None = None) -> None:
    """Add an unknown member for each key that is in quarantine and has no row in the dimension.

    It is marked deleted, because the source has no row that the star can hold. When it has one, that row replaces it.

    Args:
        cursor: the warehouse.
        place: where dimension and quarantine are.
        table: the dimension.
        batch: the batch whose rows in quarantine are looked at (default: all batches).
    """
    cursor.execute(
        sql.SQL("""
            INSERT INTO {table} ({names}, batch_id, is_deleted)
            SELECT {values}, min(held.batch_id), true FROM {quarantine} AS held
            WHERE held.star_table = %(table)s AND held.resolved_by IS NULL
            AND (%(batch)s IS NULL OR held.batch_id = %(batch)s)
            AND held.key {integer_range}
            AND NOT EXISTS (SELECT FROM {table} AS there WHERE there.{key} = held.key)
            GROUP BY held.key ORDER BY held.key
        """).format(
            table=place.star(table.name),
            names=identifiers([column.name for column in table.columns]),
            values=sql.SQL(", ").join(_values(table)),
            quarantine=place.ledger("quarantine"),
            key=sql.Identifier(table.key),
            integer_range=sql.SQL(INTEGER_RANGE),
        ),
        {"table": table.name, "batch": batch},
    )


def add_every_unknown(cursor: Cursor, place: Place, tables: Iterable[StarTable]) -> None:
    """Add the unknown members that are missing in all dimensions, whichever batch or version of totes left them out.

    Those that an earlier version named without their keys are named as this one names them.

    Args:
        cursor: the warehouse.
        place: where dimensions and quarantine are.
        tables: the star tables.
    """
    quarantine = place.ledger("quarantine")
    cursor.execute(sql.SQL("SELECT DISTINCT star_table FROM {} WHERE resolved_by IS NULL").format(quarantine))
    waiting = {name for (name,) in cursor.fetchall()}
    for table in tables:
        if isinstance(table, Dimension) and table.name in waiting:
            add_unknown(cursor, place, table)
            _name_by_key(cursor, place, table)


def _name_by_key(cursor: Cursor, place: Place, table: Dimension) -> None:
    """Give the unknown members of a version from before 28 November 2026, 15:55 UTC, the texts that they have now.

    A member has the batch that put its key in quarantine. A row of the source that is marked deleted has the batch that
    found it gone, so it is left alone whatever its texts are.
    """
    required = _required(table)
    if not required:
        return
    as_it_was = [sql.SQL("there.{} = {}").format(sql.Identifier(name), sql.Literal(UNKNOWN)) for name in required] + [
        sql.SQL("there.{} IS NULL").format(sql.Identifier(column.name)) for column in table.columns if column.nullable
    ]
    cursor.execute(
        sql.SQL("""
            UPDATE {table} AS there SET {name} = {named} FROM {quarantine} AS held
            WHERE held.star_table = %(table)s AND held.resolved_by IS NULL AND held.key = there.{key}
            AND there.is_deleted AND {as_it_was}
            AND EXISTS (
                SELECT FROM {quarantine} AS made_by WHERE made_by.batch_id = there.batch_id
                AND made_by.star_table = %(table)s AND made_by.key = there.{key}
            )
        """).format(
            table=place.star(table.name),
            name=sql.Identifier(required[0]),
            named=_NAMED,
            quarantine=place.ledger("quarantine"),
            key=sql.Identifier(table.key),
            as_it_was=sql.SQL(" AND ").join(as_it_was),
        ),
        {"table": table.name},
    )


def _values(table: Dimension) -> Iterator[sql.Composable]:
    """The value of each column of an unknown member."""
    required = _required(table)
    for column in table.columns:
        if column.name == table.key:
            yield sql.SQL("held.key::integer")
        elif column.nullable:
            yield sql.SQL("NULL::{}").format(sql.SQL(column.sql_type))
        elif column.name == required[0]:
            yield _NAMED
        else:
            yield sql.Literal(UNKNOWN)


def _required(table: Dimension) -> Sequence[str]:
    """The texts that must have a value."""
    return [column.name for column in table.columns if column.name != table.key and not column.nullable]
