"""The page is written where it has changed, its beginning last, and each file says how long it may be kept."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.memory_store import MemoryStore
from totes.dashboard_snapshot import Folder, put_page
from totes.errors import ConfigurationError
from totes.settings import PublishSettings

PLAIN = {"data": {"kind": "plain", "base": "data/"}}


def built(folder: Path, **files: str) -> Path:
    for name, text in {"index.html": "<html>", "app-GQMLTPR4.js": "one()", "icon.svg": "<svg>", **files}.items():
        (folder / name).write_text(text)
    return folder


class Recorded(MemoryStore):
    """A store that knows in which order it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def put_object(self, **arguments: Any) -> None:
        self.written.append(arguments["Key"])
        super().put_object(**arguments)

    @property
    def site(self) -> Folder:
        return Folder("dashboard", "site/", cast("Any", self))


def test_the_beginning_is_written_after_what_it_begins_with_and_nothing_twice(tmp_path: Path) -> None:
    store = Recorded()
    assert put_page(store.site, built(tmp_path), PLAIN) == 4
    assert store.written == [
        "site/app-GQMLTPR4.js",
        "site/config.json",
        "site/icon.svg",
        "site/index.html",
        "site/written.json",
    ]
    assert put_page(store.site, tmp_path, PLAIN) == 0
    (tmp_path / "app-GQMLTPR4.js").unlink()
    built(tmp_path, **{"app-AAAABBBB.js": "two()", "index.html": "<html lang=en>"})
    (tmp_path / "app-GQMLTPR4.js").unlink()
    store.written.clear()
    put_page(store.site, tmp_path, PLAIN)
    assert store.written == ["site/app-AAAABBBB.js", "site/index.html", "site/written.json"]
    assert "site/app-GQMLTPR4.js" in store.keys, "a browser that began with the earlier page asks for it"


def test_the_beginning_is_the_last_whatever_the_other_files_are_called(tmp_path: Path) -> None:
    """What it begins with has to be there, first what is named by its content."""
    store = Recorded()
    put_page(store.site, built(tmp_path, **{"style-A1B2C3D4.css": "a{}", "robots.txt": "User-agent: *"}), PLAIN)
    assert store.written == [
        "site/app-GQMLTPR4.js",
        "site/style-A1B2C3D4.css",
        "site/config.json",
        "site/icon.svg",
        "site/robots.txt",
        "site/index.html",
        "site/written.json",
    ]
    store.written.clear()
    assert put_page(store.site, tmp_path, PLAIN) == 0
    assert store.written == []


def test_a_file_named_by_its_content_is_kept_for_ever_and_any_other_is_asked_for_again(tmp_path: Path) -> None:
    store = Recorded()
    put_page(store.site, built(tmp_path), PLAIN)
    assert store.headers["site/app-GQMLTPR4.js"] == {
        "ContentType": "text/javascript; charset=utf-8",
        "CacheControl": "public, max-age=31536000, immutable",
    }
    assert store.headers["site/index.html"] == {"ContentType": "text/html; charset=utf-8", "CacheControl": "no-cache"}
    assert store.headers["site/config.json"] == {"ContentType": "application/json", "CacheControl": "no-cache"}


def test_where_no_page_is_built_none_is_written(tmp_path: Path) -> None:
    store = Recorded()
    assert put_page(store.site, tmp_path / "page", PLAIN) == 0
    assert store.written == []


def test_the_page_finds_its_data_beside_it_or_where_people_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER_POOL", "USER_POOL_CLIENT", "IDENTITY_POOL", "SHOP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHBOARD_BUCKET", "bucket")
    monkeypatch.setenv("DASHBOARD_SECRET", "secret")
    assert PublishSettings.from_environment().page == PLAIN
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    monkeypatch.setenv("USER_POOL", "pool")
    monkeypatch.setenv("USER_POOL_CLIENT", "client")
    with pytest.raises(ConfigurationError, match="IDENTITY_POOL is not set"):
        _ = PublishSettings.from_environment().page
    monkeypatch.setenv("IDENTITY_POOL", "identities")
    monkeypatch.setenv("SHOP", "Totes & Co")
    assert PublishSettings.from_environment().page == {
        "data": {
            "kind": "s3",
            "region": "eu-west-2",
            "bucket": "bucket",
            "prefix": "data/",
            "user_pool": "pool",
            "user_pool_client": "client",
            "identity_pool": "identities",
        },
        "shop": "Totes & Co",
    }
