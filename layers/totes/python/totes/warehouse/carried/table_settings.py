"""The settings that people have made on a table are made on the one that replaces it, or named if that cannot be."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_OPTIONS = """
    SELECT oid, word, option_name, option_value FROM (
        SELECT oid, NULL AS word, reloptions FROM pg_class WHERE oid = ANY(%(oids)s::oid[])
        UNION ALL
        SELECT pg_class.oid, 'toast', toast.reloptions
        FROM pg_class JOIN pg_class AS toast ON toast.oid = pg_class.reltoastrelid
        WHERE pg_class.oid = ANY(%(oids)s::oid[])
    ) AS kept, pg_options_to_table(reloptions)
"""

_STATES = """
    WITH index AS (
        SELECT indrelid, relname, indisreplident, indisclustered
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = ANY(%(oids)s::oid[])
    )
    SELECT oid, relrowsecurity, relforcerowsecurity, relreplident,
        (SELECT relname FROM index WHERE indrelid = oid AND indisreplident),
        (SELECT relname FROM index WHERE indrelid = oid AND indisclustered)
    FROM pg_class WHERE oid = ANY(%(oids)s::oid[])
"""

# The sequence of a column has another name in the new tables, and the default by it counts as the same.
_COLUMNS = """
    WITH pair AS (SELECT * FROM unnest(%(old)s::oid[], %(new)s::oid[]) AS pair (old, new)),
    held AS (
        SELECT pg_attribute.*, replace(
            pg_get_expr(adbin, adrelid),
            coalesce(quote_literal(pg_get_serial_sequence(attrelid::regclass::text, attname)::regclass::text), ''),
            '''its own sequence'''
        ) AS default_
        FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
        WHERE attrelid = ANY(%(old)s::oid[] || %(new)s::oid[]) AND attnum > 0 AND NOT attisdropped
    )
    SELECT old.attrelid, old.attname, new.attname IS NOT NULL, new.default_,
        old.default_ IS NOT NULL AND old.default_ IS DISTINCT FROM new.default_,
        coalesce(old.atttypid = new.atttypid AND (
            coalesce(old.attstattarget, -1), old.attstorage, old.attcompression, old.attoptions, old.attcollation
        ) IS DISTINCT FROM (
            coalesce(new.attstattarget, -1), new.attstorage, new.attcompression, new.attoptions, new.attcollation
        ), false)
    FROM pair JOIN held AS old ON old.attrelid = pair.old
    LEFT JOIN held AS new ON new.attrelid = pair.new AND new.attname = old.attname
    ORDER BY old.attrelid, old.attnum
"""

_INDEXES_WITH_STATISTICS = """
    SELECT DISTINCT indrelid, relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_attribute ON attrelid = indexrelid
    WHERE indrelid = ANY(%(oids)s::oid[]) AND coalesce(attstattarget, -1) <> -1 ORDER BY 1, 2
"""

_PARTITIONED = "SELECT oid FROM pg_class WHERE oid = ANY(%s::oid[]) AND relkind = 'p'"

_OF_ANOTHER = """
    SELECT oid, relowner::regrole::text, quote_ident(current_user) FROM pg_class
    WHERE oid = ANY(%(oids)s::oid[]) AND NOT pg_has_role(relowner, 'USAGE')
"""

_PUBLICATIONS = """
    SELECT DISTINCT pubname::text FROM pg_publication_tables JOIN pg_publication AS publication USING (pubname)
    JOIN pg_namespace ON nspname = schemaname
    JOIN pg_class AS published ON relnamespace = pg_namespace.oid AND relname = tablename
    WHERE published.oid = ANY(%s::oid[])
    AND NOT EXISTS (SELECT FROM pg_publication_rel WHERE prpubid = publication.oid AND prrelid = published.oid)
    ORDER BY 1
"""
_PLACES = """
    SELECT old.oid, old.relpersistence <> new.relpersistence, old.reltablespace <> new.reltablespace,
        old.relam <> new.relam AND old.relkind <> 'p'
    FROM unnest(%(old)s::oid[], %(new)s::oid[]) AS pair (old, new)
    JOIN pg_class AS old ON old.oid = pair.old JOIN pg_class AS new ON new.oid = pair.new
