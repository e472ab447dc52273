"""What several parts ask of a database: is a table there, how many rows has it, what is a type called?"""

from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

Relation = tuple[str, str]
"""A table or view, by schema and name."""

# PostgreSQL itself never takes a type of schema public for visible, because no session of totes looks there. It also
# writes the schema where its own type has the name: so does this.
_WRITTEN_TYPE = sql.SQL("""
    (
        SELECT CASE
            WHEN NOT starts_with(whole, 'public.') THEN whole
            WHEN EXISTS (
                SELECT FROM pg_type AS itself
                JOIN pg_type AS named ON named.oid = CASE
                    WHEN itself.typsubscript = 'array_subscript_handler'::regproc THEN itself.typelem ELSE itself.oid
                END
                JOIN pg_type AS own ON own.typname = named.typname AND own.typnamespace = 'pg_catalog'::regnamespace
                WHERE itself.oid = {type}
            ) THEN whole
            ELSE substr(whole, 1 + length('public.'))
        END
        FROM format_type({type}, {modifier}) AS whole
    )
""")


def written_type(type_: sql.Composable, modifier: sql.Composable) -> sql.Composable:
    """Return the expression of a type as `format_type` writes it to who has schema public in their search path.

    So manifests have it, and people read it.

    Args:
        type_: the type's oid, an expression.
        modifier: its modifier.
    """
    return _WRITTEN_TYPE.format(type=type_, modifier=modifier)


def has_schema(cursor: Cursor, name: str) -> bool:
    """Whether the database has a schema.

    Raises:
        psycopg2.Error: the connection to the database was lost.
    """
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name])
    return cursor.fetchone() is not None


def has_table(cursor: Cursor, name: str) -> bool:
    """Whether there is a table or view of this name, its schema's before it.

    Raises:
        psycopg2.Error: the connection to the database was lost, or the role may not use the schema.
    """
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    [[is_there]] = cursor.fetchall()
    return bool(is_there)


def absent(cursor: Cursor, relations: Sequence[Relation]) -> list[str]:
    """Return those tables and views that are not there, each as it is spoken of: those of `public` by name alone.

    Raises:
        psycopg2.Error: the connection to the database was lost, or the role may not use a schema.
    """
    schemas, names = zip(*relations, strict=True)
    cursor.execute(
        "SELECT CASE schema WHEN 'public' THEN name ELSE schema || '.' || name END "
        "FROM unnest(%s, %s) AS wanted (schema, name) "
        "WHERE to_regclass(format('%%I.%%I', schema, name)) IS NULL",
        (list(schemas), list(names)),
    )
    return [name for (name,) in cursor.fetchall()]


def lacking(names: Sequence[str]) -> str:
    """Say that the warehouse lacks tables of the star or of the ledger, or columns of the star."""
    return (
        f"the warehouse lacks {', '.join(names)}, which was lost, or which an earlier totes did not have; the next run "
        "makes all of it (totes run)"
    )


def count_rows(cursor: Cursor, table: sql.Composable) -> int:
    """Return how many rows a table has.

    Raises:
        psycopg2.Error: the connection to the database was lost, there is no such table, or the role may not read it.
    """
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
    [[count]] = cursor.fetchall()
    return int(count)
