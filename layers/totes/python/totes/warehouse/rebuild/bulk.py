"""Many batches are read together: the next chunk of them is fetched and decoded while the last one is copied."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from totes.lake import Part, StarManifest, fetch_part
from totes.star_schema import StarTable
from totes.warehouse.conform import conformed
from totes.warehouse.processed_bucket import ProcessedBucket

CHUNK_BATCHES = 500
CHUNK_ROWS = 200_000
"""A chunk ends once it has so many, and may exceed that by one part. Memory is bounded by two chunks."""

_READERS = 15
"""One less than the client of S3 has connections, for the loader asks beside them (totes.clients). What they have read
is held until its chunk is copied, however many they are: so more of them save time, and take no memory."""

ROWS, DELETES, QUARANTINE = "rows", "deletes", "quarantine"


@dataclass(frozen=True, order=True)
class Position:
    """How far batches are staged: all parts of `batch` and those before it, and so many parts of the one after."""

    batch: int
    parts: int


@dataclass(frozen=True, kw_only=True)
class _Unit:
    """A part of a batch, and how many rows the batch's parts before it bring to its star table."""

    batch: int
    table: str
    kind: str
    part: Part
    before: int


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Parts of some batches, decoded.

    Attributes:
        end: how far batches are staged when it is.
        manifests: the batches that end in it.
        frames: star table, kind (rows, deletes or quarantine) and rows, which have a column `batch_id`; what is of
            the table's kind rows has a column `number`, counted from 1 in each batch.
    """

    end: Position
    manifests: Sequence[StarManifest]
    frames: Sequence[tuple[str, str, pl.DataFrame]]


class ChunkReader:
    """Reads the chunks from a position to the end of a batch, one always ahead."""

    def __init__(self, processed: ProcessedBucket, tables: Sequence[StarTable], start: Position, last: int) -> None:
        self.last = last
        self.edition = processed.edition
        self._processed = processed
        self._tables = {table.name: table for table in tables}
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="part")
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="chunk")
        self._chunks = self._read(start)
        self._next: Future[Chunk | None] = self._decoder.submit(next, self._chunks, None)
        self.position = start

    def close(self) -> None:
        """Stop reading."""
        self._decoder.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)

    def next(self) -> Chunk | None:
        """Return the next chunk; None at the end.

        Raises:
            ConfigurationError: a part lacks a column that must have a value; see also `totes.lake`.
            LakeUnavailable, LakeCorrupted: see `totes.lake`.
        """
        chunk = self._next.result()
        if chunk is not None:
            self._next = self._decoder.submit(next, self._chunks, None)
            self.position = chunk.end
        return chunk

    def _read(self, start: Position) -> Iterator[Chunk]:
        units: list[_Unit] = []
        manifests: list[StarManifest] = []
        rows = 0
        end = start
        for manifest in self._manifests(start.batch + 1):
            of_batch = _units(manifest, self._tables)
            skipped = start.parts if manifest.batch == start.batch + 1 else 0
            for number, unit in enumerate(of_batch[skipped:], start=skipped + 1):
                units.append(unit)
                rows += unit.part.rows
                end = Position(manifest.batch - 1, number)
                if rows >= CHUNK_ROWS and number < len(of_batch):
                    yield self._chunk(end, manifests, units)
                    units, manifests, rows = [], [], 0
            end = Position(manifest.batch, 0)
            manifests.append(manifest)
            if len(manifests) >= CHUNK_BATCHES or rows >= CHUNK_ROWS:
                yield self._chunk(end, manifests, units)
                units, manifests, rows = [], [], 0
        if manifests:
            yield self._chunk(end, manifests, units)

    def _manifests(self, first: int) -> Iterator[StarManifest]:
        for start in range(first, self.last + 1, CHUNK_BATCHES):
            batches = range(start, min(start + CHUNK_BATCHES, self.last + 1))
            yield from self._readers.map(self._processed.read, batches)

    def _chunk(self, end: Position, manifests: Sequence[StarManifest], units: Sequence[_Unit]) -> Chunk:
        bodies = list(self._readers.map(lambda unit: fetch_part(self._processed.bucket, unit.part), units))
        grouped: dict[tuple[str, str], list[tuple[_Unit, bytes]]] = {}
        for unit, body in zip(units, bodies, strict=True):
            grouped.setdefault((unit.table, unit.kind), []).append((unit, body))
        frames = [(name, kind, self._decoded(name, kind, parts)) for (name, kind), parts in grouped.items()]
        return Chunk(end=end, manifests=tuple(manifests), frames=frames)

    def _decoded(self, name: str, kind: str, parts: Sequence[tuple[_Unit, bytes]]) -> pl.DataFrame:
        table = self._tables[name]
        try:
            # Hundreds of small files read by one call take a quarter of the time.
            rows = pl.read_parquet([body for _, body in parts])
            rows = conformed(table, rows, parts[0][0].batch) if kind == ROWS else rows
        except (pl.exceptions.PolarsError, OSError):  # parts of different shapes
            rows = pl.concat([self._one(table, kind, unit, body) for unit, body in parts], how="vertical_relaxed")
        rows = rows.with_columns(
            pl.Series("batch_id", [unit.batch for unit, _ in parts for _ in range(unit.part.rows)], dtype=pl.Int32)
        )
        if kind != ROWS:
            return rows.with_columns(star_table=pl.lit(name))
        numbers = [unit.before + at for unit, _ in parts for at in range(1, unit.part.rows + 1)]
        return rows.with_columns(pl.Series("number", numbers, dtype=pl.Int64))

    def _one(self, table: StarTable, kind: str, unit: _Unit, body: bytes) -> pl.DataFrame:
        rows = pl.read_parquet(io.BytesIO(body))
        return conformed(table, rows, unit.batch) if kind == ROWS else rows


def _units(manifest: StarManifest, tables: dict[str, StarTable]) -> list[_Unit]:
    units = []
    for name in tables:
        stars = manifest.tables.get(name)
        if stars is None:  # a batch from before the table was asked for
            continue
        before = 0
        for kind, parts in ((ROWS, stars.parts), (DELETES, stars.deletes), (QUARANTINE, stars.quarantine)):
            for part in parts:
                units.append(_Unit(batch=manifest.batch, table=name, kind=kind, part=part, before=before))
                before += part.rows
    return units
