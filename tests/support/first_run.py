"""What runs bring, copied: to capture, transform and load a shop again takes a second of a processor.

A lake knows its source by the database's oid, and a copy of a database has one of its own: it is written into the
copies of the manifests, and their digests to where a manifest is named by its own.
"""

import json
from dataclasses import dataclass, replace

from tests.support.databases import execute, value
from tests.support.pipeline import Pipeline, keys_of
from totes.lake import Bucket, CaptureManifest, StarManifest
from totes.lake.manifests import digest

_CAPTURED, _MADE = "manifests/", "manifests/edition-"


@dataclass(frozen=True, kw_only=True)
class FirstRuns:
    """A pipeline whose first run is over, or first runs are, and that nobody touches: it is copied.

    Attributes:
        source: the name of its source's database.
        warehouse: the name of its warehouse's.
        ingestion: its captured batches.
        processed: what these became.
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
        digests: dict[str, str] = {}
        captured = []
        for key in keys_of(self.ingestion):
            body = self.ingestion.get(key)
            if key.startswith(_CAPTURED):
                captured.append((CaptureManifest.from_json(body), key, digest(body)))
            else:
                pipeline.ingestion.put_new(key, body)
        for manifest, key, before in sorted(captured, key=lambda each: each[0].batch):
            parent = manifest.parent and digests[manifest.parent]
            its_own = replace(manifest, source=replace(manifest.source, database=oid), parent=parent).to_json()
            digests[before] = digest(its_own)
            pipeline.ingestion.put_new(key, its_own)
        for key in keys_of(self.processed):
            body = self.processed.get(key)
            if key.startswith(_MADE):
                made = StarManifest.from_json(body)
                parent = made.parent and digests[made.parent]
                body = replace(made, capture=digests[made.capture], parent=parent).to_json()
            pipeline.processed.put_new(key, body)
        named = "UPDATE etl.batch SET capture_sha256 = %s::jsonb ->> capture_sha256"
        execute(pipeline.warehouse, named, [json.dumps(digests)])
