"""Whether the two buckets tell of the same batches.

One of the buckets can be put back without the other: its newest manifests are deleted, or it is an older copy. The
capture then gives the same numbers to other batches. Nobody would transform these, because batches of those numbers
are transformed already.
"""

from totes.errors import LakeCorrupted
from totes.lake import Journal, StarJournal, StarManifest
from totes.lake.manifests import digest

_REMEDY = "nothing is transformed until its manifests are restored (docs/disasters.md: a bucket was put back alone)"


class LineageCheck:
    """Compares each batch with the one before it, whose star rows are in the processed bucket.

    Args:
        captured: the ingestion bucket's manifests.
        stars: the processed bucket's.
        done: the newest batch of the processed bucket; 0: none.
        newest: the newest batch of the ingestion bucket; 0: none.

    Raises:
        LakeCorrupted: the ingestion bucket does not have the batches that the processed bucket was made of.
    """

    def __init__(self, captured: Journal, stars: StarJournal, *, done: int, newest: int) -> None:
        self._captured = captured
        self._stars = stars
        if newest < done:
            raise LakeCorrupted(
                f"s3://{captured.bucket.name} ends with batch {newest}, and s3://{stars.bucket.name} was made of "
                f"batches up to {done}: the newest manifests are gone; {_REMEDY}"
            )
        self._last = StarManifest.from_json(stars.read(done)).capture if done else None
        if done == newest and done and digest(captured.read(done)) != self._last:
            raise self._another(done, f"{captured.place(done)} is another manifest")

    def must_follow(self, manifest: StarManifest) -> None:
        """See that a batch follows the one before it, and remember it as that for the next.

        Raises:
            LakeCorrupted: it follows another manifest than the one whose star rows are there.
        """
        if self._last is not None and manifest.parent != self._last:
            raise self._another(manifest.batch - 1, f"{self._captured.place(manifest.batch)} follows another manifest")
        self._last = manifest.capture

    def _another(self, batch: int, what: str) -> LakeCorrupted:
        return LakeCorrupted(f"{what} than s3://{self._stars.bucket.name} was made of for batch {batch}; {_REMEDY}")
