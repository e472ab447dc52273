"""A totes that is put back reads what a newer one has written, by what it knows, unless that says that it may not."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from tests.unit.totes.test_moments import snapshot
from totes.athena import ListProgress, write_lists
from totes.capture.pieces.plan import Plan, PlannedPiece, ReadPiece
from totes.dashboard_snapshot.manifest import Manifest, PartFile
from totes.errors import ConfigurationError
from totes.lake import CaptureManifest, Journal, KeyRanges, Part, SourceIdentity, StarJournal
from totes.rates.days import DayOfRates

PART = Part(key="k", rows=1, bytes=1, sha256="")
PLAN = Plan(
    number=1,
    base=CaptureManifest(
        batch=1,
        parent=None,
        captured_at=snapshot(1, 0).captured_at,
        horizon=1,
        source=SourceIdentity(system_identifier="", timeline=1, database=1, started=""),
        drift=(),
        tables={},
    ),
    pieces=(PlannedPiece(table="payment", lowest=1, highest=2),),
)
READ = ReadPiece(parts=(PART,), ranges=KeyRanges())
DAY = DayOfRates(day=date(2026, 11, 30), base="EUR")


def newer(body: bytes, *places: str) -> bytes:
    """A document with a key that this version does not know, in the object at each of these places ("a/0/b")."""
    document = json.loads(body)
    for place in places:
        held: Any = document
        for step in filter(None, place.split("/")):
            held = held[int(step)] if isinstance(held, list) else held[step]
        held["of_a_newer_totes"] = [1]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("read", "body", "places"),
    [
        (ReadPiece.from_json, READ.to_json(), ["", "ranges", "parts/0"]),
        (Plan.from_json, PLAN.to_json(), ["", "base/source", "pieces/0"]),
        (DayOfRates.from_json, DAY.to_json(), [""]),
    ],
)
def test_what_a_newer_totes_says_besides_is_ignored(
    read: Callable[[bytes], object], body: bytes, places: list[str]
) -> None:
    assert read(newer(body, *places)) == read(body)


def test_so_it_is_of_a_file_of_a_snapshot() -> None:
    file = {"sha": "0", "rows": 1, "bytes": 1}
    body = json.loads(snapshot(1, 0).body()) | {"tables": {"payment": {"parts": {"all": file}}}}
    found = Manifest.from_body(newer(json.dumps(body).encode(), "tables/payment/parts/all"))
    assert found is not None
    assert found.tables == {"payment": {"all": PartFile(sha="0", rows=1, bytes=1)}}


def test_so_it_is_of_editions() -> None:
    bucket = MemoryStore().bucket("processed")
    Journal(bucket, "editions/").commit(1, newer(b'[{"number": 1, "first": 1}, {"number": 2, "first": 1}]', "0", "1"))
    assert StarJournal(bucket).edition == 2


LISTED = json.dumps({"edition": 1, "batch": 7, "bucket": "processed"}).encode()


def test_so_it_is_of_how_far_the_lists_for_athena_are() -> None:
    bucket = MemoryStore().bucket("processed")
    bucket.put_new("athena/listed.json", newer(LISTED, ""))
    assert write_lists(bucket, []) == ListProgress(edition=1, batch=7, bucket="processed")


def test_a_document_whose_format_nobody_knows_is_refused() -> None:
    bucket = MemoryStore().bucket("processed")
    bucket.put_new("athena/listed.json", json.dumps({**json.loads(LISTED), "format": 2}).encode())
    with pytest.raises(ConfigurationError, match=r"written by a newer totes .* deploy that one"):
        write_lists(bucket, [])
