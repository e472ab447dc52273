"""What a cloud keeps is there again whatever happened to its process or its machine."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_cloud.persistent_store import PersistentStore

THEN = datetime(2026, 11, 24, 10, 15, 29, 123456, tzinfo=UTC)


def login(host: str, port: int) -> dict[str, str]:
    return {"secret_string": json.dumps({"host": host, "port": port, "password": "one"})}


Again = Callable[..., PersistentStore]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PersistentStore]:
    with closing(PersistentStore(tmp_path / "kept.db")) as opened:
        yield opened


@pytest.fixture
def machine_went_out(tmp_path: Path) -> Iterator[Again]:
    """Opens the file as a disk has it that got no more, with the end of what was written last missing."""
    with ExitStack() as opened:
        yield lambda cut=0: opened.enter_context(closing(PersistentStore(_left(tmp_path, cut))))


def _left(tmp_path: Path, cut: int) -> Path:
    then = tmp_path / "then"
    then.mkdir(exist_ok=True)
    for part in ("kept.db", "kept.db-wal"):
        shutil.copy(tmp_path / part, then / part)
    if cut:
        log = then / "kept.db-wal"
        log.write_bytes(log.read_bytes()[:-cut])
    return then / "kept.db"


def test_an_object_is_there_again_with_its_moment(store: PersistentStore, machine_went_out: Again) -> None:
    store.put_object("lake", "a/b", b"\x00\xff", THEN)
    store.put_object("lake", "a", b"", THEN + timedelta(seconds=1))
    store.put_object("other", "a", b"not the lake's", THEN)
    store.put_object("lake", "gone", b"", THEN)
    store.delete_object("lake", "gone")
    again = machine_went_out()
    assert list(again.objects("lake")) == [("a", b"", THEN + timedelta(seconds=1)), ("a/b", b"\x00\xff", THEN)]
    again.empty("lake")
    assert not list(again.objects("lake"))
    assert [key for key, _, _ in again.objects("other")] == ["a"]


def test_what_was_written_by_half_is_not_there_and_all_before_it_is(
    store: PersistentStore, machine_went_out: Again
) -> None:
    store.put_object("lake", "whole", b"whole", THEN)
    store.put_object("lake", "half", b"half" * 10_000, THEN)
    assert [key for key, _, _ in machine_went_out(cut=100).objects("lake")] == ["whole"]


def test_a_secret_is_there_again_and_its_file_is_its_owners_alone(
    store: PersistentStore, machine_went_out: Again, tmp_path: Path
) -> None:
    store.put_secret("source", {"versions": {"1": login("127.0.0.1", 5000)}, "current": "1"})
    assert machine_went_out().secret("source") == {
        "versions": {"1": login("127.0.0.1", 5000)},
        "current": "1",
    }
    assert store.secret("warehouse") is None
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("kept.db*")} == {0o600}


def test_logins_of_the_embedded_server_follow_it_and_no_others(store: PersistentStore) -> None:
    store.move(5000)
    versions = {"1": login("127.0.0.1", 5000), "2": login("127.0.0.1", 5000), "begun": {}}
    store.put_secret("source", {"versions": versions})
    store.put_secret("theirs", {"versions": {"1": login("shop.example", 5000), "2": login("127.0.0.1", 5432)}})
    theirs = store.secret("theirs")
    assert store.port == 5000
    store.move(6000)
    assert store.port == 6000
    moved = {"1": login("127.0.0.1", 6000), "2": login("127.0.0.1", 6000), "begun": {}}
    assert store.secret("source") == {"versions": moved}
    assert store.secret("theirs") == theirs


def test_a_write_waits_for_the_disk(store: PersistentStore) -> None:
    [full] = store._file.execute("PRAGMA synchronous").fetchone()
    assert full == 2, "FULL: https://www.sqlite.org/pragma.html#pragma_synchronous"


@pytest.mark.parametrize("value", ["no JSON", "[1]", "7"])
def test_a_secret_that_is_no_login_is_no_trouble_to_a_server_that_has_moved(store: PersistentStore, value: str) -> None:
    store.move(5000)
    store.put_secret("data/Token", {"versions": {"v": {"secret_string": value}}})
    store.move(5001)
    assert store.secret("data/Token") == {"versions": {"v": {"secret_string": value}}}
