"""What depends on tables that are replaced: views and functions are made again, everything else is named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter

from psycopg2.extensions import cursor as Cursor

from totes.names import REPORT
from totes.report import VIEWS
from totes.star_schema import Fact, StarTable
from totes.warehouse.carried.recreated import Key, OwnView, RecreatedObject, described
from totes.warehouse.definitions import columns_made
from totes.warehouse.for_readers import create_current_view, create_report

# Besides relations and routines themselves, their row types and the sequences of their columns are asked for.
_DEPENDENTS = """
    WITH target AS (
        SELECT 'pg_class'::regclass AS class, oid, oid AS whose FROM unnest(%(relations)s::oid[]) AS oid
        UNION ALL
        SELECT 'pg_class'::regclass, objid, refobjid FROM pg_depend JOIN pg_class ON pg_class.oid = objid
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND relkind = 'S'
        AND refobjid = ANY(%(relations)s::oid[])
        UNION ALL
        SELECT 'pg_type'::regclass, unnest(ARRAY[oid, typarray]), typrelid FROM pg_type
        WHERE typrelid = ANY(%(relations)s::oid[])
        UNION ALL
        SELECT 'pg_proc'::regclass, oid, oid FROM unnest(%(routines)s::oid[]) AS oid
    )
    SELECT DISTINCT target.class = 'pg_proc'::regclass, whose, used.attname,
        CASE
            WHEN reader.relkind = 'v' THEN 'view'
            WHEN reader.relkind = 'm' THEN 'materialized view'
            WHEN prokind IN ('f', 'p', 'w') THEN 'routine'
            WHEN relation.relkind = 'i' THEN 'index'
            WHEN relation.relkind = 'S' THEN 'sequence'
            WHEN adrelid = whose THEN 'default'
            WHEN contype = 'u' THEN 'unique'
            WHEN contype IN ('p', 'n') AND conrelid = whose
                OR contype = 'f' AND confrelid = to_regclass('etl.batch') AND conrelid = ANY(%(relations)s::oid[])
                OR contype = 'c' AND conrelid = to_regclass('etl.batch_table') AND conname = 'batch_table_check'
                THEN 'ours'
            ELSE 'other'
        END,
        coalesce(reader.oid, pg_proc.oid),
        ARRAY(
            SELECT attname::text FROM pg_attribute WHERE attrelid = coalesce(adrelid, conrelid)
            AND (attnum = adnum OR attnum = ANY(conkey))
        ),
        CASE
            WHEN reader.oid IS NULL
                THEN regexp_replace(pg_describe_object(pg_depend.classid, objid, objsubid), '\\mpublic\\.', '', 'g')
            WHEN reader.relkind = 'v' THEN format('view %%s.%%s', nspname, reader.relname)
            ELSE format('materialized view %%s.%%s', nspname, reader.relname)
        END
    FROM target JOIN pg_depend ON refclassid = target.class AND refobjid = target.oid
    LEFT JOIN pg_attribute AS used
        ON target.class = 'pg_class'::regclass AND used.attrelid = refobjid AND used.attnum = refobjsubid
    LEFT JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = objid AND rulename = '_RETURN'
    LEFT JOIN pg_class AS reader
        ON reader.oid = ev_class
        OR classid = 'pg_class'::regclass AND reader.oid = objid AND reader.relkind IN ('v', 'm')
    LEFT JOIN pg_namespace ON pg_namespace.oid = reader.relnamespace
    LEFT JOIN pg_proc ON classid = 'pg_proc'::regclass AND pg_proc.oid = objid
    LEFT JOIN pg_class AS relation
        ON classid = 'pg_class'::regclass AND relation.oid = objid AND target.class = 'pg_class'::regclass
    LEFT JOIN pg_attrdef ON classid = 'pg_attrdef'::regclass AND pg_attrdef.oid = objid
    LEFT JOIN pg_constraint ON classid = 'pg_constraint'::regclass AND pg_constraint.oid = objid
    WHERE deptype IN ('n', 'a')
    ORDER BY 7
