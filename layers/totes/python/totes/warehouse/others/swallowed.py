"""Rows that something of others keeps from being written, and that would be taken for unchanged: it is named.

A rule can do something else in the place of an INSERT or UPDATE, and a BEFORE trigger of a row can leave the row out.
PostgreSQL says so with no error. A rule is refused before anything is written, and so is such a trigger on the tables
in schema `etl`, which are totes' own. On a star table it may have good reasons to be there, so the rows are counted
that are to be written, and those that were.
"""

from collections.abc import Mapping, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import StarTable
from totes.warehouse.others.own_tables import names_written
from totes.warehouse.places import Place

# Of UPDATE and INSERT; who deletes from these tables is not totes, but for versions of batches to come.
_INSTEAD = """
    SELECT format('%%I', rulename), format('%%s.%%I', relnamespace::regnamespace, relname)
    FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
    WHERE is_instead AND ev_type IN ('2', '3') AND ev_enabled NOT IN ('D', 'R') AND relkind IN ('r', 'p') AND (
        relnamespace = 'public'::regnamespace AND relname = ANY(%(stars)s)
        OR relnamespace = to_regnamespace('etl') AND relname = ANY(%(own)s)
    ) ORDER BY 2, 1
"""

# The bits of tgtype: 1 for each row, 2 before, 4 of INSERT, 16 of UPDATE. A table that is not partitioned has no tree.
# What a partition has of the trigger of the whole table is named as that.
_BEFORE = """
    SELECT DISTINCT CASE
        WHEN part = whole OR tgparentid <> 0 THEN format('%%I', tgname)
        ELSE format('%%I of %%s.%%I', tgname, relnamespace::regnamespace, relname)
    END, whole::text
    FROM (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name) AS named (whole)
    CROSS JOIN LATERAL (SELECT whole UNION SELECT relid FROM pg_partition_tree(whole)) AS tree (part)
    JOIN pg_class ON pg_class.oid = part JOIN pg_trigger ON tgrelid = part
    WHERE NOT tgisinternal AND tgtype & 3 = 3 AND tgtype & 20 <> 0 AND tgenabled NOT IN ('D', 'R') ORDER BY 2, 1
"""


def must_write_what_is_written(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Check that no rule does something else in the place of what a load writes, and no trigger what the ledger says.

    Args:
        cursor: the warehouse.
        tables: the star tables.

    Raises:
        ConfigurationError: one does, or may; the sentence names it.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    names = names_written(tables)
    cursor.execute(_INSTEAD, names)
    found = [
        f"the rule {rule} of {table} does something else in the place of what totes writes; DROP RULE {rule} ON {table}"
        for rule, table in cursor.fetchall()
    ]
    cursor.execute(_BEFORE, ([f"etl.{name}" for name in names["own"]],))
    found += [
        f"the trigger {trigger} of {table} may keep rows of totes' own from being written; DROP TRIGGER {trigger} ON "
        f"{table}, or make it an AFTER trigger"
        for trigger, table in cursor.fetchall()
    ]
    if found:
        raise ConfigurationError("; ".join(found))


def write_all(
    cursor: Cursor,
    place: Place,
    table: StarTable,
    statement: sql.Composable,
    to_write: sql.Composable,
    parameters: Mapping[str, int],
) -> int:
    """Execute a statement that writes to a star table, and return how many rows it wrote.

    Args:
        cursor: the warehouse.
        place: where the table is.
        table: the star table.
        statement: the statement.
        to_write: selects a row for each that is to be written; it is asked before, and only if there are triggers.
        parameters: those of both, with the `batch`.

    Raises:
        ConfigurationError: a trigger of others has left rows out; the sentence names it.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    cursor.execute(_BEFORE, ([place.star(table.name).as_string(cursor)],))
    triggers = [f"the trigger {name}" for name, _ in cursor.fetchall()]
    expected = 0
    if triggers:
        cursor.execute(sql.SQL("SELECT count(*) FROM ({}) AS to_write").format(to_write), parameters)
        [[expected]] = cursor.fetchall()
    cursor.execute(statement, parameters)
    written = cursor.rowcount
    if written < expected:
        raise ConfigurationError(
            f"batch {parameters['batch']} cannot be loaded: {expected - written} of {expected} rows of {table.name} "
            f"are kept from being written by {' or '.join(triggers)}; drop it, for what rows may be is the shop's to "
            "say"
        )
    return written
