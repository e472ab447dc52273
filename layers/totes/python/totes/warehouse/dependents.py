"""Views that read a star table are made again, with owner, grants and comments, where the table is replaced."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.shapes import Fact, StarTable
from totes.warehouse.definitions import create_current_view
from totes.warehouse.grants import Extras, revoke_all

# Views come before those that read them: a view that is read on several ways is as deep as the longest.
_VIEWS = """
    WITH RECURSIVE reader AS (
        SELECT ev_class AS oid, 1 AS depth FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid
        WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = ANY(%(tables)s)
        AND ev_class <> ALL(%(tables)s)
        UNION
        SELECT ev_class, depth + 1 FROM reader
        JOIN pg_depend ON refobjid = reader.oid AND classid = 'pg_rewrite'::regclass
            AND refclassid = 'pg_class'::regclass
        JOIN pg_rewrite ON pg_rewrite.oid = objid AND ev_class <> reader.oid
    )
    SELECT pg_class.oid, nspname, relname, relkind, relowner::regrole::text, relowner = current_user::regrole,
        pg_has_role(relowner, 'MEMBER'), pg_get_viewdef(pg_class.oid), array_to_string(reloptions, ', ')
    FROM (SELECT oid, max(depth) AS depth FROM reader GROUP BY oid) AS readers
    JOIN pg_class USING (oid) JOIN pg_namespace ON pg_namespace.oid = relnamespace
    ORDER BY depth, pg_class.oid
"""

# What goes with a table that is dropped and cannot be put on another: triggers, policies, others' constraints and such.
_HELD_FAST = """
    SELECT DISTINCT pg_describe_object(classid, objid, 0) FROM pg_depend
    WHERE refclassid = 'pg_class'::regclass AND refobjid = ANY(%(tables)s) AND deptype IN ('n', 'a')
    AND classid NOT IN ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_type'::regclass)
    AND NOT (classid = 'pg_class'::regclass
        AND (SELECT relkind FROM pg_class WHERE oid = objid) IN ('i', 'S', 't'))
    AND NOT (classid = 'pg_constraint'::regclass AND EXISTS (
        SELECT FROM pg_constraint WHERE oid = objid AND conrelid = ANY(%(tables)s)
        AND (contype IN ('p', 'n', 'u') OR (contype = 'f' AND confrelid = to_regclass('etl.batch')))))
"""


@dataclass(frozen=True, kw_only=True)
class _View:
    name: sql.Identifier
    shown: str
    owner: str
    ours: bool
    statement: str
    extras: Extras
    table: Fact | None


class Dependents:
    """The views that read star tables.

    Attributes:
        hinders: why they cannot be made again, a sentence each.
    """

    def __init__(self, views: Sequence[_View], hinders: Sequence[str]) -> None:
        self._views = views
        self.hinders = hinders

    @classmethod
    def of(cls, cursor: Cursor, tables: Sequence[StarTable]) -> "Dependents":
        """Return the views that read live star tables, as they are now."""
        current = {table.current_view: table for table in tables if isinstance(table, Fact)}
        cursor.execute(
            "SELECT coalesce(array_agg(oid), '{}') FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)",
            ([table.name for table in tables],),
        )
        [[oids]] = cursor.fetchall()
        values = {"tables": [int(oid) for oid in oids]}
        cursor.execute(_HELD_FAST.replace("ANY(%(tables)s)", "ANY(%(tables)s::oid[])"), values)
        hinders = [f"{what} would be lost; drop it, and make it again afterwards" for (what,) in cursor.fetchall()]
        cursor.execute(_VIEWS.replace("(%(tables)s)", "(%(tables)s::oid[])"), values)
        views = []
        for oid, schema, name, kind, owner, ours, may_be, definition, options in cursor.fetchall():
            shown = f"{schema}.{name}"
            if kind != "v":
                hinders.append(f"the materialized view {shown} reads it; drop it, and make it again afterwards")
            elif not ours and not may_be:
                hinders.append(
                    f"the view {shown} of {owner} reads it, and the loader may not make it again; GRANT {owner} to "
                    "the loader's role, or drop the view and make it again afterwards"
                )
            with_options = f" WITH ({options})" if options else ""
            views.append(
                _View(
                    name=sql.Identifier(schema, name),
                    shown=shown,
                    owner=owner,
                    ours=ours,
                    statement=f"{with_options} AS {definition}",
                    extras=Extras(cursor, oid),
                    table=current.get(name) if schema == "public" else None,
                )
            )
        return cls(views, hinders)

    def must_not_hinder(self) -> None:
        """See that all can be made again.

        Raises:
            ConfigurationError: one cannot; the sentence says why, and what to do.
        """
        if self.hinders:
            raise ConfigurationError(f"the star tables cannot be replaced: {'; '.join(self.hinders)}")

    def drop(self, cursor: Cursor) -> None:
        """Drop the views, in the cursor's transaction."""
        for view in reversed(self._views):
            cursor.execute(sql.SQL("DROP VIEW {}").format(view.name))

    def make_again(self, cursor: Cursor) -> None:
        """Make the views again, ours by their definition in the code."""
        for view in self._views:
            if not view.ours:
                cursor.execute(f"SET LOCAL ROLE {view.owner}")
            if view.table is not None:
                create_current_view(cursor, view.table)
            else:
                cursor.execute(sql.SQL("CREATE VIEW {}").format(view.name) + sql.SQL(view.statement))
            cursor.execute("SELECT %s::regclass::oid", (view.name.as_string(cursor),))
            [[oid]] = cursor.fetchall()
            revoke_all(cursor, oid, view.name)
            view.extras.put_on(cursor, view.name, "VIEW")
            if not view.ours:
                cursor.execute("RESET ROLE")
