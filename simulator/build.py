"""A totesys database from nothing, of any size."""

import io
from collections.abc import Callable
from contextlib import closing

import numpy as np
import polars as pl
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from simulator.connections import connect
from simulator.history import history
from simulator.opening import migrations, opening_tables
from simulator.schema import (
    MIGRATIONS,
    add_keys,
    create_tables,
    gather_statistics,
    tables_in_the_way,
)
from simulator.seeds import seeded
from simulator.size import Size
from totes.errors import UserError
from totes.sqlstate import first_line

Progress = Callable[[int, int], None]

MOST = 10_000_000
"""So many sales orders a shop may begin with: half of them take some 25 GB of the disk (docs/speed.md)."""


def build(uri: str, *, orders: int, seed: int, progress: Progress | None = None) -> None:
    """Create the schema and the content of a totesys database, in one transaction.

    The same number of orders and the same seed make the same rows, whenever and wherever that is.

    Args:
        uri: of the database; it has none of totesys' tables yet.
        orders: sales orders. Purchase orders come to some four tenths as many, and each order of either kind has a
            transaction and a payment.
        seed: decides the content.
        progress: called now and then with the orders of both kinds that are done, and with how many there will be;
            all are done only when all is committed.

    Raises:
        UserError: the database cannot be reached, has such tables already, refuses what is asked of it or breaks off;
            it is left as it was.
    """
    size = Size(orders)
    with closing(connect(uri)) as connection:
        try:
            with connection, connection.cursor() as cursor:
                _fill(cursor, size, seed, progress or _silent)
        except psycopg2.Error as error:
            raise UserError(f"the shop was not built: {first_line(error)}") from error
    if progress:
        progress(size.orders, size.orders)


def _fill(cursor: Cursor, size: Size, seed: int, progress: Progress) -> None:
    if found := tables_in_the_way(cursor):
        raise UserError(f"the database is a shop already (it has {', '.join(found)}); build into an empty one")
    # Sorting millions of keys in memory halves the time that the indexes take.
    cursor.execute("SET LOCAL maintenance_work_mem = '128MB'")
    create_tables(cursor)
    generator = np.random.Generator(np.random.PCG64(seeded(seed)))
    _copy(cursor, MIGRATIONS, migrations(size, generator))
    for table, rows in opening_tables(size, generator).items():
        _copy(cursor, table, rows)
    done = 0
    for chunk in history(size, generator):
        progress(done, size.orders)
        _copy(cursor, "sales_order", chunk.sales_order)
        _copy(cursor, "purchase_order", chunk.purchase_order)
        _copy(cursor, "transaction", chunk.transaction)
        _copy(cursor, "payment", chunk.payment)
        done += chunk.orders
    add_keys(cursor)
    gather_statistics(cursor)


def _copy(cursor: Cursor, table: str, rows: pl.DataFrame) -> None:
    text = io.BytesIO()
    rows.write_csv(text, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.3f", float_precision=2)
    text.seek(0)
    cursor.copy_expert(
        sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, rows.columns))
        ),
        text,
    )


def _silent(done: int, total: int) -> None:
    """Show nothing."""
