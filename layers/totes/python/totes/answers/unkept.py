"""References of the source that no foreign key keeps: a fact may name a row there that is nowhere."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from totes.references import dimension_of
from totes.star_schema import Calendar, Fact, StarTable

_KEPT = """
    SELECT pg_class.relname, attname, referred.relname
    FROM pg_constraint
    JOIN pg_class ON pg_class.oid = conrelid AND pg_class.relnamespace = 'public'::regnamespace
    JOIN pg_class AS referred ON referred.oid = confrelid AND referred.relnamespace = 'public'::regnamespace
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND convalidated AND cardinality(conkey) = 1
"""


def unkept_references(source: Cursor, stars: Sequence[StarTable]) -> list[str]:
    """Return the columns of the source, as table.column, by which facts name dimensions without a foreign key.

    Args:
        source: the source.
        stars: the star tables.
    """
    source.execute(_KEPT)
    kept = set(source.fetchall())
    needed = {
        (fact.source, column.of, dimension.source)
        for fact in stars
        if isinstance(fact, Fact)
        for column in fact.columns
        if (dimension := dimension_of(column, stars)) is not None and not isinstance(dimension, Calendar)
    }
    return sorted(f"{table}.{column}" for table, column, _ in needed - kept)
