"""The dashboard on this machine: to this machine alone, only what it is made of, and as safely as CloudFront does."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from command_line.dashboard import export, serving
from command_line.dashboard import page as built
from tests.support.memory_store import MemoryStore
from tests.support.snapshots import folder_of
from totes.errors import UserError
from totes.names import DATA

MANIFEST = "manifests/000000000001-0123abcd.json"
FILE = "files/sales_order/2026-11-0123456789abcdef.parquet"
STORED = {"latest.json": b"{}", "moments/2026-11-26.json": b"[]", MANIFEST: b"{1}", FILE: b"PAR1", "secret.txt": b"no"}


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    for key, body in STORED.items():
        found.put_object(Bucket="dashboard", Key=DATA + key, Body=body)
    return found


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built page."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name, text in {"index.html": "<html>", "app-GQMLTPR4.js": "one()", "config.json": "{}"}.items():
        (folder / name).write_text(text)
    monkeypatch.setattr(built, "BUILT", folder)
    return folder


@pytest.fixture
def address(store: MemoryStore) -> Iterator[str]:
    with serving(folder_of(store), 0) as found:
        yield found


def ask(address: str, path: str, method: str = "GET", host: str | None = None) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return found


def test_page_and_data_are_there_each_for_as_long_as_it_is_true(address: str, page: Path) -> None:
    assert page.is_dir()
    for path, body, kind, keep in (
        ("/", b"<html>", "text/html; charset=utf-8", "no-cache"),
        ("/?period=2026", b"<html>", "text/html; charset=utf-8", "no-cache"),
        ("/app-GQMLTPR4.js", b"one()", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/data/latest.json", b"{}", "application/json", "no-store"),
        ("/data/moments/2026-11-26.json", b"[]", "application/json", "no-cache"),
        (f"/data/{MANIFEST}", b"{1}", "application/json", "private, max-age=31536000, immutable"),
        (f"/data/{FILE}", b"PAR1", "application/octet-stream", "private, max-age=31536000, immutable"),
    ):
        status, found, headers = ask(address, path)
        assert (status, found, headers["Content-Type"], headers["Cache-Control"]) == (200, body, kind, keep), path
        assert ask(address, path, "HEAD")[:2] == (200, b"")
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert json.loads(ask(address, "/config.json")[1]) == {"data": {"kind": "plain", "base": "data/"}}


@pytest.mark.parametrize(
    "path",
    [
        "/data/secret.txt",
        "/data/",
        "/data/../latest.json",
        "/data/files/%2e%2e/latest.json",
        "/data/files/sales_order/2020-01-0123456789abcdef.parquet",
        "/../pyproject.toml",
        "/%2e%2e/dist/index.html",
        "//etc/passwd",
        "/data/latest.json/",
    ],
)
def test_nothing_else_is(address: str, page: Path, path: str) -> None:
    assert page.is_dir()
    assert ask(address, path)[:2] == (404, b"")


def test_who_comes_under_another_name_or_wants_to_write_is_refused(address: str, page: Path) -> None:
    assert page.is_dir()
    assert ask(address, "/data/latest.json", host="shop.example")[:2] == (421, b"")
    assert ask(address, "/data/latest.json", host="localhost:80")[0] == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(address, "/data/latest.json", method)[0] == 501


def test_a_page_that_is_not_built_yet_is_said_to_be_none(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "BUILT", tmp_path)
    status, body, _ = ask(address, "/")
    assert (status, body.decode()) == (503, built.NOT_BUILT)


def test_a_port_that_somebody_has_is_named(address: str, store: MemoryStore) -> None:
    port = urlsplit(address).port or 0
    with pytest.raises(UserError, match=rf"port {port} of this machine cannot be had \(.+\); name another"):  # noqa: SIM117
        with serving(folder_of(store), port):
            pass


def test_an_export_is_page_and_data_and_a_second_one_what_is_new(
    store: MemoryStore, page: Path, tmp_path: Path
) -> None:
    assert page.is_dir()
    folder = tmp_path / "out"
    assert export(folder_of(store), folder) == len(STORED)
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert {key.removeprefix("data/"): body for key, body in files.items() if key.startswith("data/")} == STORED
    assert {key for key in files if not key.startswith("data/")} == {
        *(".totes-export", "index.html", "app-GQMLTPR4.js", "config.json"),
    }
    assert json.loads(files["config.json"]) == {"data": {"kind": "plain", "base": "data/"}}
    store.reads.clear()
    export(folder_of(store), folder)
    assert sorted(store.reads) == ["data/latest.json", "data/moments/2026-11-26.json"]


def test_an_export_that_was_interrupted_goes_on_when_it_is_typed_again(
    store: MemoryStore, page: Path, tmp_path: Path
) -> None:
    assert page.is_dir()
    folder = tmp_path / "out"

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(folder_of(store), folder, interrupt)
    assert not (folder / "data" / "latest.json").exists()
    assert export(folder_of(store), folder) == len(STORED)
    assert (folder / "data" / "latest.json").read_bytes() == STORED["latest.json"]


def test_an_export_from_before_exports_were_marked_is_written_again(
    store: MemoryStore, page: Path, tmp_path: Path
) -> None:
    assert page.is_dir()
    export(folder_of(store), tmp_path / "out")
    (tmp_path / "out" / ".totes-export").unlink()
    assert export(folder_of(store), tmp_path / "out") == len(STORED)


def test_an_export_is_refused_where_something_else_is_or_nothing_is_to_be_exported(
    store: MemoryStore, page: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="holds something else; name a folder that is empty or not there"):
        export(folder_of(store), page)
    with pytest.raises(UserError, match=r"index\.html holds something else"):
        export(folder_of(store), page / "index.html")
    with pytest.raises(UserError, match="there is no snapshot yet"):
        export(folder_of(MemoryStore()), tmp_path / "out")
    assert not (tmp_path / "out").exists()
