"""The grants and comments on a relation or routine are made again on what replaces it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor


@dataclass(frozen=True, kw_only=True)
class ObjectKind:
    """A kind of object.

    Attributes:
        word: its word in DROP and COMMENT.
        grant: its word in GRANT.
        access: a query of who may do what on the objects %(oids)s: oid, who owns what replaces it too (or NULL), and
            the access list with the defaults.
        catalog: the catalog that it is in.
    """

    word: str
    grant: str
    access: str
    catalog: str

    @property
    def has_columns(self) -> bool:
        """Whether its columns may have grants of their own."""
        return self.catalog == "pg_class"


# A table that another role owns is the loader's once it is made again, and that role may do with it what it could.
_OF_TABLE = """
    SELECT oid, CASE pg_get_userbyid(relowner) WHEN current_user THEN relowner END AS owner,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS access
    FROM pg_class WHERE oid = ANY(%(oids)s::oid[])
"""
_OF_VIEW = "SELECT oid, relowner AS owner, relacl AS access FROM pg_class WHERE oid = ANY(%(oids)s::oid[])"
_OF_ROUTINE = (
    "SELECT oid, proowner AS owner, coalesce(proacl, acldefault('f', proowner)) AS access "
    "FROM pg_proc WHERE oid = ANY(%(oids)s::oid[])"
)

TABLE = ObjectKind(word="TABLE", grant="TABLE", access=_OF_TABLE, catalog="pg_class")
VIEW = ObjectKind(word="VIEW", grant="TABLE", access=_OF_VIEW, catalog="pg_class")
SEQUENCE = ObjectKind(word="SEQUENCE", grant="SEQUENCE", access=_OF_TABLE, catalog="pg_class")
ROUTINE = ObjectKind(word="ROUTINE", grant="ROUTINE", access=_OF_ROUTINE, catalog="pg_proc")

_PRIVILEGES = """
    SELECT oid, privilege_type, is_grantable, grantee::regrole::text, grantee = 0, NULL
    FROM ({access}) AS held, aclexplode(access) WHERE grantee IS DISTINCT FROM owner
"""

_OF_COLUMNS = """
    SELECT attrelid, privilege_type, is_grantable, grantee::regrole::text, grantee = 0, attname
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
    WHERE pg_class.oid = ANY(%(oids)s::oid[]) AND grantee <> relowner AND NOT attisdropped
"""

_COMMENTS = """
    SELECT objoid, attname, description FROM pg_description
    LEFT JOIN pg_attribute ON classoid = 'pg_class'::regclass AND attrelid = objoid AND attnum = objsubid
    WHERE classoid = %(catalog)s::regclass AND objoid = ANY(%(oids)s::oid[]) AND objsubid >= 0 ORDER BY objoid, objsubid
"""

_Privilege = tuple[str, bool, str, bool, str | None]
"""A privilege: its word, whether it has the grant option, whose it is, whether that is everybody's, and the column."""


class GrantsAndComments:
    """The grants and comments of an object, kept while it is made again."""

    def __init__(
        self, kind: ObjectKind, privileges: Sequence[_Privilege], comments: Sequence[tuple[str | None, str]]
    ) -> None:
        """Keep what the catalog says."""
        self._kind = kind
        self._privileges = privileges
        self._comments = comments

    @classmethod
    def of(cls, cursor: Cursor, kind: ObjectKind, oids: Sequence[int]) -> "Mapping[int, GrantsAndComments]":
        """Return the grants and comments of objects of a kind, by their oids."""
        privileges: dict[int, list[_Privilege]] = {oid: [] for oid in oids}
        comments: dict[int, list[tuple[str | None, str]]] = {oid: [] for oid in oids}
        values = {"oids": list(oids), "catalog": kind.catalog}
        for query in (_PRIVILEGES.format(access=kind.access), *([_OF_COLUMNS] if kind.has_columns else [])):
            cursor.execute(query, values)
            for oid, word, grantable, role, everybody, column in cursor.fetchall():
                privileges[oid].append((word, grantable, role, everybody, column))
        cursor.execute(_COMMENTS, values)
        for oid, column, meaning in cursor.fetchall():
            comments[oid].append((column, meaning))
        return {oid: cls(kind, privileges[oid], comments[oid]) for oid in oids}

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

    def grant_on(self, cursor: Cursor, name: sql.Composable, columns: set[str] | None) -> None:
        """Grant again, without the comments; see `put_on`."""
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


def comment_on(
    cursor: Cursor, kind: ObjectKind, name: sql.Composable, comments: Iterable[tuple[str | None, str]]
) -> None:
    """Write an object's comments, all in one statement: there are hundreds of columns.

    Args:
        cursor: the warehouse.
        kind: of the object.
        name: of the object.
        comments: each a column and what it means; None instead of a column: the object itself.
    """
    statements = [comment(kind, name, column, meaning) for column, meaning in comments]
    if statements:
        cursor.execute(sql.SQL("; ").join(statements))


def comment(kind: ObjectKind, name: sql.Composable, column: str | None, meaning: str) -> sql.Composable:
    """Return the statement that says what an object means, or one of its columns."""
    if column is not None:
        return sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(name, sql.Identifier(column), sql.Literal(meaning))
    return sql.SQL("COMMENT ON {} {} IS {}").format(sql.SQL(kind.word), name, sql.Literal(meaning))


def revoke_all(cursor: Cursor, kind: ObjectKind, names: Mapping[int, sql.Composable]) -> None:
    """Revoke what default privileges have granted on new objects, given by their oids and names."""
    cursor.execute(_PRIVILEGES.format(access=kind.access), {"oids": list(names)})
    for oid, role, everybody in {(oid, role, everybody) for oid, _, _, role, everybody, _ in cursor.fetchall()}:
        cursor.execute(
            sql.SQL("REVOKE ALL ON {} {} FROM {}").format(
                sql.SQL(kind.grant), names[oid], sql.SQL("PUBLIC" if everybody else role)
            )
        )


def oids_of(cursor: Cursor, names: Sequence[sql.Composable]) -> list[int]:
    """Return the oids of tables, views or sequences, in the order of their names."""
    cursor.execute(
        "SELECT name::regclass::oid FROM unnest(%s::text[]) WITH ORDINALITY AS given (name, place) ORDER BY place",
        ([name.as_string(cursor) for name in names],),
    )
    return [oid for (oid,) in cursor.fetchall()]


def oid_of(cursor: Cursor, name: sql.Composable) -> int:
    """Return the oid of a table, view or sequence."""
    [oid] = oids_of(cursor, [name])
    return oid
