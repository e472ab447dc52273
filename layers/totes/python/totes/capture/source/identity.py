"""What the source's tables are, so that changes are seen that write no row.

A table is swapped for its copy, a partition is exchanged, an enum's value is renamed, a composite type loses or gains
an attribute, a column is dropped and added again: no row's xmin is new, and the count is right. An attribute number
also stands for the default that a column was added with (`attmissingval`): PostgreSQL never gives a number twice, and
the default belongs to it. VACUUM FULL removes that default from the catalog, and nothing has changed.

The fields of composite types are noted after the attribute number of each column that has them. So a table without such
a column looks the same as to an older totes, which did not note them, and is not read whole by this one.
"""

from collections.abc import Iterator, Mapping, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.lake import Member, TableIdentity

MEMBERS = sql.SQL("""
    WITH RECURSIVE member (root, relation) AS (
        SELECT class.oid, class.oid
        FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = 'public' AND class.relname = ANY(%s) AND class.relkind IN ('r', 'p')
        UNION
        SELECT member.root, inherits.inhrelid
        FROM member JOIN pg_inherits AS inherits ON inherits.inhparent = member.relation
        WHERE NOT inherits.inhdetachpending
    )
""")
"""The beginning of a query that asks for the tables of some names in schema public, and for all that they are made of:
partitions, and tables that inherit."""

_MEMBERS = MEMBERS + sql.SQL("""
    SELECT root.relname, root.oid::text, class.oid::text,
           CASE namespace.nspname WHEN 'public' THEN '' ELSE namespace.nspname || '.' END || class.relname,
           json_object_agg(attribute.attname, attribute.attnum::text), bool_or(attribute.attgenerated <> '')
    FROM member
    JOIN pg_class AS root ON root.oid = member.root
    JOIN pg_class AS class ON class.oid = member.relation
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE attribute.attnum > 0 AND NOT attribute.attisdropped
    GROUP BY root.oid, root.relname, class.oid, class.relname, namespace.nspname
""")

# In manifests these expressions name what is in schema public without it, so it has to be in the search path. There
# anybody may have put functions and operators: so each that is called here is named with its schema.
_GENERATED = """
    SELECT expression.adrelid::pg_catalog.text, attribute.attname,
           pg_catalog.pg_get_expr(expression.adbin, expression.adrelid)
    FROM pg_catalog.pg_attrdef AS expression
    JOIN pg_catalog.pg_attribute AS attribute
        ON attribute.attrelid OPERATOR(pg_catalog.=) expression.adrelid
        AND attribute.attnum OPERATOR(pg_catalog.=) expression.adnum
    WHERE attribute.attgenerated OPERATOR(pg_catalog.<>) ''
      AND expression.adrelid OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.oid[])
"""

# A column's type, and all that it is made of: of a domain its base, of an array its element, of a composite its fields.
_USED = sql.SQL("""
    WITH RECURSIVE used (root, attribute, type) AS (
        SELECT class.relname, attribute.attname, attribute.atttypid
        FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
        WHERE namespace.nspname = 'public' AND class.relname = ANY(%s) AND class.relkind IN ('r', 'p')
          AND attribute.attnum > 0 AND NOT attribute.attisdropped
        UNION
        SELECT used.root, used.attribute, part.type
        FROM used
        JOIN pg_type AS type ON type.oid = used.type
        CROSS JOIN LATERAL (
            SELECT type.typbasetype UNION ALL
            SELECT type.typelem UNION ALL
            SELECT rngsubtype FROM pg_range WHERE type.oid IN (rngtypid, rngmultitypid) UNION ALL
            SELECT atttypid FROM pg_attribute WHERE attrelid = type.typrelid AND attnum > 0 AND NOT attisdropped
        ) AS part (type)
        WHERE part.type <> 0
    )
""")

_LABELS = _USED + sql.SQL("""
    SELECT root, json_object_agg(oid, enumlabel)
    FROM (
        SELECT DISTINCT used.root, enum.oid, enum.enumlabel
        FROM used JOIN pg_enum AS enum ON enum.enumtypid = used.type
    ) AS label
    GROUP BY root
""")

# Types by their oids: an attribute of a type that gets another name is the same.
_COMPOSITES = _USED + sql.SQL("""
    SELECT used.root, used.attribute, string_agg(
        format('%%s.%%s %%I %%s', type.oid, field.attnum, field.attname, field.atttypid), ', '
        ORDER BY type.oid, field.attnum
    )
    FROM used
    JOIN pg_type AS type ON type.oid = used.type
    JOIN pg_attribute AS field ON field.attrelid = type.typrelid
    WHERE field.attnum > 0 AND NOT field.attisdropped
    GROUP BY used.root, used.attribute
""")


