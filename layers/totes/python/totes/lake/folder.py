"""A folder of a bucket: almost everything is written once, and the rest in the place of what was found there."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from totes.lake.bucket import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = {"NoSuchKey", "404"}
_THERE = {"PreconditionFailed"}
_OVERTAKEN = {"ConditionalRequestConflict", *_THERE, *_ABSENT}
"""What S3 says where somebody else has been, or is just being, at an object.

Only who replaces it is overtaken by one who is still writing: that one may fail, and then there is no object
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""


class Keep(Enum):
    """How long whoever has read an object may keep it, in the words of HTTP."""

    FOREVER = "public, max-age=31536000, immutable"
    OWN = "private, max-age=31536000, immutable"
    """For ever too, and only in a browser of the reader's: no cache that people share keeps what a sign-in is for."""
    NEVER = "no-cache"


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object: its bytes, and the tag that tells this content of it from another."""

    body: bytes
    tag: str


class Folder:
    """A folder of a bucket, over an S3 client; keys are within the folder."""

    def __init__(self, bucket: str, prefix: str, client: "S3Client | None" = None) -> None:
        self._bucket = Bucket(bucket, client)
        self._prefix = prefix

    @classmethod
    def within(cls, bucket: Bucket, prefix: str) -> Self:
        """Return a folder of a bucket, over the same client."""
        return cls(bucket.name, prefix, bucket.client)

    def find(self, key: str) -> StoredObject | None:
        """Return an object; None where there is none.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be read.
        """
        place = self._prefix + key
        with self._bucket.translated_errors(place):
            try:
                found, body = self._bucket.fetched(place)
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
            return StoredObject(body=body, tag=found["ETag"])

    def add(self, key: str, body: bytes, kind: str) -> bool:
        """Write an object that never changes, unless it is there; return whether it was not.

        Args:
            key: the object.
            body: its content.
            kind: its media type.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be written.
        """
        put = self._put_of(key, body, kind, Keep.OWN)
        return self._put(key, lambda: put(IfNoneMatch="*"), unless=_THERE)

    def replace(self, key: str, body: bytes, kind: str, before: StoredObject | None) -> bool:
        """Write an object in the place of what was found there; return whether it still was that.

        Args:
            key: the object.
            body: its content.
            kind: its media type.
            before: what was found; None: nothing.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be written.
        """
        put = self._put_of(key, body, kind, Keep.NEVER)
        return self._put(key, lambda: put(IfMatch=before.tag) if before else put(IfNoneMatch="*"), unless=_OVERTAKEN)

    def write(self, key: str, body: bytes, kind: str, keep: Keep) -> None:
        """Write an object, whatever is there.

        Args:
            key: the object.
            body: its content.
            kind: its media type.
            keep: how long who has read it may keep it.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be written.
        """
        self._put(key, self._put_of(key, body, kind, keep), unless=())

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, ascending.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be listed.
        """
        return [found.key.removeprefix(self._prefix) for found in self._bucket.listed(self._prefix + prefix)]

    def _put_of(self, key: str, body: bytes, kind: str, keep: Keep) -> Callable[..., object]:
        """What writes an object, but for the condition on which it does."""
        return partial(
            self._bucket.client.put_object,
            Bucket=self._bucket.name,
            Key=self._prefix + key,
            Body=body,
            ContentType=kind,
            CacheControl=keep.value,
        )

    def _put(self, key: str, put: Callable[[], object], *, unless: Collection[str]) -> bool:
        """Write an object; return whether none of the answers came that say why it was not."""
        with self._bucket.translated_errors(self._prefix + key):
            try:
                put()
            except ClientError as error:
                if error.response["Error"]["Code"] in unless:
                    return False
                raise
            return True
