"""Which columns of the star totes has made: by `etl.star_column` an older totes knows that a newer one was here."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from totes.star_schema import StarTable
from totes.warehouse.definitions import columns_made


def remember_columns(cursor: Cursor, tables: Sequence[StarTable], *, whole: bool = False) -> None:
    """Write which columns totes made.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        whole: whether all tables were just made, so that what the code does not know is gone.
    """
    made = list(columns_made(tables))
    cursor.execute("SELECT star_table, column_name, type, nullable FROM etl.star_column")
    known = set(cursor.fetchall())
    if whole and known - set(made):
        cursor.execute("DELETE FROM etl.star_column")
        known = set()
    others = [row for row in made if row not in known]
    if others:
        names, columns, types, nullable = (list(values) for values in zip(*others, strict=True))
        cursor.execute(
            "INSERT INTO etl.star_column (star_table, column_name, type, nullable) "
            "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::boolean[]) "
            "ON CONFLICT (star_table, column_name) DO UPDATE SET type = excluded.type, nullable = excluded.nullable",
            (names, columns, types, nullable),
        )


def columns_of_newer(cursor: Cursor, tables: Sequence[StarTable]) -> list[str]:
    """Return, as `table.column`, what totes has made and this code does not know."""
    known = {(name, column) for name, column, _, _ in columns_made(tables)}
    cursor.execute("SELECT star_table, column_name FROM etl.star_column ORDER BY 1, 2")
    return [f"{name}.{column}" for name, column in cursor.fetchall() if (name, column) not in known]


def made_before(cursor: Cursor, names: Sequence[str]) -> list[str]:
    """Return which of some star tables totes has made before, in ascending order."""
    if not names:
        return []
    cursor.execute("SELECT DISTINCT star_table FROM etl.star_column WHERE star_table = ANY(%s) ORDER BY 1", ([*names],))
    return [name for (name,) in cursor.fetchall()]


def columns_made_before(cursor: Cursor, columns: Sequence[tuple[str, str]]) -> list[str]:
    """Return which of some columns, each after its table's name, totes has made before; in order, as `table.column`."""
    if not columns:
        return []
    cursor.execute(
        "SELECT star_table, column_name FROM etl.star_column "
        "WHERE (star_table, column_name) IN (SELECT * FROM unnest(%s::text[], %s::text[])) ORDER BY 1, 2",
        [list(names) for names in zip(*columns, strict=True)],
    )
    return [f"{name}.{column}" for name, column in cursor.fetchall()]
