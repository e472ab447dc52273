"""The tables that a rebuild makes in schema `etl`: which are its own, and that nothing of others lies where they go.

Table `etl.rebuild` is made and dropped with them, each time in one transaction. So what lies there under their names is
a rebuild's where that is, and somebody's where it is not. Its comment names them, which outlives a crash of the server
and the totes that has begun.
"""

from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError

_MARK = "A rebuild is under way in these tables of schema etl, which totes makes and drops: "

_IN_THE_WAY = """
    SELECT
        CASE relkind
            WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type'
            WHEN 'i' THEN 'index' ELSE 'table'
        END,
        relname
    FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relname = ANY(%(names)s)
    UNION ALL
    SELECT 'type', typname FROM pg_type
    WHERE typnamespace = 'etl'::regnamespace AND typname = ANY(%(names)s) AND typrelid = 0
    ORDER BY 2
"""


def drop_made(cursor: Cursor, known: Sequence[str]) -> None:
    """Drop the tables of a rebuild that is done, given up or begun again; where none of totes' has begun, nothing.

    Args:
        cursor: the warehouse.
        known: the tables that this totes makes: an earlier one, which made no others, did not write them down.
    """
    cursor.execute("SELECT found, obj_description(found, 'pg_class') FROM to_regclass('etl.rebuild') AS found")
    [[is_there, comment]] = cursor.fetchall()
    if is_there is None:
        return
    names = comment.removeprefix(_MARK).split(", ") if (comment or "").startswith(_MARK) else known
    tables = sql.SQL(", ").join(sql.Identifier("etl", name) for name in names)
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(tables))


def write_made(cursor: Cursor, names: Sequence[str]) -> None:
    """Write down which tables the rebuild that begins makes."""
    comment = sql.Literal(_MARK + ", ".join(names))
    cursor.execute(sql.SQL("COMMENT ON TABLE etl.rebuild IS {}").format(comment))


def must_have_room(cursor: Cursor, names: Sequence[str]) -> None:
    """See that nothing lies where a rebuild makes its tables, when what an earlier one has left is gone.

    Raises:
        ConfigurationError: something of others does; the sentence names it.
    """
    cursor.execute(_IN_THE_WAY, {"names": list(names)})
    if found := [f"the {kind} etl.{name}" for kind, name in cursor.fetchall()]:
        raise ConfigurationError(
            f"the warehouse has {', '.join(found)}, which totes did not make, where a rebuild makes tables of its own; "
            "rename it, or move it to another schema"
        )
