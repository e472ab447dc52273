"""Objects that no manifest names, left by runs that were stopped or killed, found and deleted.

An object's key tells the batch of the run that wrote it. Only that batch's manifest can be the first to name it, for
later ones take over names from the one before. So once the batch is committed, what its manifest does not name will
never be named; and before, nothing can be said.

That is only so while each manifest is the one that its batch was committed with. Where manifests were lost by accident,
the capture commits other batches under their numbers, and what the lost ones name would be taken for orphans. So a
batch is swept once its star rows are there, and only if these were made of its manifest.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from totes.errors import LakeCorrupted
from totes.lake.bucket import Bucket
from totes.lake.editions import StarJournal
from totes.lake.journal import Journal
from totes.lake.layout import batch_of, written_prefixes
from totes.lake.manifests import CaptureManifest, StarManifest, digest

_SWEPT = "sweeps/"
_BATCHES_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep has done.

    Attributes:
        batch: up to which batch there are no orphans any more.
        last: up to which it would have gone, had its time sufficed.
        deleted: how many objects it has deleted.
    """

    batch: int
    last: int
    deleted: int


def sweep(
    ingestion: Bucket,
    processed: Bucket,
    *,
    written_before: datetime,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Swept:
    """Delete the orphans of the batches since the last sweep.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows; batches that it does not have yet are left alone.
        written_before: batches that were committed later, and objects that were written later, are left alone: a run
            that has lost its batch to another may still be writing.
        time_is_up: asked between some hundred batches; the next sweep goes on from there.

    Raises:
        LakeCorrupted: the star rows were made of other manifests than those that are there: nothing was deleted; see
            also `totes.lake`.
        LakeUnavailable, ConfigurationError: see `totes.lake`.
    """
    journal, stars, swept = Journal(ingestion), StarJournal(processed), Journal(ingestion, _SWEPT)
    done, deleted = swept.newest(), 0
    committed = next((number for number, written in journal.committed() if written <= written_before), 0)
    last = min(committed, stars.newest())
    while done < last and not time_is_up():
        up_to = min(done + _BATCHES_AT_ONCE, last)
        manifests = _manifests(journal, stars, done + 1, up_to)
        for key in [*_orphans(ingestion, manifests, done + 1, up_to, written_before)]:
            ingestion.delete(key)
            deleted += 1
        swept.commit(up_to, json.dumps({"batch": up_to}).encode())
        done = up_to
    return Swept(batch=done, last=max(done, last), deleted=deleted)


def _manifests(journal: Journal, stars: StarJournal, first: int, up_to: int) -> Iterator[CaptureManifest]:
    """Yield the manifests of some batches, the newest first, each checked to be the one that the next one follows.

    Raises:
        LakeCorrupted: one is another than the star rows of its batch, or the batch behind it, were made of.
    """
    expected: str | None = StarManifest.from_json(stars.read(up_to)).capture
    for batch in range(up_to, first - 1, -1):
        body = journal.read(batch)
        if digest(body) != expected:
            raise LakeCorrupted(
                f"{journal.place(batch)} is another manifest than s3://{stars.bucket.name} was made of: nothing is "
                "swept until the manifests are restored (docs/disasters.md: a bucket was put back alone)"
            )
        manifest = CaptureManifest.from_json(body)
        expected = manifest.parent
        yield manifest


def _orphans(
    ingestion: Bucket, manifests: Iterable[CaptureManifest], first: int, up_to: int, written_before: datetime
) -> Iterator[str]:
    named: set[str] = set()
    tables: set[str] = set()
    for manifest in manifests:
        named |= manifest.objects()
        tables |= set(manifest.tables)
    for prefix in written_prefixes(tables):
        found = ingestion.listed(prefix, after=f"{prefix}{first:010d}")
        for listed in takewhile(lambda listed: (batch_of(listed.key) or 0) <= up_to, found):
            if batch_of(listed.key) is not None and listed.key not in named and listed.written <= written_before:
                yield listed.key
