"""What an earlier totes has written: to a lake, when it could miss changes, and to a warehouse."""

import dataclasses

from tests.support.databases import execute, session
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES
from totes.capture.source.contract import columns_of
from totes.capture.source.snapshot import snapshot_of
from totes.lake import CaptureManifest, Journal
from totes.lake.manifests import digest


def capture_nothing_as_an_earlier_totes(pipeline: Pipeline) -> None:
    """Add a batch to a lake of one batch, by which the source has other columns at most, and nothing has changed."""
    journal = Journal(pipeline.ingestion)
    first = journal.read(1)
    manifest = CaptureManifest.from_json(first)
    with session(pipeline.source) as source, snapshot_of(source) as snapshot:
        columns, horizon = columns_of(snapshot, SOURCE_TABLES), snapshot.horizon
    tables = {
        name: dataclasses.replace(table, changes=(), context=(), completed_by=None, columns=tuple(columns[name]))
        for name, table in manifest.tables.items()
    }
    second = dataclasses.replace(manifest, batch=2, parent=digest(first), horizon=horizon, tables=tables)
    journal.commit(2, second.to_json())


def name_unknown_members_as_an_earlier_totes(pipeline: Pipeline) -> None:
    """Take their keys from the unknown members of staff and currencies."""
    execute(
        pipeline.warehouse,
        "UPDATE dim_staff SET first_name = 'unknown' WHERE first_name ^@ 'unknown '; "
        "UPDATE dim_currency SET currency_code = 'unknown' WHERE currency_code ^@ 'unknown '",
    )
