"""One folder, one cloud."""

import os
import threading
from pathlib import Path

import pytest

from workbench.cloud import LocalCloud, down, wait
from workbench.cloud.folder import StateFolder
from workbench.errors import UserError


def test_a_folder_has_one_cloud_at_a_time(tmp_path: Path) -> None:
    lock = StateFolder(tmp_path / "state").claim()
    assert StateFolder(tmp_path / "state").is_running
    with pytest.raises(UserError, match="already up: a local cloud runs in"):
        StateFolder(tmp_path / "state").claim()
    os.close(lock)
    assert not StateFolder(tmp_path / "state").is_running
    os.close(StateFolder(tmp_path / "state").claim())


def test_a_new_cloud_finds_nothing_of_the_last(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    os.close(folder.claim())
    folder.write("cloud.json", {})
    folder.assembly.mkdir()
    (folder.assembly / "manifest.json").touch()
    os.close(folder.claim())
    assert folder.read("cloud.json") is None
    assert not folder.assembly.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")
    with pytest.raises(UserError, match="holds something else than a local cloud"):
        StateFolder(tmp_path).claim()
    with pytest.raises(UserError, match="no local cloud is up in"):
        down(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "the only copy"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(UserError, match="holds something else"):
        StateFolder(tmp_path / "state").claim()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/state cannot be used: Not a directory"):
        StateFolder(tmp_path / "file" / "state").claim()


def test_what_may_hold_passwords_is_its_owners_alone(tmp_path: Path) -> None:
    StateFolder(tmp_path).write("cloud.json", {"source": "postgresql://"})
    assert (tmp_path / "cloud.json").stat().st_mode & 0o777 == 0o600


def test_what_links_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "asset.zip").touch()
    folder = StateFolder(tmp_path / "state")
    os.close(folder.claim())
    folder.assembly.mkdir()
    (folder.assembly / ".cache").symlink_to(shared)
    folder.remove()
    assert not folder.path.exists()
    assert (shared / "asset.zip").exists()


def test_there_is_nothing_to_attach_to_before_it_is_up(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="totes local up starts one"):
        LocalCloud.attach(tmp_path)
    folder = StateFolder(tmp_path)
    lock = folder.claim()
    with pytest.raises(UserError, match="no local cloud is up in"):
        LocalCloud.attach(tmp_path)
    os.close(lock)


def test_a_cloud_that_has_died_is_not_attached_to(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    os.close(folder.claim())
    folder.write("cloud.json", {"endpoint": "http://localhost:1", "source": "", "warehouse": ""})
    with pytest.raises(UserError, match="has stopped; totes local up starts a new one"):
        LocalCloud.attach(tmp_path)


def test_who_waits_for_a_cloud_learns_how_it_ended(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    lock = folder.claim()
    threading.Timer(0.3, os.close, [lock]).start()
    with pytest.raises(UserError, match=r"has stopped; what went wrong is in .*daemon\.log, and totes local down"):
        wait(tmp_path / "state")

    lock = folder.claim()

    def take_down() -> None:
        folder.remove()
        os.close(lock)

    threading.Timer(0.3, take_down).start()
    wait(tmp_path / "state")
