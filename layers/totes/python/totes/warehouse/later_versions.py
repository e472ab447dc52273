"""Versions of batches that are not loaded yet: somebody has written them, and they would hide what the shop says.

A batch is loaded once, after all before it. So whatever a fact holds of this batch or a later one is of no batch. It
would be the newest version of its key until that batch, and then refuse the batch's own.
"""

import logging

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.star_schema import Fact
from totes.warehouse.places import Place

logger = logging.getLogger(__name__)


def delete_later_versions(
    cursor: Cursor, place: Place, table: Fact, staging: sql.Identifier, key: str, batch: int
) -> None:
    """Delete the versions of a batch's keys that are of this batch or a later one; a warning says how many there were.

    To look for them costs one look into the fact's key for each row that is staged, as to compare its newest version
    does. Only where there are some is the right to delete needed.

    Args:
        cursor: the warehouse.
        place: where the fact is.
        table: the fact.
        staging: what the batch brings, of which nothing is in the fact yet.
        key: the column of that which has the fact's key.
        batch: the batch.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost, or the loader may not delete them.
    """
    names = {
        "table": place.star(table.name),
        "key": sql.Identifier(table.key),
        "staging": staging,
        "staged_key": sql.Identifier(key),
    }
    cursor.execute(
        sql.SQL("""
            SELECT EXISTS (
                SELECT FROM {staging} AS staged CROSS JOIN LATERAL (
                    SELECT batch_id FROM {table} AS held
                    WHERE held.{key} = staged.{staged_key} ORDER BY held.batch_id DESC LIMIT 1
                ) AS newest
                WHERE newest.batch_id >= %s
            )
        """).format(**names),
        (batch,),
    )
    [[are_there]] = cursor.fetchall()
    if are_there:
        cursor.execute(
            sql.SQL(
                "DELETE FROM {table} AS held USING {staging} AS staged "
                "WHERE held.{key} = staged.{staged_key} AND held.batch_id >= %s"
            ).format(**names),
            (batch,),
        )
        logger.warning(
            "%d versions of %s were of batch %d or later, which nobody had loaded; they are deleted",
            cursor.rowcount,
            table.name,
            batch,
        )