"""

_AGAIN = "drop it, and make it again afterwards"

_REPORTS = {f"view {REPORT}.{question.name}" for question in VIEWS}


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """A table that another one replaces.

    Attributes:
        shown: its name.
        gone: its columns that the new table does not have.
        defaults: the columns of the new table that have a default, each with that.
        other_defaults: its columns that have a default, and another one or none in the new table.
        unique: the columns of the new table's unique key.
        view: the view of its current state, which the code makes; None: it has none.
    """

    shown: str
    gone: Collection[str]
    defaults: Mapping[str, str]
    other_defaults: Collection[str]
    unique: Collection[str]
    view: str | None


@dataclass(frozen=True, kw_only=True)
class _Dependent:
    """Something that depends on a relation or routine, or on a column of it.

    Attributes:
        whose: what it depends on.
        column: the column, or None.
        kind: what it is, as `_DEPENDENTS` says.
        key: the view or routine that it is.
        columns: those that it gives a default, or keeps unique.
        shown: what it is, in words.
    """

    whose: Key
    column: str | None
    kind: str
    key: Key
    columns: Collection[str]
    shown: str

    @property
    def is_made_again(self) -> bool:
        return self.kind in ("view", "routine")


@dataclass(kw_only=True)
class _DependencyGraph:
    """Each view and routine with what it reads, and why not all of them can be made again."""

    reads: dict[Key, set[Key]] = field(default_factory=dict)
    hinders: list[str] = field(default_factory=list)

    def hinder(self, why: str) -> None:
        if why not in self.hinders:
            self.hinders.append(why)


class Dependents:
    """The views and routines that are to be made again if tables are replaced, or columns get another type.

    Attributes:
        hinders: why that would lose something, a sentence each.
    """

    def __init__(self, recreated: Sequence[RecreatedObject], hinders: Sequence[str]) -> None:
        self._recreated = recreated
        self.hinders = hinders

    @classmethod
    def of_replaced(cls, cursor: Cursor, tables: Sequence[StarTable], replaced: Mapping[int, Replaced]) -> "Dependents":
        """Return what depends on tables that others replace; they are given by their oids.

        Anything hinders that is no view or function, and no index, key or default that the new table has too.
        """
        graph = _DependencyGraph()
        for each in _dependents(cursor, [Key(routine=False, oid=oid) for oid in replaced]):
            table = replaced[each.whose.oid]
            why = _why_lost(each, table)
            if why:
                graph.hinder(why)
            elif each.is_made_again:
                graph.reads.setdefault(each.key, set()).add(each.whose)
        return cls._of(cursor, graph, {**_current(tables), **_reports()})

    @classmethod
    def of_retyped(cls, cursor: Cursor, table: StarTable, oid: int, columns: Collection[str]) -> "Dependents":
        """Return what reads columns of a table that get another type; PostgreSQL keeps the rest, or refuses by name."""
        graph = _DependencyGraph()
        for each in _dependents(cursor, [Key(routine=False, oid=oid)]):
            if each.column not in columns:
                continue
            if each.kind == "materialized view":
                graph.hinder(f"the {each.shown} reads {table.name}.{each.column}; {_AGAIN}")
            elif each.is_made_again:
                graph.reads.setdefault(each.key, set()).add(each.whose)
        # The code's query of a report may not fit before all tables are altered: so a report is made as it was.
        return cls._of(cursor, graph, _current([table]))

    @classmethod
    def _of(cls, cursor: Cursor, graph: _DependencyGraph, own: Mapping[tuple[str, str], OwnView]) -> "Dependents":
        """Add the views and routines that read those of the graph, and so on.

        Args:
            cursor: the warehouse.
            graph: the views and routines that read tables.
            own: the views that are made as the code defines them, by schema and name.
        """
        recreated: dict[Key, RecreatedObject] = {}
        while new := graph.reads.keys() - recreated.keys():
            recreated |= described(cursor, new, own)
            for each in _dependents(cursor, new):
                read = recreated[each.whose]
                if not each.is_made_again:
                    graph.hinder(f"the {each.shown} would be lost with the {read.shown}; {_AGAIN}")
                elif each.shown not in _REPORTS and read.own and each.column not in {None, *read.own.columns}:
                    graph.hinder(_of_no_column(each, read.shown))
                elif each.key != each.whose:
                    graph.reads.setdefault(each.key, set()).add(each.whose)
        for one in recreated.values():
            for why in one.hinders:
                graph.hinder(why)
        return cls([recreated[key] for key in _in_order(graph, recreated)], graph.hinders)

    def lock(self, cursor: Cursor) -> None:
        """Let nobody read or replace the views. Each is locked before those that it reads, in the order of readers."""
        for each in reversed(self._recreated):
            each.lock(cursor)

    def drop(self, cursor: Cursor) -> None:
        """Drop the views and routines, in the cursor's transaction."""
        for each in reversed(self._recreated):
            each.drop(cursor)

    def make_again(self, cursor: Cursor) -> None:
        """Make the views and routines again, the views of the current state by their definition in the code.

        Raises:
            ConfigurationError: one does not fit the new tables.
        """
        for each in self._recreated:
            each.make_again(cursor)


