"""The lake: two buckets of immutable objects, and the manifests that commit them."""

from totes.lake.bucket import Bucket
from totes.lake.editions import StarJournal
from totes.lake.journal import Journal
from totes.lake.manifests import (
    CapturedTable,
    CaptureManifest,
    Member,
    Run,
    SourceColumn,
    SourceIdentity,
    StarManifest,
    StarParts,
    TableIdentity,
)
from totes.lake.parts import RAW, Part, read_part, write_part

__all__ = [
    "RAW",
    "Bucket",
    "CaptureManifest",
    "CapturedTable",
    "Journal",
    "Member",
    "Part",
    "Run",
    "SourceColumn",
    "SourceIdentity",
    "StarJournal",
    "StarManifest",
    "StarParts",
    "TableIdentity",
    "read_part",
    "write_part",
]
