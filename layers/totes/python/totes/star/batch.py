"""One batch of source rows becomes star rows, a part at a time; a large one over as many attempts as it needs."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import polars as pl

from totes.lake import (
    Bucket,
    CapturedTable,
    CaptureManifest,
    Journal,
    Part,
    StarManifest,
    StarParts,
    read_part,
    write_part,
)
from totes.lake.layout import batch_folder
from totes.lake.manifests import digest
from totes.star.calendar import calendar_rows
from totes.star.convert import convert, slices
from totes.star.joins import complete, nothing_to_join
from totes.star_schema import Calendar, Dimension, Fact, Join, Kind, StarTable

PARTS_IN_ONE_GO = 32
"""A batch of no more source parts is transformed in one go, and needs no bookmark."""

PARTS_BETWEEN_BOOKMARKS = 8
"""How many source parts of a larger batch are a piece: two million rows at most, some seconds of a function."""

_NOTHING = StarParts(rows_in=0)
_NOT_CAPTURED = CapturedTable(columns=(), held=0)


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A part of a source table, rows or deleted keys, and the star table that it is for."""

    table: Fact | Dimension
    number: int
    part: Part
    deletes: bool


@dataclass(frozen=True, kw_only=True)
class _Done:
    """What some steps have come to: what they wrote for each star table, and the dates that its facts name."""

    tables: Mapping[str, StarParts] = field(default_factory=dict)
    dates: frozenset[date] = frozenset()

    def __add__(self, other: "_Done") -> "_Done":
        tables = dict(self.tables)
        for name, stars in other.tables.items():
            before = tables.get(name, _NOTHING)
            tables[name] = StarParts(
                rows_in=before.rows_in + stars.rows_in,
                parts=before.parts + stars.parts,
                quarantine=before.quarantine + stars.quarantine,
                deletes=before.deletes + stars.deletes,
            )
        return _Done(tables=tables, dates=self.dates | other.dates)

    def to_json(self) -> bytes:
        return json.dumps(
            {
                "tables": {name: asdict(stars) for name, stars in self.tables.items()},
                "dates": [day.isoformat() for day in sorted(self.dates)],
            },
            sort_keys=True,
        ).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "_Done":
        values: Mapping[str, Any] = json.loads(body)
        return cls(
            tables={name: StarParts.from_dict(stars) for name, stars in values["tables"].items()},
            dates=frozenset(date.fromisoformat(day) for day in values["dates"]),
        )


