"""The store that tests keep a lake in answers as S3 does."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support.memory_store import MemoryStore

KEYS = ("a/1", "a/2", "a/3", "a/4", "b/1", "b/10", "b/2")


@pytest.fixture(params=["S3", "in memory"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a bucket named "lake": moto's, and the store in memory."""
    if request.param == "in memory":
        yield MemoryStore()
        return
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-2")
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        yield client


def read(client: Any, key: str) -> bytes:
    body: bytes = client.get_object(Bucket="lake", Key=key)["Body"].read()
    return body


def test_what_was_put_last_is_read(client: Any) -> None:
    client.put_object(Bucket="lake", Key="a", Body=b"first")
    client.put_object(Bucket="lake", Key="a", Body=b"second")
    assert read(client, "a") == b"second"


def test_a_conditional_put_writes_what_is_new_and_nothing_else(client: Any) -> None:
    client.put_object(Bucket="lake", Key="a", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket="lake", Key="a", Body=b"second", IfNoneMatch="*")
    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    assert read(client, "a") == b"first"
    client.delete_object(Bucket="lake", Key="a")
    client.put_object(Bucket="lake", Key="a", Body=b"third", IfNoneMatch="*")
    assert read(client, "a") == b"third"


def test_what_is_deleted_or_never_was_is_missing(client: Any) -> None:
    client.put_object(Bucket="lake", Key="a", Body=b"")
    client.delete_object(Bucket="lake", Key="a")
    client.delete_object(Bucket="lake", Key="never")
    for key in ("a", "never"):
        with pytest.raises(ClientError) as refused:
            read(client, key)
        assert refused.value.response["Error"]["Code"] == "NoSuchKey"


@pytest.fixture(scope="module")
def listed() -> Iterator[tuple[Any, Any]]:
    """Two clients whose buckets hold the same keys: moto's, and the store in memory."""
    with mock_aws():
        clients: tuple[Any, Any] = boto3.client("s3", region_name="eu-west-2"), MemoryStore()
        clients[0].create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        for client in clients:
            for key in KEYS:
                client.put_object(Bucket="lake", Key=key, Body=b"")
        yield clients


@pytest.mark.parametrize("most", [1, 2, 3, 7])
@pytest.mark.parametrize("after", ["", "a/2", "a/9", "b/10", "z"])
@pytest.mark.parametrize("prefix", ["", "a/", "b/", "b/1", "c"])
def test_a_listing_is_in_order_begins_after_a_key_and_says_whether_there_is_more(
    listed: tuple[Any, Any], prefix: str, after: str, most: int
) -> None:
    pages = [client.list_objects_v2(Bucket="lake", Prefix=prefix, StartAfter=after, MaxKeys=most) for client in listed]
    keys = [[found["Key"] for found in page.get("Contents", [])] for page in pages]
    assert keys[0] == keys[1]
    assert pages[0]["IsTruncated"] == pages[1]["IsTruncated"]


@pytest.mark.parametrize("prefix", ["", "a/", "b/1"])
def test_a_listing_of_several_pages_has_each_key_once(listed: tuple[Any, Any], prefix: str) -> None:
    found: list[list[str]] = []
    for client in listed:
        place: dict[str, str] = {"StartAfter": "a/2"}
        found.append([])
        while place:
            page = client.list_objects_v2(Bucket="lake", Prefix=prefix, MaxKeys=2, **place)
            found[-1] += [each["Key"] for each in page.get("Contents", [])]
            place = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else {}
    assert found[0] == found[1] == sorted(key for key in KEYS if key.startswith(prefix) and key > "a/2")
