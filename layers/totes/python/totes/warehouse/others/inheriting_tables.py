"""Tables that inherit from those of totes: who reads totes' table reads their rows too, and counts them twice."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import StarTable
from totes.warehouse.others.own_tables import names_written

# One without rows doubles nothing. Its size says so, and whoever may not read it may ask for that; a foreign table has
# none. The partitions of a table that its owner has partitioned are its rows.
_INHERITING = """
    WITH RECURSIVE heir AS (
        SELECT oid AS root, oid FROM pg_class WHERE relkind IN ('r', 'p') AND (
            relnamespace = 'public'::regnamespace AND relname = ANY(%(stars)s)
            OR relnamespace = to_regnamespace('etl') AND relname = ANY(%(own)s)
        )
        UNION SELECT root, inhrelid FROM heir JOIN pg_inherits ON inhparent = heir.oid
    )
    SELECT DISTINCT ON (child) child, root, parent FROM (
        SELECT format('%%s.%%I', pg_class.relnamespace::regnamespace, pg_class.relname) AS child,
            format('%%s.%%I', top.relnamespace::regnamespace, top.relname) AS root,
            format('%%s.%%I', above.relnamespace::regnamespace, above.relname) AS parent
        FROM heir JOIN pg_inherits ON inhparent = heir.oid
        JOIN pg_class ON pg_class.oid = inhrelid
        JOIN pg_class AS top ON top.oid = root JOIN pg_class AS above ON above.oid = inhparent
        WHERE NOT pg_class.relispartition AND (pg_class.relkind = 'f' OR pg_relation_size(pg_class.oid) > 0)
    ) AS found ORDER BY child, parent
"""


def must_inherit_nothing(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Check that no table with rows inherits from a star table, or from another table of totes.

    Args:
        cursor: the warehouse.
        tables: the star tables.

    Raises:
        ConfigurationError: one does; the sentence names it.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    cursor.execute(_INHERITING, names_written(tables))
    if found := cursor.fetchall():
        raise ConfigurationError(
            "; ".join(
                f"the table {child} inherits from {root}, so its rows count twice; "
                f"ALTER TABLE {child} NO INHERIT {parent}"
                for child, root, parent in found
            )
        )
