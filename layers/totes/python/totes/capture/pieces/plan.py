"""A plan: how tables that are too large for one function are read in pieces, by many, before there is a batch.

A plan and what its pieces have come to lie below the batch that they are for, so the sweep of that batch takes them.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

from totes.capture.source.identity import differs
from totes.capture.source.snapshot import Snapshot
from totes.lake import (
    Bucket,
    CaptureManifest,
    Journal,
    KeyRanges,
    Part,
    SortedRun,
    SourceColumn,
    TableIdentity,
    read_as,
)
from totes.lake.layout import batch_folder

_READERS = 8


@dataclass(frozen=True, kw_only=True)
class PlannedPiece:
    """The rows of one table whose keys are in a range, both ends included."""

    table: str
    lowest: int
    highest: int

    def __str__(self) -> str:
        """What a person calls it."""
        return f"{self.table} from key {self.lowest} to {self.highest}"


@dataclass(frozen=True, kw_only=True)
class ReadPiece:
    """What came of reading a piece.

    Attributes:
        parts: rows of the piece that the lake did not hold, or held with other content, in ascending order of keys,
            each key once.
        ranges: how many rows that the lake did not hold are in each range of keys.
    """

    parts: tuple[Part, ...]
    ranges: KeyRanges

    def to_json(self) -> bytes:
        """Return the document's bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "ReadPiece":
        """Read the document."""
        values: dict[str, Any] = json.loads(body)
        return cls(parts=tuple(map(Part.from_dict, values["parts"])), ranges=read_as(KeyRanges, values["ranges"]))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a source is read in pieces.

    Attributes:
        number: the plan's own; the newest one counts.
        base: the snapshot in which it was made, as a batch: horizon, source, and of each table that is read in pieces
            its columns, what it is, and what the last batch held of it.
        pieces: together all keys of each of these tables, in ascending order.
    """

    number: int
    base: CaptureManifest
    pieces: tuple[PlannedPiece, ...]

    def holds(
        self,
        snapshot: Snapshot,
        columns: Mapping[str, Sequence[SourceColumn]],
        identities: Mapping[str, TableIdentity],
    ) -> bool:
        """Whether what is read in a later snapshot may be put together with what other pieces have read.

        So it is where the source is the same, has only grown older, and its tables are what they were.

        Args:
            snapshot: the later one.
            columns: of each table in it; tables that are not looked at are left out.
            identities: what each of these tables is in it.
        """
        looked_at = {name: table for name, table in self.base.tables.items() if name in columns}
        return snapshot.continues(self.base) and not any(
            table.columns != tuple(columns[name]) or differs(table.identity, identities[name])
            for name, table in looked_at.items()
        )

    def baseline(self, read: Mapping[int, ReadPiece]) -> CaptureManifest:
        """Return the base as if it had been a batch whose changes the pieces have read.

        Every row committed before the base's horizon and unchanged since is in the result: a piece read it, or the
        last batch already held it. The next capture therefore looks only at newer rows. Deletes are found by counting,
        as always.

        Args:
            read: every piece, by its place in `pieces`.
        """
        tables = {}
        for name, table in self.base.tables.items():
            pieces = [read[number] for number, piece in enumerate(self.pieces) if piece.table == name]
            sorted_run = SortedRun(parts=tuple(part for piece in pieces for part in piece.parts))
            tables[name] = replace(
                table,
                held=table.held + sum(piece.ranges.rows for piece in pieces),
                changes=sorted_run.parts,
                holdings=(*table.holdings, sorted_run) if sorted_run.rows else table.holdings,
                completed_by=table.completed_by or {},  # all has been read, whoever captured it before
                ranges=table.ranges and reduce(KeyRanges.together, (piece.ranges for piece in pieces), table.ranges),
            )
        return replace(self.base, tables=tables)

    def to_json(self) -> bytes:
        """Return the document's bytes."""
        return json.dumps(
            {
                "number": self.number,
                "base": json.loads(self.base.to_json()),
                "pieces": [asdict(piece) for piece in self.pieces],
            },
            indent=1,
            sort_keys=True,
        ).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "Plan":
        """Read the document; raise ConfigurationError where a newer totes has written it."""
        values: dict[str, Any] = json.loads(body)
        return cls(
            number=values["number"],
            base=CaptureManifest.from_json(json.dumps(values["base"]).encode()),
            pieces=tuple(read_as(PlannedPiece, piece) for piece in values["pieces"]),
        )


class Plans:
    """The plans for one batch, and what their pieces have come to; each is written once.

    Args:
        ingestion: the bucket of captured batches.
        batch: the batch that is to come of them.

    Raises (each method):
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """

    def __init__(self, ingestion: Bucket, batch: int) -> None:
        self._ingestion = ingestion
        self._folder = batch_folder(batch)
        self._journal = Journal(ingestion, f"{self._folder}/plans/")

    def newest(self) -> Plan | None:
        """Return the newest plan; None where there is none."""
        number = self._journal.newest()
        return self.read(number) if number else None

    def find(self, number: int) -> Plan | None:
        """Return a plan; None where there is none of that number."""
        return self.read(number) if number <= self._journal.newest() else None

    def read(self, number: int) -> Plan:
        """Return a plan that is there."""
        return Plan.from_json(self._journal.read(number))

    def commit(self, plan: Plan) -> None:
        """Write a plan under its number; raise BatchTaken where another run has written another one."""
        self._journal.commit(plan.number, plan.to_json())

    def unread(self, plan: Plan) -> list[int]:
        """Return which pieces of a plan nobody has read yet, by their places in it."""
        read = {listed.key for listed in self._ingestion.listed(self._place(plan))}
        return [number for number in range(len(plan.pieces)) if self._key(plan, number) not in read]

    def is_read(self, plan: Plan, number: int) -> bool:
        """Whether a piece of a plan was read."""
        return self._ingestion.first_key(self._key(plan, number)) is not None

    def finish(self, plan: Plan, number: int, read: ReadPiece) -> None:
        """Say what a piece has come to, unless another attempt has said so before."""
        self._ingestion.put_new(self._key(plan, number), read.to_json())

    def pieces(self, plan: Plan) -> dict[int, ReadPiece]:
        """Return what each piece of a plan has come to; all of them were read."""
        with ThreadPoolExecutor(_READERS) as readers:
            bodies = readers.map(lambda number: self._ingestion.get(self._key(plan, number)), range(len(plan.pieces)))
            return {number: ReadPiece.from_json(body) for number, body in enumerate(bodies)}

    def place_of_rows(self, table: str, number: int) -> str:
        """Return the start of the keys of what a piece of a table writes."""
        return f"{self._folder}/{table}/piece-{number:05d}"

    def _place(self, plan: Plan) -> str:
        return f"{self._folder}/pieces/{plan.number:010d}-"

    def _key(self, plan: Plan, number: int) -> str:
        return f"{self._place(plan)}{number:05d}.json"
