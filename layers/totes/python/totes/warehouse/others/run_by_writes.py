"""What others have made on a table, and that PostgreSQL works out or runs for each row which a load writes to it.

The error of such a thing names neither it nor its table, so the catalog is asked what there is.
"""

import psycopg2
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.sqlstate import (
    CONNECTION_EXCEPTION,
    DATA_EXCEPTION,
    EXTERNAL_ROUTINE_EXCEPTION,
    EXTERNAL_ROUTINE_INVOCATION_EXCEPTION,
    FEATURE_NOT_SUPPORTED,
    FOREIGN_DATA_WRAPPER_ERROR,
    INTEGRITY_CONSTRAINT_VIOLATION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    PLPGSQL_ERROR,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    is_of_class,
    remedy_of_names,
)
from totes.star_schema import StarTable
from totes.warehouse.definitions import LEDGER, columns_made
from totes.warehouse.places import LIVE

_CLASSES = (
    DATA_EXCEPTION,
    INTEGRITY_CONSTRAINT_VIOLATION,
    PLPGSQL_ERROR,
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    CONNECTION_EXCEPTION,
    FOREIGN_DATA_WRAPPER_ERROR,
    EXTERNAL_ROUTINE_EXCEPTION,
    EXTERNAL_ROUTINE_INVOCATION_EXCEPTION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
)
"""SQLSTATE classes of errors that come of an expression, of a trigger's own words or statements, or of a rule: it may
also name a table, a column or a function that is not there any more, or ask another server, which does not answer."""

_OF_NO_OTHERS = (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.LockNotAvailable)
"""Errors of these classes that have their own remedies: what is to be granted, and another try."""

# Of the ledger's tables totes itself makes defaults, a check, and an index of the open rows of quarantine. A partition
# has much that is named with its whole table already, or that no write to that runs: defaults, rules and triggers of
# statements.
_MADE_BY_OTHERS = """
    WITH written AS (
        SELECT part AS oid, star, part = named::regclass AS whole, CASE
            WHEN part = named::regclass THEN shown ELSE format('%%s.%%I', relnamespace::regnamespace, relname)
        END AS shown
        FROM unnest(%(names)s::text[], %(shown)s::text[], %(star)s::boolean[]) AS given (named, shown, star)
        CROSS JOIN LATERAL (
            SELECT named::regclass UNION SELECT relid FROM pg_partition_tree(named::regclass)
        ) AS tree (part)
        JOIN pg_class ON pg_class.oid = part
    )
    SELECT format('the %%s %%s of %%s', kind, name, shown) FROM written JOIN (
        SELECT attrelid AS on_oid, 1 AS place, 'column' AS kind, attname AS name, attgenerated = '' AS of_stars,
            true AS of_wholes
        FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND atthasdef AND attname <> ALL(%(own)s)
        UNION ALL
        SELECT conrelid, 2, 'constraint', conname, true, coninhcount > 0 FROM pg_constraint WHERE contype = 'c'
        UNION ALL
        SELECT indrelid, 3, 'index', index.relname, indexprs IS NULL, index.relispartition
        FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS held ON held.oid = indrelid
        WHERE indexprs IS NOT NULL OR indpred IS NOT NULL OR indisunique AND held.relispartition
        UNION ALL
        SELECT tgrelid, 4, 'trigger', tgname, false, tgparentid <> 0 OR tgtype & 1 = 0
        FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'
        UNION ALL
        SELECT ev_class, 5, 'rule', rulename, false, true FROM pg_rewrite WHERE ev_type <> '1' AND ev_enabled <> 'D'
    ) AS made ON on_oid = written.oid AND (star OR NOT of_stars) AND (whole OR NOT of_wholes)
    ORDER BY star DESC, shown, place, name
"""


def may_be_of_others(error: psycopg2.Error) -> bool:
    """Return whether an error may come of what others have made; their connection has not broken off."""
    return is_of_class(error, _CLASSES) and not isinstance(error, _OF_NO_OTHERS)


def failed_by_others(cursor: Cursor, error: psycopg2.Error, table: StarTable, batch: int) -> ConfigurationError | None:
    """Return the error to raise if something that totes did not make may be why a batch's rows are not written.

    Its sentence has the error's SQLSTATE and not the error's own sentence, which may quote a value of the shop.

    Args:
        cursor: the warehouse, in a transaction that has not failed.
        error: the error that the load of the batch ended with.
        table: the star table that was loaded.
        batch: the batch.

    Returns:
        The error, which names all that there is of that kind; None if there is nothing.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    of = error.diag
    of_a_key = of.table_name == table.name and (of.constraint_name or of.column_name)  # see `refused_by_others`
    if not may_be_of_others(error) or of_a_key:
        return None
    names = [LIVE.star(table.name), *(LIVE.ledger(name) for name in LEDGER)]
    cursor.execute(
        _MADE_BY_OTHERS,
        {
            "names": [name.as_string(cursor) for name in names],
            "shown": [table.name, *(f"etl.{name}" for name in LEDGER)],
            "star": [True, *(False for _ in LEDGER)],
            "own": [column for _, column, _, _ in columns_made([table])],
        },
    )
    made = [shown for (shown,) in cursor.fetchall()]
    if not made:
        return None
    return ConfigurationError(
        f"batch {batch} cannot be loaded: something that totes did not make fails on a row of {table.name} "
        f"({error.pgcode}, {type(error).__name__}): {' or '.join(made)}; drop it, for what rows may be is the shop's "
        f"to say{remedy_of_names(error)}"
    )
