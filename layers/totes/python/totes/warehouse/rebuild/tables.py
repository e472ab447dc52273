"""The tables that a rebuild makes in schema `etl`: which are its own, and that nothing of others lies where they go.

These tables are made and dropped in the same transaction as `etl.rebuild`. If `etl.rebuild` exists, they belong to the
rebuild; if not, somebody else made them. Its comment lists them: it survives a server crash, and a change of totes
version.
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
    """Drop the tables of a rebuild that is done, given up or begun again; without a rebuild of totes, do nothing.

    Args:
        cursor: the warehouse.
        known: the tables that this totes makes. They are dropped if no comment lists any: an earlier totes, which made
            the same tables, wrote none.
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


def must_be_free(cursor: Cursor, names: Sequence[str]) -> None:
    """Check that nobody else has a relation or type under the names of a rebuild's tables; those of totes are dropped.

    Raises:
        ConfigurationError: somebody has; the sentence names it.
    """
    cursor.execute(_IN_THE_WAY, {"names": list(names)})
    if found := [f"the {kind} etl.{name}" for kind, name in cursor.fetchall()]:
        raise ConfigurationError(
            f"the warehouse has {', '.join(found)}, which totes did not make, where a rebuild makes tables of its own; "
            "rename it, or move it to another schema"
        )
