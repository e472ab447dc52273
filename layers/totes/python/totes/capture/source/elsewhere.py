"""Tables that are not in schema public, where totes reads them, looked for in the other schemas.

A migration that moves a table, or renames the schema, takes no row away: whoever is woken should read where the rows
are, and not that the database is another one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection

# PostgreSQL's own schemas begin with pg_, which it lets nobody else's do.
_ELSEWHERE = """
    SELECT class.relname, quote_ident(namespace.nspname), format('%%I.%%I', namespace.nspname, class.relname)
    FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE class.relname = ANY(%s) AND class.relkind IN ('r', 'p')
      AND namespace.nspname NOT LIKE 'pg\\_%%' AND namespace.nspname NOT IN ('public', 'information_schema')
    ORDER BY 1, 2
"""
_HAS_PUBLIC = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')"


def missing(connection: Connection, names: Sequence[str]) -> list[str]:
    """Return a sentence on each of some tables that are not in schema public: where there is one of its name.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    found = _elsewhere(connection, names) if names else ()
    return [_missing(name, [there for there in found if there.name == name]) for name in names]


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
