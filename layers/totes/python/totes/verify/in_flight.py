"""What is in flight: changes that a later batch or the next capture brings, so that the warehouse may lack them yet."""

from collections.abc import Mapping, Sequence

import polars as pl

from totes.capture import pending
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.lake import Bucket, CaptureManifest, Journal, read_part


def in_flight(
    snapshot: Snapshot, ingestion: Bucket, tables: Sequence[SourceTable], held: int
) -> Mapping[str, pl.Series]:
    """Return the keys (64-bit integers) of each source table whose changes are on their way.

    Args:
        snapshot: the state of the source that is compared.
        ingestion: the bucket of captured batches.
        tables: the source tables.
        held: the newest batch that the warehouse holds; 0: none.
    """
    found = {
        name: [changes.changed.cast(pl.Int64), changes.deleted.cast(pl.Int64)]
        for name, changes in pending(snapshot, ingestion, tables).items()
    }
    journal = Journal(ingestion)
    for batch in range(held + 1, journal.newest() + 1):
        manifest = CaptureManifest.from_json(journal.read(batch))
        for table in tables:
            captured = manifest.tables.get(table.name)
            for part in (*captured.changes, *captured.deletes) if captured else ():
                found[table.name].append(read_part(ingestion, part, [table.key])[table.key].cast(pl.Int64))
    return {name: pl.concat(series.alias("key") for series in keys).unique() for name, keys in found.items()}
