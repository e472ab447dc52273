"""The lake: two buckets of immutable objects, and the manifests that commit them."""

from totes.lake.audit import Audited, audit
from totes.lake.bucket import Bucket
from totes.lake.documents import read_as
from totes.lake.editions import Draft, StarJournal
from totes.lake.folder import Folder
from totes.lake.journal import Journal
from totes.lake.manifests import (
    CapturedTable,
    CaptureManifest,
    Member,
    SortedRun,
    SourceColumn,
    SourceIdentity,
    StarManifest,
    StarParts,
    TableIdentity,
)
from totes.lake.parts import RAW, Part, fetch_part, read_part, schema_of, write_part
from totes.lake.pieces import FailedPiece, PiecesLeft
from totes.lake.ranges import KeyRanges
from totes.lake.recent import RecentObjects
from totes.lake.sweeping import Swept, sweep

__all__ = [
    "RAW",
    "Audited",
    "Bucket",
    "CaptureManifest",
    "CapturedTable",
    "Draft",
    "FailedPiece",
    "Folder",
    "Journal",
    "KeyRanges",
    "Member",
    "Part",
    "PiecesLeft",
    "RecentObjects",
    "SortedRun",
    "SourceColumn",
    "SourceIdentity",
    "StarJournal",
    "StarManifest",
    "StarParts",
    "Swept",
    "TableIdentity",
    "audit",
    "fetch_part",
    "read_as",
    "read_part",
    "schema_of",
    "sweep",
    "write_part",
]
