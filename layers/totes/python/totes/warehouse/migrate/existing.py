"""What tables of totes are in the warehouse, and what they are: their columns and keys, as the catalog tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.catalog import written_type
from totes.names import RATES_TABLE
from totes.warehouse.others import OWN

# A partial or deferred unique index does not keep the rows unique that are being loaded. A table that somebody has
# partitioned cannot have every key; that is its owner's decision.
_COLUMNS_AND_KEYS = sql.SQL("""
    WITH star AS MATERIALIZED (
        SELECT oid, relname, CASE WHEN relkind = 'r' THEN ARRAY(
            SELECT concat_ws(' ', indnkeyatts, indkey) FROM pg_index
            WHERE indrelid = pg_class.oid AND indisunique AND indisvalid AND indimmediate
            AND indpred IS NULL AND indexprs IS NULL
        ) END AS keys
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) AND relkind IN ('r', 'p')
    )
    SELECT relname, attname, attnum::text, {type}, NOT attnotnull,
        attcollation = ANY(ARRAY(SELECT oid FROM pg_collation WHERE NOT collisdeterministic)), keys
    FROM star JOIN pg_attribute ON attrelid = star.oid WHERE attnum > 0 AND NOT attisdropped
""").format(type=written_type(sql.Identifier("atttypid"), sql.Identifier("atttypmod")))


@dataclass(frozen=True, kw_only=True)
class ExistingColumn:
    """A column as it is.

    Attributes:
        type: as `written_type` writes it.
        nullable: whether it may be NULL.
        nondeterministic: whether its collation takes different texts for equal, such as "a" and "A".
    """

    type: str
    nullable: bool
    nondeterministic: bool


def columns_and_keys(
    cursor: Cursor, names: Sequence[str]
) -> tuple[dict[str, dict[str, ExistingColumn]], dict[str, set[frozenset[str]]]]:
    """Return the columns of the tables that are there, and of each of their keys and unique indexes."""
    cursor.execute(_COLUMNS_AND_KEYS, (list(names),))
    held: dict[str, dict[str, ExistingColumn]] = {}
    of_keys: dict[str, list[str] | None] = {}
    numbers: dict[str, dict[str, str]] = {}
    for table, column, number, sql_type, nullable, nondeterministic, keys in cursor.fetchall():
        held.setdefault(table, {})[column] = ExistingColumn(
            type=sql_type, nullable=nullable, nondeterministic=nondeterministic
        )
        numbers.setdefault(table, {})[number] = column
        of_keys[table] = keys
    return held, {
        table: {_names(key, numbers[table]) for key in keys} for table, keys in of_keys.items() if keys is not None
    }


def _names(key: str, columns: Mapping[str, str]) -> frozenset[str]:
    """The columns of a key: its text is their count, their numbers, and the numbers of columns that it includes."""
    count, *numbers = key.split()
    return frozenset(columns[number] for number in numbers[: int(count)])


def own_tables_there(cursor: Cursor) -> dict[str, frozenset[str]]:
    """Return the columns of the ledger's tables and of those of exchange rates that are there, with their schemas."""
    cursor.execute(
        "SELECT format('%%s.%%s', relnamespace::regnamespace, relname), ARRAY("
        "SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) "
        "FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND ("
        "relnamespace = to_regnamespace('etl') AND relname = ANY(%s) "
        "OR relnamespace = 'public'::regnamespace AND relname = %s)",
        (list(OWN), RATES_TABLE),
    )
    return {name: frozenset(columns) for name, columns in cursor.fetchall()}
