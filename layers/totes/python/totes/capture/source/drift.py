"""Drift of columns: what is other in them than the batch before says; `identity` has the drift of the rest."""

from collections.abc import Sequence

from totes.lake import SourceColumn


def drift_of_columns(table: str, before: Sequence[SourceColumn], now: Sequence[SourceColumn]) -> tuple[str, ...]:
    """Return a sentence for each column that was added, dropped or retyped.

    Args:
        table: the source table.
        before: its columns as the last batch has them.
        now: its columns in the source.
    """
    had = {column.name: column.type for column in before}
    has = {column.name: column.type for column in now}
    return (
        *(f"column {table}.{name} ({has[name]}) was added" for name in has if name not in had),
        *(f"column {table}.{name} ({had[name]}) was dropped" for name in had if name not in has),
        *(
            f"column {table}.{name} is {has[name]}, it was {had[name]}"
            for name in has
            if name in had and has[name] != had[name]
        ),
    )
