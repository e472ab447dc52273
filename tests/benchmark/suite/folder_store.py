"""The lake as a folder: as much of S3 as a bucket of the lake asks for, between processes, at the speed of the disk."""

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError

from totes.lake import Bucket


class FolderStore:
    """Objects as files, a folder for each bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bucket(self, name: str) -> Bucket:
        """A bucket of the lake, kept here."""
        (self._folder / name).mkdir(parents=True, exist_ok=True)
        return Bucket(name, cast("Any", self))

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str = "") -> None:  # noqa: N803
        """Write an object; with IfNoneMatch, only where there is none."""
        file = self._folder / Bucket / Key
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("xb" if IfNoneMatch else "wb") as made:
                made.write(Body)
        except FileExistsError:
            raise _error("PreconditionFailed", "PutObject") from None

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, io.BytesIO]:  # noqa: N803
        """Read an object."""
        try:
            return {"Body": io.BytesIO((self._folder / Bucket / Key).read_bytes())}
        except FileNotFoundError:
            raise _error("NoSuchKey", "GetObject") from None

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        StartAfter: str = "",  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
        MaxKeys: int = 1000,  # noqa: N803
    ) -> dict[str, Any]:
        """List a page of objects."""
        root = self._folder / Bucket
        keys = sorted(key for key in _keys_below(root, Prefix) if key > (ContinuationToken or StartAfter))
        page = keys[:MaxKeys]
        more = {"NextContinuationToken": page[-1]} if len(keys) > len(page) else {}
        return {"Contents": [_listed(root, key) for key in page], "IsTruncated": bool(more), **more}


def _keys_below(root: Path, prefix: str) -> Iterator[str]:
    """Keys under a prefix; only folders that can have such are walked."""
    cut = len(f"{root}/")
    for folder, _, files in os.walk(root / prefix.rpartition("/")[0]):
        for name in files:
            key = f"{folder}/{name}"[cut:]
            if key.startswith(prefix):
                yield key


def _listed(root: Path, key: str) -> dict[str, Any]:
    found = (root / key).stat()
    return {"Key": key, "Size": found.st_size, "LastModified": datetime.fromtimestamp(found.st_mtime, UTC)}


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)
