"""Something that is no table in the place of a star table, such as a view of a renamed one: it is refused by name."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import StarTable

_NO_TABLES = """
    SELECT relname, CASE relkind
        WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
        ELSE 'type'
    END
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
    AND relkind IN ('v', 'm', 'f', 'S', 'c') ORDER BY 1
"""


def must_be_tables(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Check that what has the name of a star table is a table.

    Args:
        cursor: the warehouse.
        tables: the star tables.

    Raises:
        ConfigurationError: something is not; the sentence names it.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    cursor.execute(_NO_TABLES, ([table.name for table in tables],))
    if found := cursor.fetchall():
        raise ConfigurationError(
            "; ".join(
                f"{name} is a {kind}; give the table its name back, or drop the {kind} and the next load makes the "
                "table"
                for name, kind in found
            )
        )
