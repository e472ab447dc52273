"""The keys that a table of the source has: their bounds, counted by ranges, or read."""

from collections.abc import Sequence

import polars as pl
from psycopg2 import sql

from totes.capture.rows.streaming import stream_rows
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.lake import SourceColumn

# PostgreSQL does not know how few ranges there are, and would rather sort millions of keys than count them.
_COUNT = sql.SQL("""
    SELECT {key}::bigint >> {shift}, count(*) FROM public.{table} WHERE {within} GROUP BY 1
""")


class SourceKeys:
    """The keys of one table in a snapshot.

    Args:
        snapshot: the state of the source.
        table: the table.
        columns: its columns in the source, the key among them.
    """

    def __init__(self, snapshot: Snapshot, table: SourceTable, columns: Sequence[SourceColumn]) -> None:
        self._snapshot = snapshot
        self._table = table
        self._key = next(column for column in columns if column.name == table.key)
        self._names = {"key": sql.Identifier(table.source_key), "table": sql.Identifier(table.source_name)}

    def bounds(self) -> tuple[int, int] | None:
        """Return the lowest and the highest key; None where there is no row."""
        query = sql.SQL("SELECT min({key}), max({key}) FROM public.{table}")
        with self._snapshot.reading(self._table.source_name) as cursor:
            cursor.execute(query.format(**self._names))
            [(lowest, highest)] = cursor.fetchall()
        return None if lowest is None else (int(lowest), int(highest))

    def counts(self, shift: int, lowest: int, highest: int) -> pl.DataFrame:
        """Return how many rows there are in each range of keys (`key >> shift`) that has any: columns `range`, `rows`.

        Args:
            shift: how many of a key's low bits do not tell its range.
            lowest: the lowest key that counts.
            highest: the highest key that counts.
        """
        query = _COUNT.format(**self._names, shift=sql.Literal(shift), within=self.within(lowest, highest))
        with self._snapshot.reading(self._table.source_name) as cursor:
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute(query)
            found = cursor.fetchall()
            cursor.execute("RESET enable_sort")
        return pl.DataFrame(found, schema={"range": pl.Int64(), "rows": pl.Int64()}, orient="row")

    def between(self, lowest: int, highest: int) -> pl.Series:
        """Return the keys (64-bit integers) from one to another, both included."""
        keys = [pl.Series(self._key.name, [], dtype=pl.Int64)]
        stream_rows(
            self._snapshot,
            self._table,
            [self._key],
            self.within(lowest, highest),
            lambda rows: keys.append(rows[self._key.name].cast(pl.Int64)),
        )
        return pl.concat(keys)

    def within(self, lowest: int, highest: int, *, in_text: bool = False) -> sql.Composable:
        """Return the SQL condition that holds for rows whose keys are from one to another, both included.

        Args:
            lowest: the lowest key.
            highest: the highest key.
            in_text: whether the keys are a part of a COPY's text: of a range so large that PostgreSQL may go through
                the whole table for it.
        """
        # As text, because the lowest 64-bit integer, written as a number, is a minus before one that is too large.
        texts = [sql.SQL(f"'{key:d}'") if in_text else sql.Literal(str(key)) for key in (lowest, highest)]
        bounds = [sql.SQL("{}::bigint").format(text) for text in texts]
        return sql.SQL("{} BETWEEN {} AND {}").format(self._names["key"], *bounds)
