"""Manifests: the JSON documents that commit a batch, one in the ingestion bucket and one in the processed bucket."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from totes.errors import ConfigurationError
from totes.lake.parts import Part

FORMAT = 2
"""The format that manifests are written in; one that does not tell is of format 1."""


@dataclass(frozen=True, kw_only=True)
class SourceIdentity:
    """Which database a batch was read from; where it differs from the last batch's, transaction ids mean nothing.

    Attributes:
        system_identifier: of the cluster; a logical restore into another one has another.
        timeline: a promoted standby and a restore to a point in time begin a new one.
        database: the database's oid; one dropped and made anew has another.
        started: when the server started; a restored disk keeps all of the above, and must have been started since.
    """

    system_identifier: str
    timeline: int
    database: int
    started: str


@dataclass(frozen=True, kw_only=True)
class SourceColumn:
    """A column as the source's catalog has it, with its type as PostgreSQL writes it, such as `numeric(10,2)`."""

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was captured together or merged since: at most one row, or one word that there is none, a key.

    Attributes:
        parts: the rows.
        deleted: keys of rows that the source no longer had, in a column of the key's name.
    """

    parts: tuple[Part, ...]
    deleted: tuple[Part, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows and deleted keys the run has."""
        return sum(part.rows for part in (*self.parts, *self.deleted))


@dataclass(frozen=True, kw_only=True)
class CapturedTable:
    """What a batch says of one source table.

    Attributes:
        columns: the table's columns at that moment.
        changes: rows that are new or differ from what the lake held.
        deletes: keys of rows that the source no longer has, in a column of the key's name.
        context: unchanged rows that a joined dimension needs beside this batch's changes.
        holdings: all that the lake holds of the table after this batch, oldest run first; of two rows of one key
            the one in the later run counts.
        held: how many rows those are; as many as the source had.
    """

    columns: tuple[SourceColumn, ...]
    held: int
    changes: tuple[Part, ...] = ()
    deletes: tuple[Part, ...] = ()
    context: tuple[Part, ...] = ()
    holdings: tuple[Run, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CapturedTable":
        """Read a table back from its manifest's JSON."""
        return cls(
            columns=tuple(SourceColumn(**column) for column in values["columns"]),
            held=values["held"],
            changes=_parts(values["changes"]),
            deletes=_parts(values["deletes"]),
            context=_parts(values["context"]),
            holdings=tuple(
                Run(parts=_parts(run["parts"]), deleted=_parts(run["deleted"])) for run in values["holdings"]
            ),
        )


@dataclass(frozen=True, kw_only=True)
class CaptureManifest:
    """A batch in the ingestion bucket.

    Attributes:
        batch: its number.
        parent: SHA-256 of the manifest before it; None for batch 1.
        captured_at: when its snapshot was taken, UTC.
        horizon: the oldest transaction still open in its snapshot; the next batch begins there.
        source: the database that it was read from.
        tables: what it says of each source table.
        drift: what is other in the source's shape than the batch before says, a sentence each.
    """

    batch: int
    parent: str | None
    captured_at: datetime
    horizon: int
    source: SourceIdentity
    drift: tuple[str, ...]
    tables: Mapping[str, CapturedTable]

    def to_json(self) -> bytes:
        """Return the document's bytes."""
        return _to_json(self)

    @classmethod
    def from_json(cls, body: bytes) -> "CaptureManifest":
        """Read the document."""
        values = json.loads(body)
        return cls(
            batch=values["batch"],
            parent=values["parent"],
            captured_at=datetime.fromisoformat(values["captured_at"]),
            horizon=values["horizon"],
            source=SourceIdentity(**values["source"]),
            drift=tuple(values["drift"]),
            tables={name: CapturedTable.from_dict(table) for name, table in values["tables"].items()},
        )


@dataclass(frozen=True, kw_only=True)
class StarParts:
    """What a batch brings to one star table.

    Attributes:
        rows_in: how many source rows came in, and keys of rows that are gone.
        parts: the star rows.
        quarantine: the rows that could not become star rows.
        deletes: the keys of rows that are gone from the source, in a column `key` of 64-bit integers.
    """

    rows_in: int
    parts: tuple[Part, ...] = ()
    quarantine: tuple[Part, ...] = ()
    deletes: tuple[Part, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "StarParts":
        """Read a table back from its manifest's JSON."""
        return cls(
            rows_in=values["rows_in"],
            parts=_parts(values["parts"]),
            quarantine=_parts(values["quarantine"]),
            deletes=_parts(values["deletes"]),
        )


@dataclass(frozen=True, kw_only=True)
class StarManifest:
    """A batch in the processed bucket.

    Attributes:
        batch: its number, the same as in the ingestion bucket.
        capture: SHA-256 of its manifest in the ingestion bucket.
        parent: SHA-256 of the capture manifest before that one, by which a warehouse knows its own lake.
        captured_at: when its snapshot was taken, UTC.
        horizon: the snapshot's horizon.
        drift: what was other in the source's shape than the batch before says, a sentence each.
        tables: what it brings to each star table.
        format: the document's format.
    """

    batch: int
    capture: str
    parent: str | None
    captured_at: datetime
    horizon: int
    drift: tuple[str, ...]
    tables: Mapping[str, StarParts]
    format: int = FORMAT

    def to_json(self) -> bytes:
        """Return the document's bytes."""
        return _to_json(self)

    @classmethod
    def from_json(cls, body: bytes) -> "StarManifest":
        """Read the document; raise ConfigurationError where it is of a newer format than this version knows."""
        values = json.loads(body)
        check_format(values, f"the star manifest of batch {values['batch']}")
        return cls(
            batch=values["batch"],
            capture=values["capture"],
            parent=values["parent"],
            captured_at=datetime.fromisoformat(values["captured_at"]),
            horizon=values["horizon"],
            drift=tuple(values["drift"]),
            tables={name: StarParts.from_dict(table) for name, table in values["tables"].items()},
            format=values.get("format", 1),
        )


def check_format(values: Mapping[str, Any], place: str) -> None:
    """Hold a document's format against what this version can read.

    Args:
        values: the document.
        place: what it is, for the sentence.

    Raises:
        ConfigurationError: a newer totes wrote it.
    """
    if values.get("format", 1) > FORMAT:
        raise ConfigurationError(
            f"{place} was written by a newer totes, in format {values['format']}, and this one reads formats 1 to "
            f"{FORMAT}: deploy the newer one"
        )


def digest(manifest: bytes) -> str:
    """Return a manifest's SHA-256, by which the next one names it."""
    return hashlib.sha256(manifest).hexdigest()


def _to_json(manifest: CaptureManifest | StarManifest) -> bytes:
    return json.dumps(asdict(manifest), default=datetime.isoformat, indent=1, sort_keys=True).encode()


def _parts(values: list[Mapping[str, Any]]) -> tuple[Part, ...]:
    return tuple(Part.from_dict(part) for part in values)
