"""What a first run brings, copied: to capture, transform and load a shop again takes a second of a processor.

A lake knows its source by the database's oid, and a copy of a database has one of its own: it is written into the copy
of the manifest, and that one's digest to where the manifest is named by it.
"""

from dataclasses import dataclass, replace

from tests.support.databases import execute, value
from tests.support.pipeline import Pipeline, keys_of
from totes.lake import Bucket, CaptureManifest, StarManifest
from totes.lake.manifests import digest

_CAPTURED, _MADE = "manifests/", "manifests/edition-"


@dataclass(frozen=True, kw_only=True)
class FirstRun:
    """A pipeline whose first run is over, and that nobody touches: it is copied.

    Attributes:
        source: the name of its source's database.
        warehouse: the name of its warehouse's.
        ingestion: its captured batch.
        processed: what that became.
    """

    source: str
    warehouse: str
    ingestion: Bucket
    processed: Bucket

    def copy_to(self, pipeline: Pipeline) -> None:
        """Let a pipeline be where this one is.

        Args:
            pipeline: over copies of this one's databases, and an empty lake.
        """
        oid = value(pipeline.source, "SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
        [captured] = [self.ingestion.get(key) for key in keys_of(self.ingestion) if key.startswith(_CAPTURED)]
        manifest = CaptureManifest.from_json(captured)
        its_own = replace(manifest, source=replace(manifest.source, database=oid)).to_json()
        for key in keys_of(self.ingestion):
            pipeline.ingestion.put_new(key, its_own if key.startswith(_CAPTURED) else self.ingestion.get(key))
        for key in keys_of(self.processed):
            body = self.processed.get(key)
            if key.startswith(_MADE):
                body = replace(StarManifest.from_json(body), capture=digest(its_own)).to_json()
            pipeline.processed.put_new(key, body)
        execute(pipeline.warehouse, "UPDATE etl.batch SET capture_sha256 = %s", [digest(its_own)])
