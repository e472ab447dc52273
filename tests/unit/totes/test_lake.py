"""The lake's objects are written once, found at once, and known by their bytes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import polars as pl
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from urllib3.exceptions import SSLError

from tests.support.memory_store import MemoryStore
from totes.errors import ConfigurationError, LakeCorrupted, LakeUnavailable
from totes.lake import (
    Bucket,
    CapturedTable,
    CaptureManifest,
    Folder,
    Journal,
    KeyRanges,
    Part,
    SortedRun,
    SourceColumn,
    SourceIdentity,
    StarManifest,
    StarParts,
    read_part,
    write_part,
)
from totes.lake.folder import StoredObject

parts = st.lists(
    st.builds(
        Part,
        key=st.text(min_size=1),
        rows=st.integers(1),
        bytes=st.integers(1),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        lowest=st.none() | st.integers(),
        highest=st.none() | st.integers(),
    ),
    max_size=2,
).map(tuple)
moments = st.datetimes(timezones=st.just(UTC))
tables = st.builds(
    CapturedTable,
    columns=st.lists(st.builds(SourceColumn, name=st.text(), type=st.text()), max_size=2).map(tuple),
    held=st.integers(0),
    changes=parts,
    deletes=parts,
    context=parts,
    holdings=st.lists(st.builds(SortedRun, parts=parts, deleted=parts), max_size=2).map(tuple),
    ranges=st.none() | st.builds(KeyRanges, shift=st.integers(0, 53), first=st.integers(), counts=st.text()),
)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-2")
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        yield Bucket("lake", client)


@given(
    st.builds(
        CaptureManifest,
        batch=st.integers(1),
        parent=st.none() | st.text(),
        captured_at=moments,
        horizon=st.integers(0),
        source=st.builds(
            SourceIdentity,
            system_identifier=st.text(),
            timeline=st.integers(),
            database=st.integers(),
            started=st.text(),
        ),
        drift=st.lists(st.text(), max_size=2).map(tuple),
        tables=st.dictionaries(st.text(), tables, max_size=2),
    )
)
def test_a_capture_manifest_reads_back_as_it_was(manifest: CaptureManifest) -> None:
    assert CaptureManifest.from_json(manifest.to_json()) == manifest


@given(
    st.builds(
        StarManifest,
        batch=st.integers(1),
        capture=st.text(),
        parent=st.none() | st.text(),
        captured_at=moments,
        horizon=st.integers(0),
        drift=st.lists(st.text(), max_size=2).map(tuple),
        tables=st.dictionaries(
            st.text(),
            st.builds(StarParts, rows_in=st.integers(0), parts=parts, quarantine=parts, deletes=parts),
            max_size=2,
        ),
    )
)
def test_a_star_manifest_reads_back_as_it_was(manifest: StarManifest) -> None:
    assert StarManifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize("kind", [CaptureManifest, StarManifest])
def test_a_manifest_of_a_newer_totes_is_refused(kind: type[CaptureManifest | StarManifest]) -> None:
    with pytest.raises(ConfigurationError, match=r"batch 7 was written by a newer totes .* deploy that one"):
        kind.from_json(b'{"format": 3, "batch": 7}')


def test_the_newest_manifest_is_found_by_one_request_among_years_of_them(bucket: Bucket) -> None:
    journal = Journal(bucket)
    for number in (1, 2, 9, 10, 99, 100, 105_000):
        journal.commit(number, str(number).encode())
        assert journal.newest() == number
    assert journal.read(99) == b"99"


@pytest.mark.parametrize("key", ["manifests/", "manifests/0000000001-notes.json", "manifests/0-batch-1.json"])
def test_a_stranger_among_the_manifests_is_named(bucket: Bucket, key: str) -> None:
    bucket.put_new(key, b"")
    with pytest.raises(LakeCorrupted, match=key):
        Journal(bucket).newest()


def test_the_same_rows_are_the_same_object(bucket: Bucket) -> None:
    rows = pl.DataFrame({"id": [3, 1, 2], "text": ["a", None, ""]})
    first, second = (write_part(bucket, "place", rows, row_key="id") for _ in range(2))
    assert first == second
    assert (first.lowest, first.highest, first.rows) == (1, 3, 3)
    assert read_part(bucket, first).equals(rows)


def test_an_object_is_never_overwritten(bucket: Bucket) -> None:
    assert bucket.put_new("key", b"first")
    assert not bucket.put_new("key", b"second")
    assert bucket.get("key") == b"first"


class _WithEmptyPages(MemoryStore):
    """A store with pages of two keys, and before each an empty one that says that there are more."""

    def list_objects_v2(self, *, StartAfter: str = "", ContinuationToken: str = "", **asked: Any) -> dict[str, Any]:  # noqa: N803
        self.asked.append("list")
        assert len(self.asked) < 100, "the same page again and again"
        kind, _, before = (ContinuationToken or f"empty {StartAfter}").partition(" ")
        if kind == "empty":
            return {"IsTruncated": True, "NextContinuationToken": f"full {before}"}
        page = super().list_objects_v2(StartAfter=before, MaxKeys=2, **asked)
        if page["IsTruncated"]:
            page["NextContinuationToken"] = f"empty {page['NextContinuationToken']}"
        return page


def test_a_listing_goes_on_after_a_page_without_an_object() -> None:
    store = _WithEmptyPages()
    for number in range(7):
        store.put_object(Bucket="lake", Key=f"key-{number}", Body=b"")
    listed = store.bucket("lake").listed("key-", after="key-1")
    assert [each.key for each in listed] == [f"key-{number}" for number in range(2, 7)]


def test_a_listing_of_several_pages_has_each_object_once(bucket: Bucket) -> None:
    for number in range(1002):
        bucket.put_new(f"key-{number:04d}", b"")
    assert [each.key for each in bucket.listed("key-", after="key-0000")] == [f"key-{n:04d}" for n in range(1, 1002)]


def test_a_missing_object_is_named(bucket: Bucket) -> None:
    with pytest.raises(LakeCorrupted, match="s3://lake/nowhere"):
        bucket.get("nowhere")


def test_a_missing_bucket_is_a_matter_of_configuration(bucket: Bucket) -> None:
    with pytest.raises(ConfigurationError, match="s3://elsewhere/key"):
        Bucket("elsewhere", bucket.client).get("key")


class _BreaksOff(BaseHTTPRequestHandler):
    """Answers each request with a body, and closes the connection in the middle of the first few."""

    body = b"all of it"
    times = 0
    asked = 0

    def do_GET(self) -> None:
        kind = type(self)
        kind.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("ETag", '"tag"')
        self.end_headers()
        self.wfile.write(self.body[:4] if kind.asked <= kind.times else self.body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def breaking_off(times: int) -> Iterator[tuple[Bucket, type[_BreaksOff]]]:
    """A bucket of a store whose first answers break off, and what says how often it was asked."""
    answers = type("BreaksOff", (_BreaksOff,), {"times": times})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield (
            Bucket(
                "lake",
                boto3.client("s3", region_name="eu-west-2", endpoint_url=f"http://127.0.0.1:{server.server_port}"),
            ),
            answers,
        )
        server.shutdown()


@pytest.mark.parametrize("times", [1, 2])
def test_an_object_whose_body_breaks_off_is_asked_for_again(times: int) -> None:
    with breaking_off(times) as (bucket, answers):
        assert bucket.get("key") == answers.body
        assert answers.asked == times + 1


def test_what_may_be_replaced_is_asked_for_again_together_with_its_tag() -> None:
    with breaking_off(1) as (bucket, answers):
        assert Folder.within(bucket, "data/").find("latest") == StoredObject(body=answers.body, tag='"tag"')


def test_a_store_whose_every_body_breaks_off_is_asked_three_times_and_then_the_next_run_goes_on() -> None:
    with breaking_off(99) as (bucket, answers):
        with pytest.raises(LakeUnavailable, match="s3://lake/key cannot be read or written now"):
            bucket.get("key")
        assert answers.asked == 3


def test_a_connection_whose_encryption_breaks_while_a_body_is_read_is_tried_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def read(self) -> bytes:
            raise SSLError("decryption failed or bad record mac")

    monkeypatch.setattr(bucket.client, "get_object", lambda **_: {"Body": Broken()})
    with pytest.raises(LakeUnavailable, match="s3://lake/key cannot be read or written now: decryption failed"):
        bucket.get("key")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ClientError({"Error": {"Code": "SlowDown", "Message": "wait"}}, "PutObject"), LakeUnavailable),
        (ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": ""}}, "PutObject"), LakeUnavailable),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject"), ConfigurationError),
        (EndpointConnectionError(endpoint_url="http://s3"), LakeUnavailable),
    ],
)
def test_a_refusal_says_what_to_do(
    bucket: Bucket, failure: Exception, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise failure

    monkeypatch.setattr(bucket.client, "put_object", refuse)
    with pytest.raises(expected, match="s3://lake/key"):
        bucket.put_new("key", b"")