class Batch:
    """A captured batch that is to become star rows.

    What comes of it depends on the batch and the code alone, so whoever transforms it again writes the same bytes.
    """

    def __init__(
        self, manifest: bytes, ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], code: str
    ) -> None:
        """Take a batch by its capture manifest.

        Args:
            manifest: the manifest.
            ingestion: the bucket of captured batches.
            processed: the bucket of star rows.
            tables: the star tables.
            code: the fingerprint of the code; what other code has begun is not continued.
        """
        self._capture = CaptureManifest.from_json(manifest)
        self._digest = digest(manifest)
        self._ingestion = ingestion
        self._processed = processed
        self._tables = tables
        self._steps = tuple(self._source_parts())
        self._bookmarks = Journal(processed, self._place_of_bookmarks(code))
        self._joined: tuple[str, Sequence[tuple[Join, pl.DataFrame]]] = ("", ())

    @property
    def bytes(self) -> int:
        """The size of the parts that are to be read."""
        return sum(step.part.bytes for step in self._steps)

    @property
    def rows(self) -> int:
        """How many rows and deleted keys are to be read; one that several star tables are made of counts for each."""
        return sum(step.part.rows for step in self._steps)

    @property
    def pieces(self) -> int:
        """In how many pieces it is transformed, with a bookmark behind each; 0: in one go."""
        parts = len(self._steps)
        return 0 if parts <= PARTS_IN_ONE_GO else -(-parts // PARTS_BETWEEN_BOOKMARKS)

    def pieces_left(self) -> tuple[int, ...]:
        """Return which pieces no attempt has transformed yet, by their places in the batch.

        Raises:
            LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        """
        done = {number - 1 for number, _ in self._bookmarks.committed()}
        return tuple(piece for piece in range(self.pieces) if piece not in done)

    def transform_piece(self, piece: int) -> None:
        """Transform a piece and leave a bookmark, which says what it has come to.

        Raises:
            LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        """
        self._bookmarks.commit(piece + 1, self._transform_steps(self._steps_of(piece)).to_json())

    def names_of_pieces(self) -> list[str]:
        """Return what a person calls each piece: the star tables that it is for."""
        tables = (dict.fromkeys(step.table.name for step in self._steps_of(piece)) for piece in range(self.pieces))
        return [f"of {', '.join(names)}" for names in tables]

    def transformed(self, time_is_up: Callable[[], bool]) -> StarManifest | None:
        """Transform what no earlier attempt has transformed; None if time is up before the end.

        Raises:
            LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        """
        done = self._in_pieces(time_is_up) if self.pieces else self._transform_steps(self._steps)
        return None if done is None else self._manifest(done)

    def _steps_of(self, piece: int) -> Sequence[_Step]:
        first = piece * PARTS_BETWEEN_BOOKMARKS
        return self._steps[first : first + PARTS_BETWEEN_BOOKMARKS]

    def _source_parts(self) -> Iterator[_Step]:
        for table in self._tables:
            captured = None if isinstance(table, Calendar) else self._capture.tables.get(table.source)
            if isinstance(table, Calendar) or captured is None:  # a batch from before the table was asked for
                continue
            # A joined dimension's row is made again also where only the row that completes it has changed.
            rows = (*captured.changes, *captured.context) if table.joins else captured.changes
            for number, part in enumerate(rows):
                yield _Step(table=table, number=number, part=part, deletes=False)
            for number, part in enumerate(captured.deletes):
                yield _Step(table=table, number=number, part=part, deletes=True)

    def _in_pieces(self, time_is_up: Callable[[], bool]) -> _Done | None:
        """Transform the pieces that are left, and put all of them together by their bookmarks."""
        for piece in self.pieces_left():
            if time_is_up():
                return None
            self.transform_piece(piece)
        bookmarks = (self._bookmarks.read(piece + 1) for piece in range(self.pieces))
        return sum(map(_Done.from_json, bookmarks), start=_Done())

    def _place_of_bookmarks(self, code: str) -> str:
        of = hashlib.sha256(f"{self._digest} {code}".encode()).hexdigest()
        return f"bookmarks/{self._capture.batch:010d}-{of[:16]}/"

    def _transform_steps(self, steps: Sequence[_Step]) -> _Done:
        return sum((self._deletes(step) if step.deletes else self._rows(step) for step in steps), start=_Done())

    def _rows(self, step: _Step) -> _Done:
        source = read_part(self._ingestion, step.part)
        for join, completing in self._joined_rows(step.table):
            source = complete(source, join, completing)
        return sum((self._slice(step, number, rows) for number, rows in enumerate(slices(source))), start=_Done())

    def _slice(self, step: _Step, number: int, source: pl.DataFrame) -> _Done:
        """Convert some rows of a part: all of them, unless a long text is joined to very many."""
        converted = convert(step.table, source)
        which = f"{step.number:05d}-{number:05d}" if number else f"{step.number:05d}"
        stars = StarParts(
            rows_in=source.height,
            parts=self._write_part(step.table, f"stars-{which}", converted.rows),
            quarantine=self._write_part(step.table, f"quarantine-{which}", converted.quarantine),
        )
        return _Done(tables={step.table.name: stars}, dates=_dates(step.table, converted.rows))

    def _deletes(self, step: _Step) -> _Done:
        keys = read_part(self._ingestion, step.part).to_series()
        frame, name = pl.DataFrame({"key": keys.cast(pl.Int64)}), f"deletes-{step.number:05d}"
        return _Done(
            tables={step.table.name: StarParts(rows_in=frame.height, deletes=self._write_part(step.table, name, frame))}
        )

    def _joined_rows(self, table: Fact | Dimension) -> Sequence[tuple[Join, pl.DataFrame]]:
        """The rows that complete a table's; they are kept for its next part."""
        name, joined = self._joined
        if name != table.name:
            joined = [(join, self._whole(join)) for join in table.joins]
            self._joined = (table.name, joined)
        return joined

    def _whole(self, join: Join) -> pl.DataFrame:
        """All rows that a table may be completed by; none where the batch is from before that table was asked for."""
        captured = self._capture.tables.get(join.table, _NOT_CAPTURED)
        frames = [read_part(self._ingestion, part) for part in (*captured.changes, *captured.context)]
        if frames:
            return pl.concat(frames)
        return nothing_to_join([column.stored_as for column in captured.columns], join.key)

    def _write_part(self, table: StarTable, name: str, rows: pl.DataFrame) -> tuple[Part, ...]:
        if rows.is_empty():
            return ()
        return (write_part(self._processed, f"{batch_folder(self._capture.batch)}/{table.name}/{name}", rows),)

    def _manifest(self, done: _Done) -> StarManifest:
        stars = {
            table.name: self._calendar(table, done.dates)
            if isinstance(table, Calendar)
            else done.tables.get(table.name, _NOTHING)
            for table in self._tables
        }
        return StarManifest(
            batch=self._capture.batch,
            capture=self._digest,
            parent=self._capture.parent,
            captured_at=self._capture.captured_at,
            horizon=self._capture.horizon,
            drift=self._capture.drift,
            tables=stars,
        )

    def _calendar(self, table: Calendar, dates: frozenset[date]) -> StarParts:
        if not dates:
            return _NOTHING
        rows = calendar_rows(table, pl.Series(sorted(dates), dtype=pl.Date))
        return StarParts(rows_in=rows.height, parts=self._write_part(table, "stars-00000", rows))


def _dates(table: Fact | Dimension, rows: pl.DataFrame) -> frozenset[date]:
    """The dates that facts turned out to name, which the calendars are made of."""
    if not isinstance(table, Fact):
        return frozenset()
    columns = [rows[column.name].alias("date") for column in table.columns if column.kind is Kind.DATE]
    return frozenset(pl.concat(columns).drop_nulls().unique()) if columns else frozenset()
