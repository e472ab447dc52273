"""What was just made is granted to the role that reads for the dashboard, where a warehouse has it."""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.names import READABLE_LEDGER
from totes.roles import DASHBOARD
from totes.warehouse.places import LIVE


def never_granted(cursor: Cursor, *names: sql.Composable) -> list[sql.Composable]:
    """Return those tables or views that are not there yet, or on which nobody has granted or revoked anything.

    Ask before they are made or replaced: of one that is replaced, what was revoked has to stay so, and default
    privileges may be granted on a new one.
    """
    cursor.execute(
        "SELECT relacl IS NULL FROM unnest(%s::text[]) WITH ORDINALITY AS given (name, place) "
        "LEFT JOIN pg_class ON pg_class.oid = to_regclass(name) ORDER BY place",
        ([name.as_string(cursor) for name in names],),
    )
    return [name for name, (is_so,) in zip(names, cursor.fetchall(), strict=True) if is_so]


def grant_select(cursor: Cursor, *names: sql.Composable) -> None:
    """Let the dashboard's role, if there is one, read tables or views that were just made."""
    if names and _has_readers(cursor):
        statement = sql.SQL("GRANT SELECT ON {} TO {}")
        cursor.execute(statement.format(sql.SQL(", ").join(names), sql.Identifier(DASHBOARD)))


def grant_usage(cursor: Cursor, schema: str) -> None:
    """Let the dashboard's role, if there is one, use a schema that was just made."""
    if _has_readers(cursor):
        statement = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}")
        cursor.execute(statement.format(sql.Identifier(schema), sql.Identifier(DASHBOARD)))


def grant_ledger(cursor: Cursor) -> None:
    """Let the dashboard's role, if there is one, read those tables of the live ledger that are for readers."""
    grant_usage(cursor, "etl")
    grant_select(cursor, *(LIVE.ledger(name) for name in READABLE_LEDGER))


def _has_readers(cursor: Cursor) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (DASHBOARD,))
    return cursor.fetchone() is not None
