"""Which dimension a fact's column refers to."""

from collections.abc import Sequence

from totes.star_schema import Calendar, Column, Fact, Kind, StarTable


def dimension_of(column: Column, tables: Sequence[StarTable]) -> StarTable | None:
    """The dimension that a fact's column names a row of: by its key, or by a word and its key; a date by its day."""
    for table in tables:
        if isinstance(table, Calendar):
            if column.kind is Kind.DATE:
                return table
        elif not isinstance(table, Fact) and (column.name == table.key or column.name.endswith(f"_{table.key}")):
            return table
    return None