def identities_of(snapshot: Snapshot, tables: Sequence[SourceTable]) -> dict[str, TableIdentity]:
    """Return what each of the tables is.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    names = [table.source_name for table in tables]
    members: dict[str, dict[str, Member]] = {name: {} for name in names}
    roots: dict[str, str] = {}
    with snapshot.connection.cursor() as cursor:
        cursor.execute(_MEMBERS, (names,))
        found = cursor.fetchall()
        generated = _generated(cursor, [oid for _, _, oid, _, _, has_generated in found if has_generated])
        for name, root, oid, member, numbers, _ in found:
            roots[name] = root
            columns = {column: f"{number}{generated.get((oid, column), '')}" for column, number in numbers.items()}
            members[name][oid] = Member(name=member, columns=columns)
        cursor.execute(_COMPOSITES, (names,))
        for name, column, composites in cursor.fetchall():
            # Of the table itself only: members have its types, and where its columns differ all of them are read.
            of_table = members[name][roots[name]]
            said = {**of_table.columns, column: f"{of_table.columns[column]} of {composites}"}
            members[name][roots[name]] = Member(name=of_table.name, columns=said)
        cursor.execute(_LABELS, (names,))
        labels = dict(cursor.fetchall())
    return {
        table.name: TableIdentity(table=roots[name], members=members[name], labels=labels.get(name, {}))
        for table, name in zip(tables, names, strict=True)
    }


def _generated(cursor: Cursor, oids: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """The expression of each generated column of some tables, after a blank, by the table's oid and the column."""
    if not oids:
        return {}
    cursor.execute("SET LOCAL search_path TO public")
    cursor.execute(_GENERATED, ([*oids],))
    found = {(oid, column): f" {expression}" for oid, column, expression in cursor.fetchall()}
    cursor.execute("SET LOCAL search_path TO pg_catalog")
    return found


def members_to_read(before: TableIdentity | None, now: TableIdentity) -> tuple[str, ...] | None:
    """Return the oids of the members of a table whose rows may have changed without having been written.

    Args:
        before: what the table was; None: not known.
        now: what it is.

    Returns:
        The oids; None: all that there are, and the table is read whole.
    """
    if before is None or now.table not in before.members or _renamed(before, now):
        return None
    if before.members[now.table].columns != now.members[now.table].columns:
        return None
    return tuple(
        oid
        for oid, member in now.members.items()
        if oid not in before.members or before.members[oid].columns != member.columns
    )


def differs(before: TableIdentity | None, now: TableIdentity) -> bool:
    """Whether a batch must say what a table is now, so that the next capture need not read it again.

    A new value of an enum makes no difference: no row can have had it before.
    """
    return (
        before is None
        or members_to_read(before, now) != ()
        or before.members.keys() != now.members.keys()
        or before.members[now.table].name != now.members[now.table].name
    )


def drift_of_identity(table: str, before: TableIdentity | None, now: TableIdentity) -> tuple[str, ...]:
    """Return a sentence for each way in which a table is another one than it was.

    Args:
        table: the source table.
        before: what it was; None: not known, and nothing is reported.
        now: what it is.
    """
    if before is None:
        return ()
    if now.table != before.table:
        return (f"table {table} is another one: it was made again, or put in the place of the one before",)
    was, name = before.members[now.table].name, now.members[now.table].name
    attached = [member.name for oid, member in now.members.items() if oid not in before.members]
    detached = [member.name for oid, member in before.members.items() if oid not in now.members]
    return (
        *((f"table {was} is called {name} now",) if was != name else ()),
        *(f"{name} is a part of table {table} now" for name in attached),
        *(f"{name} is no part of table {table} any more" for name in detached),
        *(
            sentence
            for oid in now.members
            if oid in before.members
            for sentence in _drift_of_known_columns(oid, before, now)
        ),
        *_drift_of_labels(table, before.labels, now.labels),
    )


def _drift_of_known_columns(oid: str, before: TableIdentity, now: TableIdentity) -> tuple[str, ...]:
    """Columns that are there as before by their name, and are not the same; `drift_of_columns` has the others."""
    had, has = before.members[oid].columns, now.members[oid].columns
    return tuple(
        f"column {now.members[oid].name}.{name} is another one, or made in another way, than before"
        for name in has
        if name in had and had[name] != has[name]
    )


def _drift_of_labels(table: str, had: Mapping[str, str], has: Mapping[str, str]) -> Iterator[str]:
    """Labels that are other ones, or gone.

    PostgreSQL takes no label out of an enum: where some are gone, the enum was made again, and its labels have other
    oids; or no column has it any more, which `drift_of_columns` says.
    """
    new = {label for oid, label in has.items() if oid not in had}
    gone = [label for oid, label in had.items() if oid not in has]
    for oid, label in had.items():
        if has.get(oid, label) != label:
            yield f"the value '{label}' of an enum in table {table} is '{has[oid]}' now"
    if new.intersection(gone):
        yield f"an enum in table {table} was made again"
    yield from (
        f"the value '{label}' of an enum in table {table} is gone" for label in gone if new and label not in new
    )


def _renamed(before: TableIdentity, now: TableIdentity) -> list[str]:
    return [oid for oid, label in before.labels.items() if now.labels.get(oid) != label]
