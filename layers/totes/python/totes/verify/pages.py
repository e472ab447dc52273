"""The source's rows of a star table, a page at a time in the order of their keys."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from psycopg2 import sql

from totes.capture.rows.streaming import conditions_on, stream_rows
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.lake import SourceColumn
from totes.star.joins import complete, nothing_to_join
from totes.star_schema import Dimension, Fact

PAGE_ROWS = 100_000
"""How many rows of each side are in memory at once."""


class SourcePages:
    """Pages of the source, read in one snapshot."""

    def __init__(
        self, snapshot: Snapshot, tables: Sequence[SourceTable], columns: Mapping[str, Sequence[SourceColumn]]
    ) -> None:
        self._snapshot = snapshot
        self._tables = {table.name: table for table in tables}
        self._columns = {
            table.name: [column for column in columns[table.name] if column.name in table.columns] for table in tables
        }

    def of(self, star: Fact | Dimension) -> Iterator[pl.DataFrame]:
        """Pages of a star table's source rows with the columns of joined tables, in ascending order of their keys."""
        table = self._tables[star.source]
        last = None
        while True:
            rows = self._page(table, last)
            if rows is None:
                return
            last = int(rows[table.key][-1])
            for join in star.joins:
                rows = complete(rows, join, self._referred(self._tables[join.table], rows[join.on]))
            yield rows
            if rows.height < PAGE_ROWS:
                return

    def _page(self, table: SourceTable, last: int | None) -> pl.DataFrame | None:
        key = sql.Identifier(table.source_key)
        after = sql.SQL("true") if last is None else sql.SQL("{} > {}").format(key, sql.Literal(last))
        condition = sql.SQL("{} ORDER BY {} LIMIT {}").format(after, key, sql.Literal(PAGE_ROWS))
        return self._rows(table, condition)

    def _referred(self, table: SourceTable, references: pl.Series) -> pl.DataFrame:
        keys = references.drop_nulls().unique().sort()
        frames = []
        for condition in conditions_on(table.source_key, keys):
            rows = self._rows(table, condition)
            if rows is not None:
                frames.append(rows)
        if frames:
            return pl.concat(frames)
        return nothing_to_join([column.name for column in self._columns[table.name]], table.key)

    def _rows(self, table: SourceTable, condition: sql.Composable) -> pl.DataFrame | None:
        chunks: list[pl.DataFrame] = []
        stream_rows(self._snapshot, table, self._columns[table.name], condition, chunks.append)
        return pl.concat(chunks) if chunks else None
