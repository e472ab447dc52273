"""Lists of the parts that the star manifests name, in the form in which Athena takes a table's files from a list.

A folder's listing would show Athena also what no manifest names: what a run that was killed has written, another
edition, a draft. So each star table has a folder of lists, an object for each few hundred batches, a part a line, and
Athena reads the parts that stand there. Others call such a list a symlink manifest. Lists are the only objects of the
processed bucket that are written again, each by one put.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from totes.lake import Bucket, Folder, Part, StarJournal, StarManifest
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
class Listed:
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
) -> Listed | None:
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


class _Lists:
    def __init__(self, bucket: Bucket, tables: Sequence[str]) -> None:
        self._bucket = bucket
        self._tables = tables
        self._folder = Folder.within(bucket, f"{FOLDER}/")
        self._journal = StarJournal(bucket)

    def write(self, time_is_up: Callable[[], bool]) -> Listed | None:
        newest = self._journal.newest()
        found, listed = self._said()
        while listed.batch < newest:
            last = min(newest, (listed.batch // SPAN + 1) * SPAN)
            if not self._write_span(listed.batch + 1, last):
                return None
            listed = replace(listed, batch=last)
            if not self._folder.replace(_LISTED, json.dumps(asdict(listed)).encode(), _JSON, found):
                return None
            if time_is_up():
                break
            found, _ = self._said()
        return listed

    def _said(self) -> tuple[StoredObject | None, Listed]:
        """What the lists say that they have, of the newest edition and this bucket."""
        found = self._folder.find(_LISTED)
        listed = Listed(**json.loads(found.body)) if found else None
        nothing = Listed(edition=self._journal.edition, batch=0, bucket=self._bucket.name)
        if listed is None or replace(listed, batch=0) != nothing:
            return found, nothing
        return found, listed

    def _write_span(self, first: int, last: int) -> bool:
        """Bring batches that share a list into the lists; return whether nobody else has meanwhile."""
        with ThreadPoolExecutor(_READERS) as readers:
            manifests = [
                StarManifest.from_json(body) for body in readers.map(self._journal.read, range(first, last + 1))
            ]
        start = (first - 1) // SPAN * SPAN + 1
        return all(
            self._write_list(f"{table}/{kind}/{start:010d}", first, parts)
            for table in self._tables
            for kind, parts in _parts(table, manifests).items()
            if parts or first == start  # else the list is as it was
        )

    def _write_list(self, key: str, first: int, parts: Sequence[Part]) -> bool:
        before = self._folder.find(key)
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
