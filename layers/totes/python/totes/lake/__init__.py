"""The lake: two buckets of immutable objects, and the manifests that commit them."""

from totes.lake.bucket import Bucket
from totes.lake.editions import Draft, StarJournal
from totes.lake.journal import Journal
from totes.lake.manifests import (
    CapturedTable,
    CaptureManifest,
    Run,
    SourceColumn,
    SourceIdentity,
    StarManifest,
    StarParts,
)
from totes.lake.parts import RAW, Part, read_part, write_part

__all__ = [
    "RAW",
    "Bucket",
    "CaptureManifest",
    "CapturedTable",
    "Draft",
    "Journal",
    "Part",
    "Run",
    "SourceColumn",
    "SourceIdentity",
    "StarJournal",
    "StarManifest",
    "StarParts",
    "read_part",
    "write_part",
]
