"""What a cloud keeps is there again whatever happened to its process or its machine."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_cloud.kept import Kept

THEN = datetime(2026, 11, 24, 10, 15, 29, 123456, tzinfo=UTC)


def login(host: str, port: int) -> dict[str, str]:
    return {"secret_string": json.dumps({"host": host, "port": port, "password": "one"})}


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept.db")


def machine_went_out(tmp_path: Path, cut: int = 0) -> Kept:
    """The file as a disk has it that got no more, with the end of what was written last missing."""
    then = tmp_path / "then"
    then.mkdir(exist_ok=True)
    for part in ("kept.db", "kept.db-wal"):
        shutil.copy(tmp_path / part, then / part)
    if cut:
        log = then / "kept.db-wal"
        log.write_bytes(log.read_bytes()[:-cut])
    return Kept(then / "kept.db")


def test_an_object_is_there_again_with_its_moment(kept: Kept, tmp_path: Path) -> None:
    kept.put_object("lake", "a/b", b"\x00\xff", THEN)
    kept.put_object("lake", "a", b"", THEN + timedelta(seconds=1))
    kept.put_object("other", "a", b"not the lake's", THEN)
    kept.put_object("lake", "gone", b"", THEN)
    kept.delete_object("lake", "gone")
    again = machine_went_out(tmp_path)
    assert list(again.objects("lake")) == [("a", b"", THEN + timedelta(seconds=1)), ("a/b", b"\x00\xff", THEN)]
    again.empty("lake")
    assert not list(again.objects("lake"))
    assert [key for key, _, _ in again.objects("other")] == ["a"]


def test_what_was_written_by_half_is_not_there_and_all_before_it_is(kept: Kept, tmp_path: Path) -> None:
    kept.put_object("lake", "whole", b"whole", THEN)
    kept.put_object("lake", "half", b"half" * 10_000, THEN)
    assert [key for key, _, _ in machine_went_out(tmp_path, cut=100).objects("lake")] == ["whole"]


def test_a_secret_is_there_again_and_its_file_is_its_owners_alone(kept: Kept, tmp_path: Path) -> None:
    kept.put_secret("source", {"versions": {"1": login("127.0.0.1", 5000)}, "current": "1"})
    assert machine_went_out(tmp_path).secret("source") == {
        "versions": {"1": login("127.0.0.1", 5000)},
        "current": "1",
    }
    assert kept.secret("warehouse") is None
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("kept.db*")} == {0o600}


def test_logins_of_the_embedded_server_follow_it_and_no_others(kept: Kept) -> None:
    kept.move(5000)
    versions = {"1": login("127.0.0.1", 5000), "2": login("127.0.0.1", 5000), "begun": {}}
    kept.put_secret("source", {"versions": versions})
    kept.put_secret("theirs", {"versions": {"1": login("shop.example", 5000), "2": login("127.0.0.1", 5432)}})
    theirs = kept.secret("theirs")
    assert kept.port == 5000
    kept.move(6000)
    assert kept.port == 6000
    moved = {"1": login("127.0.0.1", 6000), "2": login("127.0.0.1", 6000), "begun": {}}
    assert kept.secret("source") == {"versions": moved}
    assert kept.secret("theirs") == theirs


def test_a_write_waits_for_the_disk(kept: Kept) -> None:
    [full] = kept._file.execute("PRAGMA synchronous").fetchone()
    assert full == 2, "FULL: https://www.sqlite.org/pragma.html#pragma_synchronous"


@pytest.mark.parametrize("value", ["no JSON", "[1]", "7"])
def test_a_secret_that_is_no_login_is_no_trouble_to_a_server_that_has_moved(kept: Kept, value: str) -> None:
    kept.move(5000)
    kept.put_secret("data/Token", {"versions": {"v": {"secret_string": value}}})
    kept.move(5001)
    assert kept.secret("data/Token") == {"versions": {"v": {"secret_string": value}}}
