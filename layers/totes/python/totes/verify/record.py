"""What a verification has found is recorded in the warehouse, for those who read how whole it is."""

from psycopg2.extensions import connection as Connection

from totes.catalog import has_table


def write_verification(warehouse: Connection, *, batch: int, differences: int) -> None:
    """Write what a comparison of the whole warehouse with the source has found, if there is a table for it.

    A warehouse of an earlier totes has none; the next load makes it. One that takes no writes, because its disk is
    nearly full, is compared all the same.

    Args:
        warehouse: the warehouse, outside a transaction; as its loader.
        batch: the newest batch that it held.
        differences: how many rows differed without an excuse.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    with warehouse, warehouse.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only') = 'on'")
        takes_no_writes = cursor.fetchall() == [(True,)]
        if not takes_no_writes and has_table(cursor, "etl.verification"):
            cursor.execute(
                "INSERT INTO etl.verification (batch_id, equal, differences) VALUES (%s, %s, %s)",
                (batch, not differences, differences),
            )
