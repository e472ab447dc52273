"""Rights that somebody grants to a role, and what the role has of them afterwards.

PostgreSQL only warns where somebody grants what they may not grant, in the words of its language.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.savepoints import savepoint

# A table is looked for in the catalog, which everybody may read: by its name, only who may use the schema finds it.
_HAS = {
    "TABLE": """
        SELECT has_table_privilege(%(role)s::name, (
            SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE ARRAY[nspname, relname]::text[] = %(name)s
        ), %(privilege)s)
    """,
    "SCHEMA": "SELECT has_schema_privilege(%(role)s::name, (%(name)s::text[])[1], %(privilege)s)",
    "DATABASE": "SELECT has_database_privilege(%(role)s::name, (%(name)s::text[])[1], %(privilege)s)",
}
"""Whether a role has a privilege on something of a kind."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """What a role may do with something.

    Attributes:
        privilege: by PostgreSQL's word: "SELECT".
        kind: of what it is: "TABLE", "SCHEMA" or "DATABASE".
        name: its name, after that of its schema where it has one.
        role: whose right it is.
    """

    privilege: str
    kind: str
    name: tuple[str, ...]
    role: str

    def granted(self) -> sql.Composable:
        """Return the statement that grants it."""
        return self._granted_to(self.role)

    def granted_further(self, role: str) -> sql.Composable:
        """Return the statement by which another role may grant it."""
        return sql.SQL("{} WITH GRANT OPTION").format(self._granted_to(role))

    def is_held(self, cursor: Cursor) -> bool:
        """Whether the role has it, by whomever.

        Raises:
            psycopg2.Error: there is no such schema, database or role; the connection was lost.
        """
        cursor.execute(_HAS[self.kind], {"role": self.role, "name": list(self.name), "privilege": self.privilege})
        [[is_held]] = cursor.fetchall()
        return bool(is_held)

    def _granted_to(self, role: str) -> sql.Composable:
        return sql.SQL("GRANT {} ON {} {} TO {}").format(
            sql.SQL(self.privilege), sql.SQL(self.kind), sql.Identifier(*self.name), sql.Identifier(role)
        )


def attempt(cursor: Cursor, statement: sql.Composable) -> psycopg2.errors.InsufficientPrivilege | None:
    """Run a statement of a transaction, which goes on where the session's role may not do that.

    Returns:
        What the database says then.

    Raises:
        psycopg2.Error: the statement was refused for another reason, or the connection was lost.
    """
    try:
        with savepoint(cursor):
            cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege as refused:
        return refused
    return None


def must_be_held(cursor: Cursor, rights: Sequence[Right]) -> None:
    """Refuse that a role lacks one of these rights, which the session's own role has just granted, or tried to.

    Args:
        cursor: the database.
        rights: what was granted.

    Raises:
        ConfigurationError: it could not be granted; the sentence says what lets the session's role grant it.
        psycopg2.Error: the connection was lost.
    """
    missing = [right for right in rights if not right.is_held(cursor)]
    if missing:
        cursor.execute("SELECT current_user")
        [[granter]] = cursor.fetchall()
        statements = dict.fromkeys(right.granted_further(granter).as_string(cursor) for right in missing)
        raise ConfigurationError(
            f"{granter} may not grant what a role of totes needs, so nothing was changed. Log in as the owner, or let "
            f"the owner type: {'; '.join(statements)}"
        )
