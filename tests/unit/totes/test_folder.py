"""What never changes is there or is written; what S3 cannot say just now is no answer."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tests.support.memory_store import MemoryStore
from totes.errors import LakeUnavailable
from totes.lake import Folder

KIND = "application/json"


def answering(code: str) -> Callable[..., None]:
    def put(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "PutObject")

    return put


@pytest.fixture
def folder() -> Folder:
    return Folder("dashboard", "data/", cast("Any", MemoryStore()))


def test_what_is_there_is_not_written_again(folder: Folder) -> None:
    assert folder.add("file", b"first", KIND)
    assert not folder.add("file", b"second", KIND)
    found = folder.find("file")
    assert found is not None
    assert found.body == b"first"


def test_a_file_that_somebody_is_still_writing_is_not_taken_to_be_there(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder._bucket.client, "put_object", answering("ConditionalRequestConflict"))
    with pytest.raises(LakeUnavailable, match="s3://dashboard/data/file"):
        folder.add("file", b"first", KIND)


def test_who_replaces_what_somebody_is_just_replacing_looks_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder._bucket.client, "put_object", answering("ConditionalRequestConflict"))
    assert not folder.replace("latest", b"second", KIND, None)
