"""The context of a batch: unchanged rows that a dimension joined from two tables needs beside the changed ones."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl
from psycopg2 import sql

from totes.capture.rows.streaming import conditions_on, stream_rows
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.capture.table_writer import TableWriter
from totes.lake import SourceColumn


class Links:
    """Of tables that dimensions join: which rows a batch has come to hold, and which it says are gone.

    Args:
        tables: the tables that are captured.
    """

    def __init__(self, tables: Sequence[SourceTable]) -> None:
        completing = {name for table in tables for name in table.completed_by.values()}
        # Of tables that dimensions join, the keys and references that the batch has come to hold.
        self._columns = {
            table.name: (table.key, *table.completed_by)
            for table in tables
            if table.completed_by or table.name in completing
        }
        self._held: dict[str, list[pl.DataFrame]] = {}
        # And of those that complete others, the keys of rows that are gone.
        self._gone: dict[str, list[pl.Series]] = {name: [] for name in completing}

    def columns(self, table: str) -> tuple[str, ...]:
        """Return which columns of a table's rows are remembered; none where no dimension joins it."""
        return self._columns.get(table, ())

    def hold(self, table: str, rows: pl.DataFrame) -> None:
        """Remember rows of a table that the batch holds."""
        if columns := self.columns(table):
            self._held.setdefault(table, []).append(rows.select(columns))

    def lose(self, table: str, keys: pl.Series) -> None:
        """Remember keys (64-bit integers) of rows that are gone; others may still refer to them."""
        if table in self._gone:
            self._gone[table].append(keys)

    def held(self, table: str, column: str) -> pl.Series:
        """Return the values of a column that the batch has come to hold, each once, as 64-bit integers."""
        frames = self._held.get(table)
        if not frames:
            return pl.Series(column, [], dtype=pl.Int64)
        values = pl.concat([frame.select(column) for frame in frames]).to_series()
        return values.drop_nulls().unique().cast(pl.Int64)

    def changed(self, table: SourceTable) -> pl.Series:
        """Return the keys (64-bit integers) of a table's rows that the batch holds or says are gone, each once."""
        held = self.held(table.name, table.key)
        return pl.concat([held, *(keys.alias(held.name) for keys in self._gone.get(table.name, ()))]).unique()


def read_contexts(
    snapshot: Snapshot,
    tables: Sequence[SourceTable],
    columns: Mapping[str, Sequence[SourceColumn]],
    links: Links,
    writers: Mapping[str, TableWriter],
    joined: Collection[str],
) -> None:
    """Complete the rows of joined tables: with rows that refer to what changed or is gone, then what these refer to.

    Args:
        snapshot: the state of the source that is captured.
        tables: the tables.
        columns: the columns of each that are captured.
        links: what the batch holds by now; it comes to hold the context too.
        writers: take the context, by table.
        joined: tables that a dimension has come to join to others since the last batch: all their rows are context.

    Raises:
        LakeUnavailable, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """
    named = {table.name: table for table in tables}
    pairs = [
        _Pair(table, reference, named[completing])
        for table in tables
        for reference, completing in table.completed_by.items()
    ]
    changed = [links.changed(pair.completing) for pair in pairs]  # and not what is brought as context

    def bring(table: SourceTable, conditions: Iterable[sql.Composable]) -> None:
        """Bring the rows for which a condition holds, unless the batch has them; no row fits two conditions."""
        held = links.held(table.name, table.key).implode()

        def keep(rows: pl.DataFrame) -> None:
            missing = rows.filter(~pl.col(table.key).cast(pl.Int64).is_in(held))
            if missing.height:
                writers[table.name].add_context(missing)

        for condition in conditions:
            stream_rows(snapshot, table, columns[table.name], condition, keep)

    for name in joined:
        bring(named[name], [sql.SQL("true")])
    for pair, keys in zip(pairs, changed, strict=True):
        bring(pair.table, conditions_on(pair.table.source_column(pair.reference), keys))
    _complete(pairs, links, bring)


class _Pair(NamedTuple):
    """A table, the column by which its rows refer to those of another, and that other, which completes them."""

    table: SourceTable
    reference: str
    completing: SourceTable


def _complete(
    pairs: Sequence[_Pair], links: Links, bring: Callable[[SourceTable, Iterable[sql.Composable]], None]
) -> None:
    """Bring what rows refer to until none refers to one that is not there: what completes a row may be completed too.

    A key that no row has is asked for once.
    """
    asked = [pl.Series([], dtype=pl.Int64)] * len(pairs)
    is_complete = False
    while not is_complete:
        is_complete = True
        for number, (table, reference, completing) in enumerate(pairs):
            referred = links.held(table.name, reference)
            known = _together(links.held(completing.name, completing.key), asked[number])
            missing = referred.filter(~referred.is_in(known.implode()))
            if missing.len():
                asked[number] = _together(asked[number], missing)
                bring(completing, conditions_on(completing.source_key, missing))
                is_complete = False


def _together(one: pl.Series, other: pl.Series) -> pl.Series:
    return pl.concat([one.alias(""), other.alias("")])
