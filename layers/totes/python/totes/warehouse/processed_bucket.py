"""The processed bucket as a loader sees it."""

from functools import cached_property

from totes.errors import ConfigurationError, LakeCorrupted
from totes.lake import Bucket, StarJournal, StarManifest
from totes.warehouse.ledger import Content, Entry


class ProcessedBucket:
    """The processed bucket as it stands while a loader has the lock."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self._journal = StarJournal(bucket)
        self.newest = self._journal.newest()

    @property
    def edition(self) -> int:
        """The number of the newest edition."""
        return self._journal.edition

    @cached_property
    def edition_digest(self) -> str | None:
        """What tells the newest edition from another one of its number; None: it is the first, or not known."""
        return self._journal.edition_digest()

    def is_edition_of(self, content: Content) -> bool:
        """Return whether a warehouse's content is of the newest edition.

        Where one of the digests is not known, the number tells: an earlier totes has filled the warehouse.
        """
        if content.edition != self.edition:
            return False
        known = content.edition_digest
        return known is None or self.edition_digest in (None, known)

    def is_replayed(self, code: str | None) -> bool:
        """Return whether some code makes an edition, which is to be loaded once it is published; None: any code."""
        draft = self._journal.unfinished()
        return draft is not None and code in (None, draft.code)

    def made_by(self) -> str | None:
        """Return the fingerprint of the code that made the newest edition; None: it is the first, or not known."""
        return self._journal.made_by()

    def has(self, entry: Entry) -> bool:
        """Return whether the batch of a ledger's entry is the one that the bucket has under its number."""
        return self.read(entry.batch).capture == entry.capture

    def manifest(self, batch: int, *, after: Entry | None) -> StarManifest:
        """Return the manifest of a batch that follows a ledger's newest; see `must_follow`.

        Raises:
            LakeCorrupted: it does not follow it.
        """
        manifest = self.read(batch)
        self.must_follow(manifest, after)
        return manifest

    def must_follow(self, manifest: StarManifest, entry: Entry | None) -> None:
        """Check that a batch follows a ledger's entry, which the bucket has too.

        Raises:
            LakeCorrupted: it does not: it came while another batch was in the place of the entry's.
        """
        if entry is not None and manifest.parent != entry.capture:
            raise LakeCorrupted(
                f"batch {manifest.batch} of s3://{self.bucket.name} follows another batch {entry.batch} than the one "
                f"that is there and that the warehouse holds: delete the manifests after {entry.batch} in both buckets "
                "(docs/disasters.md: both buckets were put back)"
            )

    def entry(self, manifest: StarManifest) -> Entry:
        """Return a batch as the ledger has it."""
        return Entry(batch=manifest.batch, edition=self.edition, capture=manifest.capture)

    def read(self, batch: int) -> StarManifest:
        """Return the manifest of a batch, in the newest edition that covers it."""
        return StarManifest.from_json(self._journal.read(batch))

    def another(self, entry: Entry) -> ConfigurationError:
        """Return the error to raise where the batch of a ledger's entry is not the bucket's."""
        return ConfigurationError(
            f"the warehouse was filled from another lake: its ledger's batch {entry.batch} is not the one of "
            f"s3://{self.bucket.name}; name the warehouse of this lake, or an empty database"
        )
