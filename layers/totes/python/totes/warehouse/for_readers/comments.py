"""What every table, view and column of the warehouse means, as a comment on it, for BI tools and people."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.catalog import Relation
from totes.references import dimension_of
from totes.sqlstate import primary_message
from totes.star_schema import Calendar, Column, Fact, StarTable
from totes.warehouse.for_readers.retired_comments import RETIRED
from totes.warehouse.grants import TABLE, VIEW, comment
from totes.warehouse.lock_timeout import IN_USE, short_lock_timeout

logger = logging.getLogger(__name__)

_BARE_OR_RETIRED = """
    SELECT nspname, relname, relkind = 'v', attname, description FROM (
        SELECT oid, relname, relkind, relnamespace, NULL AS attname, 0 AS attnum FROM pg_class
        UNION ALL
        SELECT oid, relname, relkind, relnamespace, attname, attnum FROM pg_class JOIN pg_attribute ON attrelid = oid
        WHERE attnum > 0 AND NOT attisdropped
    ) AS described JOIN pg_namespace ON pg_namespace.oid = relnamespace
    LEFT JOIN pg_description ON classoid = 'pg_class'::regclass AND objoid = described.oid AND objsubid = attnum
    WHERE nspname IN ('public', 'etl') AND relname = ANY(%s) AND relkind IN ('r', 'p', 'v')
    AND pg_has_role((SELECT relowner FROM pg_class WHERE pg_class.oid = described.oid), 'USAGE')
    AND (description IS NULL OR description = ANY(%s))
