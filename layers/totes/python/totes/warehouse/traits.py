"""What people have set on a table itself goes on to the one that takes its place, or is named where it cannot."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_OPTIONS = """
    SELECT word, option_name, option_value FROM (
        SELECT NULL AS word, reloptions FROM pg_class WHERE oid = %(oid)s
        UNION ALL
        SELECT 'toast', toast.reloptions FROM pg_class JOIN pg_class AS toast ON toast.oid = pg_class.reltoastrelid
        WHERE pg_class.oid = %(oid)s
    ) AS kept, pg_options_to_table(reloptions)
"""

_STATES = """
    WITH index AS (
        SELECT relname, indisreplident, indisclustered FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indrelid = %(oid)s
    )
    SELECT relrowsecurity, relforcerowsecurity, relreplident,
        (SELECT relname FROM index WHERE indisreplident), (SELECT relname FROM index WHERE indisclustered)
    FROM pg_class WHERE oid = %(oid)s
"""

# The sequence of a column has another name beside the live tables, and the default that it gives is the same.
_COLUMNS = """
    WITH held AS (
        SELECT pg_attribute.*, replace(
            pg_get_expr(adbin, adrelid),
            coalesce(quote_literal(pg_get_serial_sequence(attrelid::regclass::text, attname)::regclass::text), ''),
            '''its own sequence'''
        ) AS default_
        FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
        WHERE attrelid IN (%(old)s, %(new)s) AND attnum > 0 AND NOT attisdropped
    )
    SELECT old.attname, new.attname IS NOT NULL, new.default_,
        old.default_ IS NOT NULL AND old.default_ IS DISTINCT FROM new.default_,
        coalesce(old.atttypid = new.atttypid AND (
            coalesce(old.attstattarget, -1), old.attstorage, old.attcompression, old.attoptions, old.attcollation
        ) IS DISTINCT FROM (
            coalesce(new.attstattarget, -1), new.attstorage, new.attcompression, new.attoptions, new.attcollation
        ), false)
    FROM held AS old LEFT JOIN held AS new ON new.attrelid = %(new)s AND new.attname = old.attname
    WHERE old.attrelid = %(old)s ORDER BY old.attnum
"""

_INDEXES_WITH_STATISTICS = """
    SELECT DISTINCT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_attribute ON attrelid = indexrelid
    WHERE indrelid = %(oid)s AND coalesce(attstattarget, -1) <> -1 ORDER BY 1
"""

_OF_ANOTHER = """
    SELECT relowner::regrole::text, quote_ident(current_user) FROM pg_class
    WHERE oid = %(oid)s AND NOT pg_has_role(relowner, 'USAGE')
"""

_PLACES = """
    SELECT old.relpersistence <> new.relpersistence, old.reltablespace <> new.reltablespace, old.relam <> new.relam
    FROM pg_class AS old, pg_class AS new WHERE old.oid = %(old)s AND new.oid = %(new)s
"""


class Traits:
    """What is set on a table as a whole, kept for the one that replaces it.

    That is storage options, row-level security, replica identity, and the index that CLUSTER uses.
    """

    def __init__(self, cursor: Cursor, oid: int) -> None:
        cursor.execute(_OPTIONS, {"oid": oid})
        self._options = cursor.fetchall()
        cursor.execute(_STATES, {"oid": oid})
        [state] = cursor.fetchall()
        self._secured, self._forced, self._identity, self._identifying, self._clustering = state

    def put_on(self, cursor: Cursor, name: sql.Identifier) -> None:
        """Set again what differs from the defaults, on a table that has its indexes."""
        for action in self._actions():
            cursor.execute(sql.SQL("ALTER TABLE {} {}").format(name, action))

    def _actions(self) -> Iterator[sql.Composable]:
        for word, option, value in self._options:
            named = sql.Identifier(word, option) if word else sql.Identifier(option)
            yield sql.SQL("SET ({} = {})").format(named, sql.Literal(value))
        if self._secured:
            yield sql.SQL("ENABLE ROW LEVEL SECURITY")
        if self._forced:
            yield sql.SQL("FORCE ROW LEVEL SECURITY")
        if self._identity in ("f", "n"):
            yield sql.SQL("REPLICA IDENTITY {}").format(sql.SQL("FULL" if self._identity == "f" else "NOTHING"))
        if self._identity == "i" and self._identifying:
            yield sql.SQL("REPLICA IDENTITY USING INDEX {}").format(sql.Identifier(self._identifying))
        if self._clustering:
            yield sql.SQL("CLUSTER ON {}").format(sql.Identifier(self._clustering))


@dataclass(frozen=True, kw_only=True)
class OldColumn:
    """A column of a table that another takes the place of.

    Attributes:
        name: its name.
        stays: whether the new table has it too.
        default: its default there; None: it has none.
        has_other_default: whether it has a default here, and there another one or none.
        is_set: whether somebody has set statistics, storage or such on it.
    """

    name: str
    stays: bool
    default: str | None
    has_other_default: bool
    is_set: bool


def columns_of(cursor: Cursor, old: int, new: int) -> list[OldColumn]:
    """Return the columns of a table, as another has them that takes its place; both by their oids."""
    cursor.execute(_COLUMNS, {"old": old, "new": new})
    return [
        OldColumn(name=name, stays=stays, default=default, has_other_default=other_default, is_set=is_set)
        for name, stays, default, other_default, is_set in cursor.fetchall()
    ]


def indexes_with_statistics(cursor: Cursor, oid: int) -> list[str]:
    """Return the indexes of a table that have STATISTICS set on an expression, which no definition of theirs says."""
    cursor.execute(_INDEXES_WITH_STATISTICS, {"oid": oid})
    return [name for (name,) in cursor.fetchall()]


def of_another(cursor: Cursor, oid: int, shown: str) -> list[str]:
    """Return why the loader may not change a table: it is a role's whose rights it does not have. Empty: it may.

    Args:
        cursor: the warehouse.
        oid: the table.
        shown: its name.
    """
    cursor.execute(_OF_ANOTHER, {"oid": oid})
    return [
        f"{shown} belongs to {owner}, whose rights the loader does not have; ALTER TABLE {shown} OWNER TO {loader}"
        for owner, loader in cursor.fetchall()
    ]


def other_places(cursor: Cursor, old: int, new: int) -> list[str]:
    """Return what is other about where a table lies than about another that takes its place; both by their oids."""
    cursor.execute(_PLACES, {"old": old, "new": new})
    [differs] = cursor.fetchall()
    words = ("being UNLOGGED", "tablespace", "access method")
    return [word for word, other in zip(words, differs, strict=True) if other]
