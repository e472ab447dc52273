"""Tables that are not in schema public, where totes reads them, looked for in the other schemas.

A migration that moves a table, or renames the schema, takes no row away: whoever is woken should read where the rows
are, and not that the database is another one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection

from totes.capture.source.renaming import perhaps_renamed
from totes.capture.source_schema import SourceTable

# PostgreSQL's own schemas begin with pg_, which it lets nobody else's do.
_ELSEWHERE = """
    SELECT class.relname, quote_ident(namespace.nspname), format('%%I.%%I', namespace.nspname, class.relname)
    FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE class.relname = ANY(%s) AND class.relkind IN ('r', 'p')
      AND namespace.nspname NOT LIKE 'pg\\_%%' AND namespace.nspname NOT IN ('public', 'information_schema')
    ORDER BY 1, 2
"""
# Names of others' tables may be no text in a database without an encoding.
_LIKE = """
    SELECT class.relname
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE namespace.nspname = 'public' AND class.relkind IN ('r', 'p') AND NOT class.relispartition
      AND class.relname::text ~ '^[ -~]+$' AND class.relname <> ALL(%s) AND attribute.attname = ANY(%s)
      AND NOT attribute.attisdropped
    GROUP BY class.oid, class.relname
    HAVING count(*) = cardinality(%s)
    ORDER BY class.relname
"""
_HAS_PUBLIC = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')"


def missing(connection: Connection, absent: Sequence[SourceTable], tables: Sequence[SourceTable]) -> list[str]:
    """Return a sentence on each table that is not in schema public: where it may be, or what it may be called now.

    Args:
        connection: the source.
        absent: the tables that are not there.
        tables: all tables that totes reads.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    found = _elsewhere(connection, [table.source_name for table in absent]) if absent else ()
    known = [table.source_name for table in tables]
    return [
        _missing(table.source_name, [there for there in found if there.name == table.source_name])
        + perhaps_renamed(table, _tables_like(connection, table, known), 'renamed_to="{}"')
        for table in absent
    ]


def none_there(connection: Connection, names: Sequence[str]) -> str:
    """Return a sentence on a source that has none of the tables in schema public.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    found = _elsewhere(connection, names)
    said = f"the source has none of the {len(names)} tables that totes reads"
    if not found:
        return f"{said}: it is another database, or an empty one; name the shop's (totes secrets set source)"
    [(schema, count)] = Counter(there.schema for there in found).most_common(1)
    with connection.cursor() as cursor:
        cursor.execute(_HAS_PUBLIC)
        [(has_public,)] = cursor.fetchall()
    first = next(there for there in found if there.schema == schema)
    remedy = f"move them back, each by {first.move}"
    if not has_public:
        remedy = f"ALTER SCHEMA {schema} RENAME TO public"
    return f"{said} in schema public; schema {schema} has {count} of them: if they are the shop's, {remedy}"


@dataclass(frozen=True)
class _Elsewhere:
    """A table of another schema: its name, and its schema and the whole as SQL has them."""

    name: str
    schema: str
    qualified: str

    @property
    def move(self) -> str:
        return f"ALTER TABLE {self.qualified} SET SCHEMA public"


def _elsewhere(connection: Connection, names: Sequence[str]) -> Sequence[_Elsewhere]:
    with connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE, ([*names],))
        return [_Elsewhere(*row) for row in cursor.fetchall()]


def _missing(name: str, found: Sequence[_Elsewhere]) -> str:
    if not found:
        return f"table {name} is missing"
    return (
        f"table {name} is missing from schema public, and there is one in "
        f"{', '.join(there.schema for there in found)}: if it is the shop's, move it back "
        f"({' or '.join(there.move for there in found)})"
    )


def _tables_like(connection: Connection, table: SourceTable, known: Sequence[str]) -> list[str]:
    """The tables of schema public that totes does not read and that have all columns of one."""
    columns = [table.source_column(name) for name in table.columns]
    with connection.cursor() as cursor:
        cursor.execute(_LIKE, (known, columns, columns))
        return [name for (name,) in cursor.fetchall()]
