"""Whether the lake still is what its manifests say: a seventh of it a night, so that a week sees all.

What is lost in the lake would be missed only by a rebuild. So an audit looks at each manifest, whether it is there and
the one that the next names; at each object that a manifest names, whether it is listed with its size and can be read;
and whether the bytes are those that were written: of a sample, and of each that was written again within the week. What
no manifest names is no finding: the sweep deletes it.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, takewhile
from typing import Any

from totes.errors import LakeCorrupted
from totes.lake.bucket import Bucket, Listed
from totes.lake.editions import StarJournal
from totes.lake.journal import Journal
from totes.lake.layout import BATCHES, batch_of, written_prefixes
from totes.lake.manifests import CaptureManifest, StarManifest, digest
from totes.lake.parts import Part, fetch_part

NIGHTS = 7
_STRETCH = 500
_GOLDEN = 0.6180339887498949
"""A circle that is walked in steps of this part of it is covered evenly at any time: no gap is twice the average one
(https://en.wikipedia.org/wiki/Three-gap_theorem)."""

_LOOKED_AT_AT_ONCE = 250
"""Batches of a stretch that are looked at before the time is asked for: in a copied lake each object of theirs is read,
and S3 takes a tenth of a second to answer."""

_READERS = 8
_MANIFESTS_AT_ONCE = 50
_PARTS_AT_ONCE = 4
_MOST_TOLD = 100
_MOST_SAMPLED_BYTES = 500 * 1024**2
_RESTORE = "restore it from the bucket's versions"
_WRITTEN_WITHIN = timedelta(days=1)
"""A batch's objects are written after it was captured, and long before this is over."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What a night's audit came to.

    Attributes:
        batches: how many batches it has looked at.
        of: how many it meant to.
        objects: how many objects it has found with their size.
        sampled: of how many of them it has compared the bytes.
        findings: what is wrong, a sentence each, which names the object.
    """

    batches: int
    of: int
    objects: int
    sampled: int
    findings: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the time sufficed for all of it."""
        return self.batches == self.of

    def to_dict(self) -> dict[str, Any]:
        """What a function answers and logs: of very many findings only the first."""
        return {**asdict(self), "findings": list(self.findings[:_MOST_TOLD]), "found": len(self.findings)}


def audit(
    ingestion: Bucket, processed: Bucket, *, day: int, every: int = 50, time_is_up: Callable[[], bool] = lambda: False
) -> Audited:
    """Audit what this night's turn is of the lake; nothing is changed.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        day: the day's number, by which nights take turns and samples differ.
        every: one in how many objects has its bytes compared.
        time_is_up: asked after each 250 batches; what is left then is not looked at.

    Raises:
        LakeUnavailable: the store did not answer.
        ConfigurationError: a bucket may not be read, or a newer totes has written what is in it.
    """
    return _Audit(ingestion, processed, day, every).audit(time_is_up)


class _Audit:
    def __init__(self, ingestion: Bucket, processed: Bucket, day: int, every: int) -> None:
        self._day = day
        self._every = every
        self._captured = Journal(ingestion)
        self._findings: list[str] = []
        self._objects = self._sampled = self._bytes = 0
        self._stars: StarJournal | None = None
        try:
            self._stars = StarJournal(processed)
        except LakeCorrupted as error:
            self._findings.append(str(error))
        except (ValueError, TypeError) as error:
            self._findings.append(f"s3://{processed.name}/editions/ cannot be read: {error}; {_RESTORE}")

    def audit(self, time_is_up: Callable[[], bool]) -> Audited:
        newest = self._captured.newest()
        stretches = [
            range(first, min(first + _STRETCH, newest + 1))
            for number, first in enumerate(range(1, newest + 1, _STRETCH))
            if number % NIGHTS == self._day % NIGHTS
        ]
        # If there is never time for all, each week begins far from where the weeks before it began, so that all is seen
        # in at most twice as many weeks as it takes. It is a part of the lake, and no number, because the lake grows.
        begin = int(self._day // NIGHTS * _GOLDEN % 1 * len(stretches))
        stretches = stretches[begin:] + stretches[:begin]
        batches = 0
        for few in chain.from_iterable(map(_few_at_once, stretches)):
            if time_is_up():
                break
            self._look_at(few)
            batches += len(few)
        return Audited(
            batches=batches,
            of=sum(map(len, stretches)),
            objects=self._objects,
            sampled=self._sampled,
            findings=tuple(dict.fromkeys(self._findings)),  # two looks read the manifest between them
        )

    def _look_at(self, batches: range) -> None:
        """Look at what the manifests of some batches were the first to name."""
        before = range(max(batches.start - 1, 1), batches.stop)  # the first one says what the manifest before it is
        digests: dict[int, str] = {}
        named: dict[Part, datetime] = {}
        tables: set[str] = set()
        for manifest in self._captures(before, digests):
            tables.update(manifest.tables)
            if manifest.batch in batches:
                _add_named(named, manifest)
        self._compare(self._captured.bucket, named, batches, written_prefixes(tables))
        if self._stars is not None:
            stars = range(batches.start, min(batches.stop, self._stars.newest() + 1))
            named = {}
            for stars_of_one in self._star_manifests(stars, self._stars.read, digests):
                _add_named(named, stars_of_one)
            self._compare(self._stars.bucket, named, batches, [BATCHES])

    def _bodies(self, batches: range, read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
        """The manifests that can be read, as they were written.

        A few at a time, and of those each is an object by itself: in a large lake each names thousands of parts.
        """

        def body(batch: int) -> bytes | None:
            try:
                return read(batch)
            except LakeCorrupted as error:
                self._findings.append(str(error))
                return None

        with ThreadPoolExecutor(_READERS) as readers:
            for first in range(batches.start, batches.stop, _MANIFESTS_AT_ONCE):
                few = range(first, min(first + _MANIFESTS_AT_ONCE, batches.stop))
                for batch, found in zip(few, list(readers.map(body, few)), strict=True):
                    if found is not None:
                        yield batch, found

    def _captures(self, batches: range, digests: dict[int, str]) -> Iterator[CaptureManifest]:
        """The captures' manifests; `digests` has the digest of each of them afterwards."""
        for batch, body in self._bodies(batches, self._captured.read):
            digests[batch] = digest(body)
            place = self._captured.place(batch)
            try:
                manifest = CaptureManifest.from_json(body)
            except (ValueError, LookupError, TypeError) as error:
                self._findings.append(f"{place} cannot be read as a manifest: {error!r}; {_RESTORE}")
                continue
            if digests.get(batch - 1, manifest.parent) != manifest.parent:
                self._findings.append(
                    f"{self._captured.place(batch - 1)} is not the manifest that {place} names; {_RESTORE}"
                )
            yield manifest

    def _star_manifests(
        self, batches: range, read: Callable[[int], bytes], digests: Mapping[int, str]
    ) -> Iterator[StarManifest]:
        for batch, body in self._bodies(batches, read):
            try:
                yield (manifest := StarManifest.from_json(body))
            except (ValueError, LookupError, TypeError) as error:
                self._findings.append(f"the star manifest of batch {batch} cannot be read: {error!r}; {_RESTORE}")
                continue
            if digests.get(batch, manifest.capture) != manifest.capture:
                self._findings.append(
                    f"{self._captured.place(batch)} is not the manifest that the star manifest of batch {batch} names; "
                    f"{_RESTORE}"
                )

    def _compare(self, bucket: Bucket, named: Mapping[Part, datetime], batches: range, prefixes: Sequence[str]) -> None:
        """Compare the parts that were written for some batches with what the bucket lists."""
        parts = {part.key: (part, captured) for part, captured in named.items() if batch_of(part.key) in batches}
        sample: list[Part] = []
        for prefix in prefixes:
            listed = bucket.listed(prefix, after=f"{prefix}{batches.start:010d}")
            for each in takewhile(lambda each: (batch_of(each.key) or 0) < batches.stop, listed):
                named_here = parts.pop(each.key, None)
                if named_here is None:
                    continue
                part, captured = named_here
                if each.archived:
                    self._findings.append(
                        f"s3://{bucket.name}/{each.key} was archived, as by a lifecycle rule; restore the object"
                    )
                    continue
                if each.size != part.bytes:
                    self._findings.append(
                        f"s3://{bucket.name}/{each.key} has {each.size} bytes of {part.bytes}; {_RESTORE}"
                    )
                    continue
                self._objects += 1
                if self._is_in_sample(part) or self._is_written_again(each, captured):
                    sample.append(part)
        self._fetch(bucket, sample)
        self._findings += [f"s3://{bucket.name}/{key} is missing; {_RESTORE}" for key in sorted(parts)]

    def _is_in_sample(self, part: Part) -> bool:
        return zlib.crc32(f"{self._day} {part.key}".encode()) % self._every == 0

    def _is_written_again(self, found: Listed, captured: datetime) -> bool:
        """Whether it was written since its turn of last week, and too late to be what the batch's run wrote.

        A replay may have written it; in a copied lake that holds for every object, once.
        """
        return found.written > captured + _WRITTEN_WITHIN and self._day - found.written.toordinal() <= NIGHTS + 1

    def _fetch(self, bucket: Bucket, sample: Sequence[Part]) -> None:
        """Compare the bytes of parts with what was written, up to as many as a night compares."""
        parts = []
        for part in sample:
            if self._bytes > _MOST_SAMPLED_BYTES:
                break
            parts.append(part)
            self._bytes += part.bytes
        self._sampled += len(parts)
        with ThreadPoolExecutor(_PARTS_AT_ONCE) as readers:
            self._findings += filter(None, readers.map(partial(_what_is_wrong, bucket), parts))


def _few_at_once(stretch: range) -> Iterator[range]:
    """A stretch of batches in ranges of a few."""
    for first in range(stretch.start, stretch.stop, _LOOKED_AT_AT_ONCE):
        yield range(first, min(first + _LOOKED_AT_AT_ONCE, stretch.stop))


def _what_is_wrong(bucket: Bucket, part: Part) -> str | None:
    """What is wrong with the bytes of a part; None where they are what was written."""
    try:
        fetch_part(bucket, part)
    except LakeCorrupted as error:
        return str(error)
    return None


def _add_named(named: dict[Part, datetime], manifest: CaptureManifest | StarManifest) -> None:
    """Add the parts that a manifest is the first to name, and when its batch was captured."""
    for part in manifest.parts():
        named.setdefault(part, manifest.captured_at)
