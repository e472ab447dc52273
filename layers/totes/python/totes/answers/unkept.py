"""References of the source that no foreign key keeps: a fact may name a row there that is nowhere."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from totes.capture.source_schema import SourceTable
from totes.references import dimension_of
from totes.star_schema import Dimension, Fact, StarTable, source_key_of

# A partition, and a table that inherits, has foreign keys of its own: one of a partitioned table is there on each
# partition, and one of a table that others inherit from binds its own rows alone. One of several columns keeps nothing
# where another of them is NULL. Only names that totes asks for are sent: others' may be no text.
_UNKEPT = """
    WITH RECURSIVE needed AS (
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
            AS needed (referring, referring_column, referred, referred_column)
    ),
    holding (referring, relation) AS (
        SELECT DISTINCT referring, to_regclass(format('public.%%I', referring))::oid FROM needed
        UNION
        SELECT referring, inhrelid FROM holding JOIN pg_inherits ON inhparent = relation
    )
    SELECT DISTINCT referring, referring_column
    FROM needed JOIN holding USING (referring) JOIN pg_class ON pg_class.oid = relation AND relkind = 'r'
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint
        CROSS JOIN unnest(conkey, confkey) AS pair (own, other)
        JOIN pg_attribute AS of_own ON of_own.attrelid = conrelid AND of_own.attnum = own
        JOIN pg_attribute AS of_other ON of_other.attrelid = confrelid AND of_other.attnum = other
        WHERE contype = 'f' AND convalidated AND conrelid = relation
        AND confrelid = to_regclass(format('public.%%I', referred))
        AND of_own.attname = referring_column AND of_other.attname = referred_column
        AND NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey) AND attnum <> own
            AND NOT attnotnull
        )
    )
    ORDER BY 1, 2
"""


def unkept_references(source: Cursor, tables: Sequence[SourceTable], stars: Sequence[StarTable]) -> list[str]:
    """Return the columns of the source, as table.column, by which facts name dimensions without a foreign key.

    Args:
        source: the source.
        tables: the source tables.
        stars: the star tables.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    named = {table.name: table for table in tables}
    needed = [
        (*_in_source(named[fact.source], column.of), *_in_source(named[dimension.source], source_key_of(dimension)))
        for fact in stars
        if isinstance(fact, Fact)
        for column in fact.columns
        if isinstance(dimension := dimension_of(column, stars), Dimension)
    ]
    source.execute(_UNKEPT, [list(part) for part in zip(*needed, strict=True)])
    return [f"{table}.{column}" for table, column in source.fetchall()]


def _in_source(table: SourceTable, column: str) -> tuple[str, str]:
    return table.source_name, table.source_column(column)
