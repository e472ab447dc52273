"""What is in flight: changes that a later batch or the next capture brings, so that the warehouse may lack them yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from totes.capture import pending, stopped_by
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.lake import Bucket, CaptureManifest, Journal, read_part


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """What is on its way to the warehouse.

    Attributes:
        keys: keys (64-bit integers), by source table, of rows that a batch or the next capture brings.
        stopped: why a mass deletion would stop the next capture: what that would bring is not among the keys then.
            None: none would.
    """

    keys: Mapping[str, pl.Series]
    stopped: str | None


def in_flight(
    snapshot: Snapshot, ingestion: Bucket, tables: Sequence[SourceTable], held: int, mass_deletion_percent: int
) -> InFlight:
    """Return what is on its way.

    Args:
        snapshot: the state of the source that is compared.
        ingestion: the bucket of captured batches.
        tables: the source tables.
        held: the newest batch that the warehouse holds; 0: none.
        mass_deletion_percent: how many of a hundred rows of a table may be gone at once.
    """
    next_capture = pending(snapshot, ingestion, tables)
    stopped = stopped_by(next_capture, mass_deletion_percent=mass_deletion_percent)
    found = {
        name: [keys.cast(pl.Int64) for keys in (changes.changed, changes.deleted)]
        for name, changes in next_capture.items()
    }
    if stopped:  # nothing of it comes until a person says so
        found = {name: [keys.clear() for keys in of_table] for name, of_table in found.items()}
    journal = Journal(ingestion)
    for batch in range(held + 1, journal.newest() + 1):
        manifest = CaptureManifest.from_json(journal.read(batch))
        for table in tables:
            captured = manifest.tables.get(table.name)
            for part in (*captured.changes, *captured.deletes) if captured else ():
                found[table.name].append(read_part(ingestion, part, [table.key])[table.key].cast(pl.Int64))
    keys = {name: pl.concat(series.alias("key") for series in of_table).unique() for name, of_table in found.items()}
    return InFlight(keys=keys, stopped=stopped)