"""

_Option = tuple[str | None, str, str]
"""Of which part of a table an option is, or None for the table itself; its name; its value."""


class TableSettings:
    """The settings of a table as a whole, kept for the one that replaces it.

    These are storage options, row-level security, replica identity, and the index that CLUSTER uses.
    """

    def __init__(self, options: Sequence[_Option], state: tuple[bool, bool, str, str | None, str | None]) -> None:
        """Keep what the catalog says: of the options, and of the rest as `_STATES` has it."""
        self._options = options
        self._secured, self._forced, self._identity, self._identifying, self._clustering = state

    @classmethod
    def of(cls, cursor: Cursor, oids: Sequence[int]) -> "Mapping[int, TableSettings]":
        """Return the settings of tables, by their oids."""
        options: dict[int, list[_Option]] = {oid: [] for oid in oids}
        cursor.execute(_OPTIONS, {"oids": list(oids)})
        for oid, word, option, value in cursor.fetchall():
            options[oid].append((word, option, value))
        cursor.execute(_STATES, {"oids": list(oids)})
        return {
            oid: cls(options[oid], (secured, forced, identity, identifying, clustering))
            for oid, secured, forced, identity, identifying, clustering in cursor.fetchall()
        }

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
    """A column of a table that another one replaces.

    Attributes:
        name: its name.
        stays: whether the new table has it too.
        default: its default in the new table; None: it has none.
        has_other_default: whether it has a default here, and another one or none in the new table.
        is_set: whether somebody has set statistics, storage or such on it.
    """

    name: str
    stays: bool
    default: str | None
    has_other_default: bool
    is_set: bool


def columns_of(cursor: Cursor, replacing: Mapping[int, int]) -> Mapping[int, Sequence[OldColumn]]:
    """Return the columns of tables, compared with those of the tables that replace them; all by their oids."""
    cursor.execute(_COLUMNS, _pairs(replacing))
    found: dict[int, list[OldColumn]] = {old: [] for old in replacing}
    for old, name, stays, default, other_default, is_set in cursor.fetchall():
        found[old].append(
            OldColumn(name=name, stays=stays, default=default, has_other_default=other_default, is_set=is_set)
        )
    return found


def indexes_with_statistics(cursor: Cursor, oids: Collection[int]) -> Mapping[int, Sequence[str]]:
    """Return the indexes of tables with STATISTICS set on an expression, which their definitions do not say."""
    cursor.execute(_INDEXES_WITH_STATISTICS, {"oids": list(oids)})
    found: dict[int, list[str]] = {oid: [] for oid in oids}
    for oid, name in cursor.fetchall():
        found[oid].append(name)
    return found


def of_another(cursor: Cursor, names: Mapping[int, str]) -> Mapping[int, str]:
    """Return why the loader may not change a table, for each that belongs to a role whose rights it does not have.

    Args:
        cursor: the warehouse.
        names: the tables' names, by their oids.
    """
    cursor.execute(_OF_ANOTHER, {"oids": list(names)})
    return {
        oid: f"{names[oid]} belongs to {owner}, whose rights the loader does not have; "
        f"ALTER TABLE {names[oid]} OWNER TO {loader}"
        for oid, owner, loader in cursor.fetchall()
    }


def publications_of(cursor: Cursor, oids: Collection[int]) -> Sequence[str]:
    """Return the publications of all tables, or of all tables of a schema, that publish some of these.

    The table that replaces one would be published too, with all its rows, to subscribers who do not expect that; or it
    would not, and they would keep the old rows. A publication of a single table is found as what depends on it.

    Args:
        cursor: the warehouse.
        oids: the tables.
    """
    cursor.execute(_PUBLICATIONS, [list(oids)])
    return [name for (name,) in cursor.fetchall()]


def other_places(cursor: Cursor, replacing: Mapping[int, int]) -> Mapping[int, Sequence[str]]:
    """Return what differs in where tables are stored from those that replace them; all by their oids."""
    cursor.execute(_PLACES, _pairs(replacing))
    words = ("being UNLOGGED", "tablespace", "access method")
    return {
        old: [word for word, other in zip(words, differs, strict=True) if other] for old, *differs in cursor.fetchall()
    }


def partitioned(cursor: Cursor, oids: Collection[int]) -> Collection[int]:
    """Return those of some tables that somebody has partitioned; an access method is that of their partitions."""
    cursor.execute(_PARTITIONED, [list(oids)])
    return {oid for (oid,) in cursor.fetchall()}


def _pairs(replacing: Mapping[int, int]) -> dict[str, list[int]]:
    return {"old": list(replacing), "new": list(replacing.values())}