"""

_LEDGER: Mapping[Relation, Mapping[str | None, str]] = MappingProxyType(
    {
        ("etl", "batch"): {
            None: "The ledger: every batch that this warehouse holds.",
            "batch_id": "The batch: counts up from 1 without a gap.",
            "edition": "Which edition of the star the batch is of: a replay makes a new one.",
            "capture_sha256": "The digest of the captured batch's manifest in the lake.",
            "horizon": "The source's transaction id up to which the batch has seen everything.",
            "captured_at": "When the source was read.",
            "loaded_at": "When the batch was in the warehouse.",
        },
        ("etl", "batch_table"): {
            None: "The row counts of each batch, for each star table that it touched.",
            "batch_id": "The batch; see etl.batch.",
            "star_table": "The star table.",
            "rows_in": "Source rows that the batch brought for it.",
            "versions": "Those that said something new.",
            "unchanged": "Those that said what the star table held already.",
            "quarantined": "Those that could not become rows of it.",
            "deleted": "Those that were gone from the source.",
        },
        ("etl", "verification"): {
            None: "Each comparison of the whole warehouse with the source, and how it ended.",
            "at": "When the comparison ended.",
            "batch_id": "The newest batch that the warehouse held; see etl.batch.",
            "equal": "Whether both said the same, but for what was on its way or in quarantine.",
            "differences": "How many rows differed beyond that.",
        },
        ("public", "fact_exchange_rate"): {
            None: (
                "What a currency was worth on a day, as a public source said; nonsense is left out. The base has no "
                "row of its own, a day may be missing, and rows of an earlier reporting currency stay: to convert "
                "amounts, join report.exchange_rates by currency_id and day."
            ),
            "rate_date": "The day.",
            "base_currency": "The currency of which one unit is worth so much, by its ISO 4217 code.",
            "currency": "The currency, by its ISO 4217 code.",
            "rate": "How many units of the currency one unit of the base is worth, as the source wrote it.",
        },
        ("etl", "rate_day"): {
            None: "The days whose exchange rates this warehouse holds, or has refused.",
            "base_currency": "The currency of which one unit is worth so much.",
            "rate_date": "The day.",
            "batch_id": "The newest batch when it was loaded; see etl.batch.",
            "loaded_at": "When it was in the warehouse.",
        },
        ("etl", "refused_rate"): {
            None: "Exchange rates that are nonsense, and why.",
            "base_currency": "The currency of which one unit is worth so much.",
            "rate_date": "The day.",
            "currency": "The currency; the base where the whole answer said nothing.",
            "said": "The rate as the source wrote it.",
            "reason": "Why it is nonsense.",
            "of_shop": "Whether the shop had the currency then.",
        },
        ("etl", "reporting_currency"): {
            None: "The currency that amounts are converted into; without a row none is.",
            "only_row": "There is one row, or none.",
            "code": "Its ISO 4217 code.",
        },
        ("etl", "rate_quarantine"): {
            None: (
                "Days some of whose exchange rates are nonsense, of currencies that the shop has, "
                "as etl.quarantine has rows."
            ),
            "batch_id": "The newest batch when the day was loaded; see etl.batch.",
            "star_table": "The table that the rates are missing from.",
            "key": "The day, as a number such as 20240305.",
            "reason": "Which rates are nonsense, and why.",
            "source_row": "Those rates as the source wrote them, by currency.",
            "resolved_by": "The newest batch when the next day was loaded; NULL: this is the newest day.",
        },
        ("etl", "drift"): {
            None: "Changes of the source's shape: of columns, partitions, labels of enums, and of tables themselves.",
            "batch_id": "The batch that saw it first; see etl.batch.",
            "what": "What has changed, in words.",
        },
        ("etl", "quarantine"): {
            None: "Source rows that could not become rows of a star table, and why.",
            "batch_id": "The batch that brought the row; see etl.batch.",
            "star_table": "The star table that the row is missing from.",
            "key": "The row's key in the source.",
            "reason": "Why it could not become a row of it.",
            "source_row": "The row as the source has it.",
            "resolved_by": "The batch that brought the row again, fixed or not; NULL: open.",
        },
        ("etl", "content"): {
            None: (
                "Which edition of the star the content is of, and whether somebody asked for a rebuild "
                "that is not done yet."
            ),
            "only_row": "There is one row.",
            "edition": "Which edition of the star the warehouse holds.",
            "rebuild": "Whether somebody has asked for a rebuild that is not done yet.",
        },
        ("etl", "content_edition"): {
            None: "Which one the edition is that the content is of, where a number was given twice.",
            "edition": "The edition's number.",
            "identity": "A digest of the code that made it, and of the batches that the editions cover.",
        },
        ("etl", "setback"): {
            None: "What the rebuild that is wanted has met with; empty when one is done.",
            "at": "When it was.",
            "given_up": "Whether the rebuild was given up; it begins by itself a day later, if the warehouse needs it.",
            "what": "What it was, and what to do.",
        },
        ("etl", "star_column"): {
            None: "The columns that totes made; an older totes knows by them that a newer one was here.",
            "star_table": "The star table.",
            "column_name": "The column.",
            "type": "Its type.",
            "nullable": "Whether it may be NULL.",
        },
    }
)


def ensure_comments(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Comment what has no comment, or an earlier totes' one, in the cursor's transaction; what somebody wrote stays.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    meanings = {(*relation, column): meaning for relation, column, meaning in comments(tables)}
    retired = sorted({said for *_, said in RETIRED})
    cursor.execute(_BARE_OR_RETIRED, [sorted({name for _, name, _ in meanings}), retired])
    statements = [
        comment(VIEW if is_view else TABLE, sql.Identifier(schema, name), column, meanings[schema, name, column])
        for schema, name, is_view, column, said in cursor.fetchall()
        if (schema, name, column) in meanings and (said is None or (schema, name, column, said) in RETIRED)
    ]
    if not statements:
        return
    try:
        with short_lock_timeout(cursor):
            cursor.execute(sql.SQL("; ").join(statements))
    except IN_USE as error:
        logger.info("a table is in use; it is commented in a later run: %s", primary_message(error))


def comments(tables: Sequence[StarTable]) -> Iterator[tuple[Relation, str | None, str]]:
    """Return relation, column (None: the relation itself) and meaning, of all that has one and is made by totes."""
    for table in tables:
        of_table = list(_of_columns(table, tables))
        relations = [(("public", table.name), table.meaning)]
        if isinstance(table, Fact):
            current = f"The newest version of each row of {table.name} that is not gone from the source."
            relations.append((("public", table.current_view), current))
        for relation, meaning in relations:
            yield relation, None, meaning
            for column, said in of_table:
                yield relation, column, said
    for relation, columns in _LEDGER.items():
        yield from ((relation, column, meaning) for column, meaning in columns.items())


def _of_columns(table: StarTable, tables: Sequence[StarTable]) -> Iterator[tuple[str, str]]:
    if isinstance(table, Fact):
        known = f"a version is known for good by its {table.key} and its batch_id"
        again = f"A rebuild deals it out again; {known}."
        yield table.record_id, f"The version: counts up as versions are captured. {again}"
    for column in table.columns:
        yield column.name, " ".join([column.meaning, *_origin(table, column, tables)])
    yield "batch_id", "The batch that brought it; see etl.batch."
    yield "is_deleted", _gone(table)


def _gone(table: StarTable) -> str:
    if isinstance(table, Fact):
        return "Whether the source row was gone with this version."
    if isinstance(table, Calendar):
        return "Always false: a day is never gone."
    return (
        "Whether it is gone from the shop, or stands for a row in quarantine. Facts still refer to it: filter it to "
        "list or count the dimension, not to join facts to it."
    )


def _origin(table: StarTable, column: Column, tables: Sequence[StarTable]) -> Iterator[str]:
    if isinstance(table, Calendar):
        return
    yield f"From {column.of}." if "." in column.of else f"From {table.source}.{column.of}."
    if isinstance(table, Fact) and (dimension := dimension_of(column, tables)):
        yield f"Refers to {dimension.name}.{dimension.key}."
