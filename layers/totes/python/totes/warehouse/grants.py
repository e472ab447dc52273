"""What people have put on a table or view besides its rows: grants, comments and indexes go on to what replaces it."""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_PRIVILEGES = """
    SELECT privilege_type, is_grantable, grantee::regrole::text, grantee = 0, NULL
    FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = %(oid)s AND grantee <> relowner
    UNION ALL
    SELECT privilege_type, is_grantable, grantee::regrole::text, grantee = 0, attname
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
    WHERE pg_class.oid = %(oid)s AND grantee <> relowner AND NOT attisdropped
"""

_COMMENTS = """
    SELECT NULL, obj_description(%(oid)s, 'pg_class') WHERE obj_description(%(oid)s, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT attname, col_description(%(oid)s, attnum) FROM pg_attribute
    WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped AND col_description(%(oid)s, attnum) IS NOT NULL
"""


class Extras:
    """The grants and comments of a table or view, kept while it is made again."""

    def __init__(self, cursor: Cursor, oid: int) -> None:
        cursor.execute(_PRIVILEGES, {"oid": oid})
        self._privileges = cursor.fetchall()
        cursor.execute(_COMMENTS, {"oid": oid})
        self._comments = cursor.fetchall()

    def put_on(self, cursor: Cursor, name: sql.Composable, kind: str, columns: set[str] | None = None) -> None:
        """Grant and comment again.

        Args:
            cursor: the warehouse.
            name: the new table or view, which nobody but its owner has a grant on.
            kind: TABLE or VIEW.
            columns: those that it has; None: all.
        """
        for privilege, grantable, role, everybody, column in self._privileges:
            if column is None or columns is None or column in columns:
                cursor.execute(
                    sql.SQL("GRANT {}{} ON {} TO {}{}").format(
                        sql.SQL(privilege),
                        sql.SQL(" ({})").format(sql.Identifier(column)) if column else sql.SQL(""),
                        name,
                        sql.SQL("PUBLIC" if everybody else role),  # as regrole writes it, it is quoted
                        sql.SQL(" WITH GRANT OPTION" if grantable else ""),
                    )
                )
        for column, comment in self._comments:
            if column is None:
                cursor.execute(sql.SQL("COMMENT ON {} {} IS %s").format(sql.SQL(kind), name), (comment,))
            elif columns is None or column in columns:
                cursor.execute(
                    sql.SQL("COMMENT ON COLUMN {}.{} IS %s").format(name, sql.Identifier(column)), (comment,)
                )


def revoke_all(cursor: Cursor, oid: int, name: sql.Composable) -> None:
    """Take away what default privileges have granted on a new table."""
    cursor.execute(
        "SELECT DISTINCT grantee::regrole::text, grantee = 0 FROM pg_class, aclexplode(relacl) "
        "WHERE pg_class.oid = %s AND grantee <> relowner",
        (oid,),
    )
    for role, everybody in cursor.fetchall():
        cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(name, sql.SQL("PUBLIC" if everybody else role)))


def own_indexes(cursor: Cursor, oid: int) -> list[str]:
    """Return, as statements, the indexes of a table that no constraint made."""
    cursor.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)",
        (oid,),
    )
    return [statement for (statement,) in cursor.fetchall()]


def oid_of(cursor: Cursor, name: sql.Identifier) -> int:
    """Return a table's or view's oid."""
    cursor.execute("SELECT %s::regclass::oid", (name.as_string(cursor),))
    [[oid]] = cursor.fetchall()
    return int(oid)
