"""One bucket of the lake: objects are written once, read whole, never rewritten."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from totes import clients
from totes.errors import ConfigurationError, LakeCorrupted, LakeUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

logger = logging.getLogger(__name__)

_READS = 3
_MISSING = {"NoSuchKey", "404"}
_REFUSED = {
    "AccessDenied",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "KMS.DisabledException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "NoSuchBucket",
    "PermanentRedirect",
    "SignatureDoesNotMatch",
}
"""What no later try would cure: rights, keys, or another region."""

_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
"""Storage classes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html)."""


class _Place(TypedDict, total=False):
    """Where a page of a listing begins, in S3's words."""

    StartAfter: str
    ContinuationToken: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An object as the bucket lists it.

    Attributes:
        key: the object.
        size: its bytes.
        written: when it was written, by the store's clock.
        archived: whether it lies where it cannot be read before somebody has restored it, which may take hours.
    """

    key: str
    size: int
    written: datetime
    archived: bool = False


class Bucket:
    """A bucket by name, over an S3 client; the process's own by default.

    Attributes:
        name: the bucket's name.
        client: the client.
    """

    def __init__(self, name: str, client: "S3Client | None" = None) -> None:
        self.name = name
        self.client = client or clients.s3()

    def put_new(self, key: str, body: bytes) -> bool:
        """Write an object unless one of that key exists; return whether this call's bytes were written.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be written.
        """
        with self.translated_errors(key):
            try:
                self.client.put_object(Bucket=self.name, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if error.response["Error"]["Code"] == "PreconditionFailed":
                    return False
                raise
            return True

    def get(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            LakeCorrupted: there is no such object.
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be read.
        """
        with self.translated_errors(key):
            return self.fetched(key)[1]

    def fetched(self, key: str) -> tuple["GetObjectOutputTypeDef", bytes]:
        """Return what the store says of an object, and its bytes, as the client gives them.

        The client tries a request again, but no body that breaks off: such an object is asked for again, up to three
        times in all.

        Raises:
            ClientError, BotoCoreError, HTTPError: see `translated_errors`.
        """
        for _ in range(_READS - 1):
            found = self.client.get_object(Bucket=self.name, Key=key)
            try:
                return found, found["Body"].read()
            except (BotoCoreError, HTTPError) as error:
                logger.info("s3://%s/%s broke off, and is read again: %s", self.name, key, error)
        found = self.client.get_object(Bucket=self.name, Key=key)
        return found, found["Body"].read()

    def first_key(self, prefix: str) -> str | None:
        """Return the first key under a prefix in the listing's (ascending) order, by one request.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be listed.
        """
        return next(iter(self.first_keys(prefix, 1)), None)

    def first_keys(self, prefix: str, most: int) -> list[str]:
        """Return the first keys under a prefix, at most so many (1 to 1,000); see `first_key`."""
        with self.translated_errors(prefix):
            listed = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=most).get("Contents", [])
            return [found["Key"] for found in listed]

    def listed(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """Yield the objects under a prefix whose keys come after one, ascending, a thousand a request.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing or may not be listed.
        """
        place: _Place = {"StartAfter": after}
        while place:
            with self.translated_errors(prefix):
                page = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, **place)
            for each in page.get("Contents", []):
                yield Listed(
                    key=each["Key"],
                    size=each["Size"],
                    written=each["LastModified"],
                    archived=each.get("StorageClass") in _ARCHIVES,
                )
            # A page may have no object, and say that there are more: only the store knows where the next one begins.
            place = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else {}

    def delete(self, key: str) -> None:
        """Delete an object; the bucket keeps its last version for a while.

        Raises:
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing, or its objects may not be deleted.
        """
        with self.translated_errors(key):
            self.client.delete_object(Bucket=self.name, Key=key)

    @contextmanager
    def translated_errors(self, key: str) -> Iterator[None]:
        """Turn what the client raises about an object, or a prefix, into an error named by what to do.

        Raises:
            LakeCorrupted: the object is missing, or archived.
            LakeUnavailable: the store did not answer or refused for the moment.
            ConfigurationError: the bucket is missing, or the role may not do this.
        """
        place = f"s3://{self.name}/{key}"
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                raise LakeCorrupted(f"{place} is missing; restore the object from the bucket's versions") from error
            if code == "InvalidObjectState":
                raise LakeCorrupted(f"{place} was archived, as by a lifecycle rule; restore the object") from error
            if code in _REFUSED:
                raise ConfigurationError(
                    f"{place} is refused: {error}; is the bucket there, and may the role use it? (cdk deploy)"
                ) from error
            raise LakeUnavailable(f"{place} cannot be read or written now: {error}") from error
        # While a body is read, what breaks a connection's encryption comes as urllib3's own error
        # (https://github.com/boto/botocore/blob/develop/botocore/response.py translates the others).
        except (BotoCoreError, HTTPError) as error:
            raise LakeUnavailable(f"{place} cannot be read or written now: {error}") from error
