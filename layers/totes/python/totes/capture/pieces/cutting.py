"""The making of a plan: which tables are too large for one function, and where they are cut into pieces."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from psycopg2 import sql

from totes.capture.holdings.slices import HIGHEST, LOWEST
from totes.capture.pieces.plan import PlannedPiece
from totes.capture.rows.keys import SourceKeys
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.lake import CapturedTable, CaptureManifest, KeyRanges, SourceColumn, TableIdentity
from totes.lake.pieces import MOST_PIECES
from totes.lake.ranges import RANGES_BITS

_SHARE = 8
"""A piece has so small a share of what one function may read: one that is killed costs little, and all end together."""

_GRAIN = 8
"""A piece is put together of at least so many ranges of keys, which makes pieces about equal."""

_ESTIMATES = "SELECT oid::text, reltuples FROM pg_class WHERE oid = ANY(%s::oid[]) AND relkind <> 'p'"


def cut_tables(
    snapshot: Snapshot,
    tables: Sequence[SourceTable],
    columns: Mapping[str, Sequence[SourceColumn]],
    identities: Mapping[str, TableIdentity],
    rows: Mapping[str, int],
    last: CaptureManifest | None,
    rows_in_one_function: int,
) -> tuple[dict[str, CapturedTable], tuple[PlannedPiece, ...]]:
    """Cut tables into pieces of about equally many rows, if more of them are to be read than one function reads.

    How many rows there are decides only who reads them, not what is read. A count by ranges of keys tells where to cut.

    Args:
        snapshot: the state of the source.
        tables: the tables that are captured.
        columns: the columns of each in the source.
        identities: what each of them is there.
        rows: about how many rows of each are to be read.
        last: the last batch; None where there is none.
        rows_in_one_function: how many rows of all tables one function may read.

    Returns:
        Each table that is read in pieces, as it is now and with what the last batch held of it, and the pieces; nothing
        where one function reads all.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    most = max(1, rows_in_one_function // _SHARE)
    large = [table for table in tables if rows[table.name] > most]
    if sum(rows.values()) <= rows_in_one_function or not large:
        return {}, ()
    ranges = {table.name: [*_key_ranges(snapshot, table, columns[table.name], most)] for table in large}
    most = max(most, sum(count for found in ranges.values() for _, count in found) // MOST_PIECES)
    described = {
        table.name: _described(
            last.tables.get(table.name) if last else None, columns[table.name], identities[table.name]
        )
        for table in large
    }
    return described, tuple(piece for name, found in ranges.items() for piece in _pieces(name, found, most))


def estimated_rows(snapshot: Snapshot, identities: Mapping[str, TableIdentity]) -> dict[str, int]:
    """Return about how many rows each table has, with the tables that are parts of it.

    PostgreSQL's statistics say, which costs nothing; where there are none a count does.

    Args:
        snapshot: the state of the source.
        identities: what each table is.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    with snapshot.connection.cursor() as cursor:
        cursor.execute(_ESTIMATES, ([oid for identity in identities.values() for oid in identity.members],))
        estimates = dict(cursor.fetchall())
    found = {}
    for name, identity in identities.items():
        rows = [estimates[oid] for oid in identity.members if oid in estimates]
        if min(rows, default=0) < 0:  # one that was never analysed
            source_name = identity.members[identity.table].name
            with snapshot.reading(source_name) as cursor:
                cursor.execute(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(source_name)))
                rows = [count for (count,) in cursor.fetchall()]
        found[name] = int(sum(rows))
    return found


def _described(before: CapturedTable | None, columns: Sequence[SourceColumn], identity: TableIdentity) -> CapturedTable:
    if before is None:
        return CapturedTable(columns=tuple(columns), held=0, identity=identity, ranges=KeyRanges())
    return replace(before, columns=tuple(columns), identity=identity, changes=(), deletes=(), context=())


def _key_ranges(
    snapshot: Snapshot, table: SourceTable, columns: Sequence[SourceColumn], most: int
) -> Iterator[tuple[int, int]]:
    source = SourceKeys(snapshot, table, columns)
    bounds = source.bounds()
    return iter(()) if bounds is None else _narrow(source, *bounds, max(1, most // _GRAIN))


def _narrow(source: SourceKeys, lowest: int, highest: int, most: int) -> Iterator[tuple[int, int]]:
    """The highest key of each range and how many rows it has, ascending: at most so many, unless it is a single key."""
    shift = max(0, (highest - lowest).bit_length() - RANGES_BITS)
    for number, rows in source.counts(shift, lowest, highest).sort("range").iter_rows():
        first, last = max(lowest, number << shift), min(highest, ((number + 1) << shift) - 1)
        if rows > most and shift:
            yield from _narrow(source, first, last, most)
        else:
            yield last, rows


def _pieces(table: str, ranges: Sequence[tuple[int, int]], most: int) -> list[PlannedPiece]:
    """Pieces that together have every key that there may be, also those that come before they are read."""
    rows = sum(count for _, count in ranges)
    size = math.ceil(rows / max(1, math.ceil(rows / most)))
    pieces: list[PlannedPiece] = []
    lowest, gathered = LOWEST, 0
    for last, count in ranges:
        gathered += count
        if gathered >= size:
            pieces.append(PlannedPiece(table=table, lowest=lowest, highest=last))
            lowest, gathered = last + 1, 0
    if gathered or not pieces:
        return [*pieces, PlannedPiece(table=table, lowest=lowest, highest=HIGHEST)]
    return [*pieces[:-1], replace(pieces[-1], highest=HIGHEST)]
