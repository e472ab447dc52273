"""Lists of the parts that the star manifests name, in the form in which Athena takes a table's files from a list.

A folder's listing would show Athena also what no manifest names: what a run that was killed has written, another
edition, a draft. So each star table has a folder of lists, an object for each few hundred batches, a part a line, and
Athena reads the parts that stand there. Others call such a list a symlink manifest. Lists are the only objects of the
processed bucket that are written again, each by one put.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace

from totes.lake import Bucket, Folder, Part, StarJournal, StarManifest, read_as
from totes.lake.folder import StoredObject
from totes.lake.layout import batch_of

FOLDER = "athena"
"""The folder of the processed bucket that the lists lie in."""

STARS, DELETES = "stars", "deletes"
SPAN = 500
"""Batches that share a list."""

_READERS = 8
_LISTED = "listed.json"
_JSON, _TEXT = "application/json", "text/plain"


@dataclass(frozen=True, kw_only=True)
class ListProgress:
    """Up to which batch the lists have all, of which edition and which bucket.

    Attributes:
        bucket: its name; of a bucket that was copied the lists name the other one's parts. None: an earlier totes did
            not say.
    """

    edition: int
    batch: int
    bucket: str | None = None


def write_lists(
    bucket: Bucket, tables: Sequence[str], *, time_is_up: Callable[[], bool] = lambda: False
) -> ListProgress | None:
    """List what the newest edition has and the lists do not; where that is nothing, nothing is written.

    A run that is killed leaves lists that have more than they say, and the next run writes the same lines again. A new
    edition is listed from its first batch on, a span of batches at a time: meanwhile each batch is there once, of
    either edition.

    Args:
        bucket: the processed bucket.
        tables: the star tables, in the order in which their lists are written: what is referred to comes first.
        time_is_up: asked after each span of batches whether to stop; the next run goes on.

    Returns:
        How far the lists are; None: another run is writing them.

    Raises:
        LakeUnavailable, LakeCorrupted: see `totes.lake`.
    """
    return _Lists(bucket, tables).write(time_is_up)


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How things stood at a moment.

    Attributes:
        journal: the star manifests, as the editions stood.
        edition: the newest.
        newest: its newest batch.
        found: what the lists said of themselves.
    """

    journal: StarJournal = field(compare=False)
    edition: int
    newest: int
    found: StoredObject | None


class _Lists:
    """The lists of a bucket, which two runs may write at once.

    Each commits batches first, then writes lists, and says last how far they are. So each looks at what is committed
    and at how far the lists are, reads the lists, and looks again; it writes only where nothing has changed, and each
    list only in the place of what it has read.
    """

    def __init__(self, bucket: Bucket, tables: Sequence[str]) -> None:
        self._bucket = bucket
        self._tables = tables
        self._folder = Folder.within(bucket, f"{FOLDER}/")

    def write(self, time_is_up: Callable[[], bool]) -> ListProgress | None:
        look = self._look()
        while (listed := self._said(look)).batch < look.newest:
            last = min(look.newest, (listed.batch // SPAN + 1) * SPAN)
            if not self._write_span(look, listed.batch + 1, last):
                return None
            listed = replace(listed, batch=last)
            if not self._folder.replace(_LISTED, json.dumps(asdict(listed)).encode(), _JSON, look.found):
                return None
            if time_is_up():
                break
            look = self._look()
        return listed

    def _look(self) -> _Look:
        journal = StarJournal(self._bucket)
        return _Look(
            journal=journal, edition=journal.edition, newest=journal.newest(), found=self._folder.find(_LISTED)
        )

    def _said(self, look: _Look) -> ListProgress:
        """What the lists say that they have, of the newest edition and this bucket."""
        nothing = ListProgress(edition=look.edition, batch=0, bucket=self._bucket.name)
        listed = read_as(ListProgress, json.loads(look.found.body)) if look.found else nothing
        return listed if replace(listed, batch=0) == nothing else nothing

    def _write_span(self, look: _Look, first: int, last: int) -> bool:
        """Bring batches that share a list into the lists; return whether nobody else has meanwhile."""
        with ThreadPoolExecutor(_READERS) as readers:
            manifests = [
                StarManifest.from_json(body) for body in readers.map(look.journal.read, range(first, last + 1))
            ]
        start = (first - 1) // SPAN * SPAN + 1
        brought = {
            f"{table}/{kind}/{start:010d}": parts
            for table in self._tables
            for kind, parts in _parts(table, manifests).items()
            if parts or first == start  # else the list is as it was
        }
        before = {key: self._folder.find(key) for key in brought}
        return self._look() == look and all(
            self._write_list(key, first, parts, before[key]) for key, parts in brought.items()
        )

    def _write_list(self, key: str, first: int, parts: Sequence[Part], before: StoredObject | None) -> bool:
        held = before.body.decode().splitlines() if before else []
        kept = [line for line in held if (batch := batch_of(_key_of(line))) is not None and batch < first]
        lines = [*kept, *(self._place_of(part) for part in parts)]
        if lines == held:
            return True
        return self._folder.replace(key, "".join(f"{line}\n" for line in lines).encode(), _TEXT, before)

    def _place_of(self, part: Part) -> str:
        return f"s3://{self._bucket.name}/{part.key}"


def _key_of(line: str) -> str:
    """The key of s3://bucket/key."""
    return line.split("/", 3)[3]


def _parts(table: str, manifests: Sequence[StarManifest]) -> Mapping[str, Sequence[Part]]:
    found = [manifest.tables[table] for manifest in manifests if table in manifest.tables]
    return {
        STARS: [part for stars in found for part in stars.parts],
        DELETES: [part for stars in found for part in stars.deletes],
    }