def _current(tables: Iterable[StarTable]) -> dict[tuple[str, str], OwnView]:
    """The views of the current state of facts."""
    return {
        ("public", table.current_view): OwnView(
            create=partial(create_current_view, table=table),
            columns=frozenset(column for _, column, _, _ in columns_made([table])),
        )
        for table in tables
        if isinstance(table, Fact)
    }


def _reports() -> dict[tuple[str, str], OwnView]:
    """The views that answer questions."""
    return {
        (REPORT, question.name): OwnView(
            create=partial(create_report, question=question), columns=frozenset(question.columns), may_go=True
        )
        for question in VIEWS
    }


def _why_lost(each: _Dependent, table: Replaced) -> str:
    """Why a dependent of a table would be lost; empty: it is made again, or the new table has the same one."""
    is_own = (table.view is not None and each.shown == f"view public.{table.view}") or each.shown in _REPORTS
    if each.kind in ("view", "routine", "index") and each.column in table.gone and not is_own:
        return _of_no_column(each, table.shown)
    kept = {
        "view": True,
        "routine": True,
        "index": True,
        "ours": True,
        "sequence": each.column in table.defaults,
        "default": not set(each.columns) & set(table.other_defaults),
        "unique": set(each.columns) == set(table.unique),
    }
    if kept.get(each.kind, False):
        return ""
    if each.kind == "default" and (ours := [table.defaults[name] for name in each.columns if name in table.defaults]):
        return f"the {each.shown} would be lost; set it back to {ours[0]}, and to another one again afterwards"
    return f"the {each.shown} would be lost; {_AGAIN}"


def _of_no_column(each: _Dependent, of: str) -> str:
    return f"the {each.shown} reads the column {each.column} of {of}, which totes does not make any more; drop it"


def _in_order(graph: _DependencyGraph, recreated: Mapping[Key, RecreatedObject]) -> Iterable[Key]:
    """Every view and routine, each after those that it reads."""
    reads = {key: sorted(read & recreated.keys()) for key, read in sorted(graph.reads.items())}
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        circle = ", ".join(f"the {recreated[key].shown}" for key in error.args[1][1:])
        graph.hinder(f"{circle} read each other; drop one of them, and make it again afterwards")
        return []


def _dependents(cursor: Cursor, keys: Collection[Key]) -> list[_Dependent]:
    cursor.execute(
        _DEPENDENTS,
        {
            "relations": [key.oid for key in keys if not key.routine],
            "routines": [key.oid for key in keys if key.routine],
        },
    )
    return [
        _Dependent(
            whose=Key(routine=of_routine, oid=whose),
            column=column,
            kind=kind,
            key=Key(routine=kind == "routine", oid=reader or 0),
            columns=columns,
            shown=shown,
        )
        for of_routine, whose, column, kind, reader, columns, shown in cursor.fetchall()
    ]
