"""What people have put on a relation or routine: grants, comments and indexes go on to what replaces it."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object.

    Attributes:
        word: its word in DROP and COMMENT.
        grant: its word in GRANT.
        access: a query of who may do what on the object %(oid)s: owner, and access list with the defaults.
        catalog: the catalog that it is in.
    """

    word: str
    grant: str
    access: str
    catalog: str


_OF_RELATION = "SELECT relowner AS owner, relacl AS access FROM pg_class WHERE oid = %(oid)s"
_OF_ROUTINE = (
    "SELECT proowner AS owner, coalesce(proacl, acldefault('f', proowner)) AS access FROM pg_proc WHERE oid = %(oid)s"
)

TABLE = Kind(word="TABLE", grant="TABLE", access=_OF_RELATION, catalog="pg_class")
VIEW = Kind(word="VIEW", grant="TABLE", access=_OF_RELATION, catalog="pg_class")
SEQUENCE = Kind(word="SEQUENCE", grant="SEQUENCE", access=_OF_RELATION, catalog="pg_class")
ROUTINE = Kind(word="ROUTINE", grant="ROUTINE", access=_OF_ROUTINE, catalog="pg_proc")

_PRIVILEGES = """
    SELECT privilege_type, is_grantable, grantee::regrole::text, grantee = 0
    FROM ({access}) AS held, aclexplode(access) WHERE grantee <> owner
"""

_OF_COLUMNS = """
    SELECT privilege_type, is_grantable, grantee::regrole::text, grantee = 0, attname
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
    WHERE pg_class.oid = %(oid)s AND grantee <> relowner AND NOT attisdropped
"""

_COMMENTS_ON_COLUMNS = """
    SELECT attname, col_description(%(oid)s, attnum) FROM pg_attribute
    WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped AND col_description(%(oid)s, attnum) IS NOT NULL
"""


class Extras:
    """The grants and comments of an object, kept while it is made again."""

    def __init__(self, cursor: Cursor, kind: Kind, oid: int) -> None:
        self._kind = kind
        values = {"oid": oid}
        cursor.execute(_PRIVILEGES.format(access=kind.access), values)
        self._privileges = [(*row, None) for row in cursor.fetchall()]
        cursor.execute("SELECT NULL, obj_description(%s, %s)", (oid, kind.catalog))
        self._comments = [row for row in cursor.fetchall() if row[1] is not None]
        if kind.access == _OF_RELATION:
            cursor.execute(_OF_COLUMNS, values)
            self._privileges += cursor.fetchall()
            cursor.execute(_COMMENTS_ON_COLUMNS, values)
            self._comments += cursor.fetchall()

    def put_on(self, cursor: Cursor, name: sql.Composable, columns: set[str] | None = None) -> None:
        """Grant and comment again.

        Args:
            cursor: the warehouse.
            name: the new object, which nobody but its owner has a grant on.
            columns: those that it has; None: all.
        """
        self.grant_on(cursor, name, columns)
        those = [each for each in self._comments if each[0] is None or columns is None or each[0] in columns]
        comment_on(cursor, self._kind, name, those)

    def grant_on(self, cursor: Cursor, name: sql.Composable, columns: set[str] | None = None) -> None:
        """Grant again, and leave its comments; see `put_on`."""
        for privilege, grantable, role, everybody, column in self._privileges:
            if column is None or columns is None or column in columns:
                cursor.execute(
                    sql.SQL("GRANT {}{} ON {} {} TO {}{}").format(
                        sql.SQL(privilege),
                        sql.SQL(" ({})").format(sql.Identifier(column)) if column else sql.SQL(""),
                        sql.SQL(self._kind.grant),
                        name,
                        sql.SQL("PUBLIC" if everybody else role),  # as regrole writes it, it is quoted
                        sql.SQL(" WITH GRANT OPTION" if grantable else ""),
                    )
                )


def comment_on(cursor: Cursor, kind: Kind, name: sql.Composable, comments: Iterable[tuple[str | None, str]]) -> None:
    """Say what an object means, all in one statement: there are hundreds of columns.

    Args:
        cursor: the warehouse.
        kind: of the object.
        name: of the object.
        comments: a column and what it means, each; without a column: the object.
    """
    statements = [comment(kind, name, column, meaning) for column, meaning in comments]
    if statements:
        cursor.execute(sql.SQL("; ").join(statements))


def comment(kind: Kind, name: sql.Composable, column: str | None, meaning: str) -> sql.Composable:
    """Return the statement that says what an object means, or one of its columns."""
    if column is not None:
        return sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(name, sql.Identifier(column), sql.Literal(meaning))
    return sql.SQL("COMMENT ON {} {} IS {}").format(sql.SQL(kind.word), name, sql.Literal(meaning))


def revoke_all(cursor: Cursor, kind: Kind, oid: int, name: sql.Composable) -> None:
    """Take away what the defaults have granted on a new object."""
    cursor.execute(_PRIVILEGES.format(access=kind.access), {"oid": oid})
    for role, everybody in {(role, everybody) for _, _, role, everybody in cursor.fetchall()}:
        cursor.execute(
            sql.SQL("REVOKE ALL ON {} {} FROM {}").format(
                sql.SQL(kind.grant), name, sql.SQL("PUBLIC" if everybody else role)
            )
        )


def indexes_of(cursor: Cursor, oid: int) -> dict[str, list[str]]:
    """Return the indexes of a table that no constraint made, by name, each as the statements that make it."""
    cursor.execute(
        "SELECT relname, pg_get_indexdef(indexrelid), "
        "format('COMMENT ON INDEX %%I.%%I IS %%L', nspname, relname, obj_description(indexrelid, 'pg_class')), "
        "obj_description(indexrelid, 'pg_class') IS NOT NULL "
        "FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE indrelid = %s AND indisvalid "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)",
        (oid,),
    )
    return {name: [made, comment] if has_comment else [made] for name, made, comment, has_comment in cursor.fetchall()}


def oid_of(cursor: Cursor, name: sql.Composable) -> int:
    """Return the oid of a table, view or sequence."""
    cursor.execute("SELECT %s::regclass::oid", (name.as_string(cursor),))
    [[oid]] = cursor.fetchall()
    return int(oid)
