"""Objects that no manifest names, left by runs that were stopped or killed, found and deleted.

An object's key tells the batch of the run that wrote it. Only that batch's manifest can be the first to name it, for
later ones take over names from the one before. So once the batch is committed, what its manifest does not name will
never be named; and before, nothing can be said.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from totes.lake.bucket import Bucket
from totes.lake.journal import Journal
from totes.lake.layout import batch_of, written_prefixes
from totes.lake.manifests import CaptureManifest

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


def sweep(ingestion: Bucket, *, written_before: datetime, time_is_up: Callable[[], bool] = lambda: False) -> Swept:
    """Delete the orphans of the batches since the last sweep.

    Args:
        ingestion: the bucket of captured batches.
        written_before: batches that were committed later, and objects that were written later, are left alone: a run
            that has lost its batch to another may still be writing.
        time_is_up: asked between some hundred batches; the next sweep goes on from there.

    Raises:
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    journal, swept = Journal(ingestion), Journal(ingestion, _SWEPT)
    done, deleted = swept.newest(), 0
    last = next((number for number, written in journal.committed() if written <= written_before), 0)
    while done < last and not time_is_up():
        up_to = min(done + _BATCHES_AT_ONCE, last)
        for key in [*_orphans(ingestion, journal, done + 1, up_to, written_before)]:
            ingestion.delete(key)
            deleted += 1
        swept.commit(up_to, json.dumps({"batch": up_to}).encode())
        done = up_to
    return Swept(batch=done, last=max(done, last), deleted=deleted)


def _orphans(ingestion: Bucket, journal: Journal, first: int, up_to: int, written_before: datetime) -> Iterator[str]:
    named: set[str] = set()
    tables: set[str] = set()
    for batch in range(first, up_to + 1):
        manifest = CaptureManifest.from_json(journal.read(batch))
        named |= manifest.objects()
        tables |= set(manifest.tables)
    for prefix in written_prefixes(tables):
        found = ingestion.listed(prefix, after=f"{prefix}{first:010d}")
        for listed in takewhile(lambda listed: (batch_of(listed.key) or 0) <= up_to, found):
            if batch_of(listed.key) is not None and listed.key not in named and listed.written <= written_before:
                yield listed.key
