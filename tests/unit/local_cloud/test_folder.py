"""One folder, one cloud."""

import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from local_cloud import LocalCloud, down, stop, wait
from local_cloud import folder as module
from local_cloud.folder import StateFolder
from local_cloud.origin import CloudOrigin
from totes.errors import UserError


def test_a_folder_has_one_cloud_at_a_time(tmp_path: Path) -> None:
    lock = StateFolder(tmp_path / "state").claim()
    assert StateFolder(tmp_path / "state").is_running
    with pytest.raises(UserError, match="already up: a local cloud runs in"):
        StateFolder(tmp_path / "state").claim()
    os.close(lock)
    assert not StateFolder(tmp_path / "state").is_running
    os.close(StateFolder(tmp_path / "state").claim())


def test_a_cloud_that_does_not_come_up_has_let_go_when_its_error_arrives(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    lock = folder.claim()
    threads_of_the_daemon = os.dup(lock)
    timer = threading.Timer(0.3, os.close, [threads_of_the_daemon])

    def fail() -> None:
        with folder.coming_up(lock):
            timer.start()
            raise UserError("no stacks today")

    with pytest.raises(UserError, match="no stacks today"):
        fail()
    assert not folder.is_running
    timer.join()


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
    with pytest.raises(UserError, match=r"totes local up --state .* starts one"):
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
    with pytest.raises(UserError, match=r"has stopped; totes local up --state .* starts a new one"):
        LocalCloud.attach(tmp_path)


def test_who_waits_for_a_cloud_learns_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StateFolder(tmp_path / "state")
    lock = folder.claim()
    folder.write("cloud.json", {})
    threading.Timer(0.3, os.close, [lock]).start()
    with pytest.raises(
        UserError, match=r"has stopped; what went wrong is in .*daemon\.log; totes local down --state .* removes"
    ):
        wait(tmp_path / "state")

    lock = folder.claim()
    folder.write("cloud.json", {})

    def ends() -> None:
        os.close(lock)  # as a daemon does that has to end

    monkeypatch.setattr(StateFolder, "end_everything", lambda _: ends())
    threading.Timer(0.3, down, [tmp_path / "state"]).start()
    wait(tmp_path / "state")


def test_who_waits_for_a_cloud_that_lasts_learns_that_it_was_stopped_or_how_it_goes_on(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    lock = folder.claim()
    CloudOrigin(environment="local").write(folder)
    folder.write("cloud.json", {})
    threading.Timer(0.3, os.close, [lock]).start()
    with pytest.raises(
        UserError, match=r"totes local up --state .* continues it, and totes local down --state .* removes what is left"
    ):
        wait(tmp_path / "state")
    stop(tmp_path / "state")
    wait(tmp_path / "state")
    with pytest.raises(UserError, match=r"has stopped; totes local up --state .* continues it"):
        LocalCloud.attach(tmp_path / "state")


def test_a_cloud_that_lasts_keeps_databases_lake_and_secrets_and_nothing_else(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    os.close(folder.claim(persistent=True))
    folder.postgres.mkdir()
    folder.store.touch()
    os.close(folder.claim(persistent=True))
    assert not folder.postgres.exists(), "one that was never up has nothing to be continued"
    CloudOrigin(environment="local").write(folder)
    for each in (folder.postgres, folder.assembly):
        each.mkdir()
    for each in (folder.store, folder.log, folder.store.with_name("kept.db-wal")):
        each.touch()
    os.close(folder.claim(persistent=True))
    assert {each.name for each in tmp_path.iterdir()} == {
        *("local-cloud.lock", "terms.json", "kept.db", "kept.db-wal", "postgres"),
    }
    os.close(folder.claim())
    assert {each.name for each in tmp_path.iterdir()} == {"local-cloud.lock"}


def test_only_what_lasts_can_be_stopped_and_continued(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no local cloud is up in"):
        stop(tmp_path)
    os.close(StateFolder(tmp_path).claim())
    with pytest.raises(UserError, match=r"keeps nothing; totes local down --state .* removes it"):
        stop(tmp_path)


def test_a_cloud_is_continued_as_what_it_was_made_for(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert CloudOrigin.of(folder) is None
    origin = CloudOrigin(environment="dev", named={"source": "postgresql://"}, identities={"source": (7, 1)})
    origin.write(folder)
    folder.store.touch()
    assert CloudOrigin.of(folder) == origin
    origin.refuse_other_environment(None, folder)
    origin.refuse_other_environment("dev", folder)
    with pytest.raises(UserError, match="has the stacks of dev, not those of prod; totes local down removes"):
        origin.refuse_other_environment("prod", folder)
    origin.refuse_other_databases({"source": (7, 1)}, folder)
    with pytest.raises(UserError, match=r"has another database for its source; .*another folder with --state"):
        origin.refuse_other_databases({"source": (7, 2)}, folder)
    with pytest.raises(UserError, match="has a database of its own for its warehouse"):
        origin.refuse_other_databases({"source": (7, 1), "warehouse": (7, 2)}, folder)


def test_a_cloud_that_another_totes_kept_is_not_guessed_at(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    CloudOrigin(environment="local").write(folder)
    folder.write("terms.json", {**(folder.read("terms.json") or {}), "format": 0})
    with pytest.raises(UserError, match="kept by another version of totes, which this one cannot read"):
        CloudOrigin.of(folder)


def test_a_removal_that_is_cut_short_leaves_nothing_to_be_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = persistent(tmp_path / "state")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            down(folder.path)
    assert not folder.can_continue
    assert folder.exists, "down can be said again"
    down(folder.path)
    assert not folder.path.exists()


def test_no_cloud_begins_in_a_folder_that_is_being_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = persistent(tmp_path / "state")
    remove, refused = shutil.rmtree, []

    def meanwhile(entry: Path) -> None:
        with pytest.raises(UserError, match=r"already up: a local cloud runs in .*, or is on its way up or down"):
            StateFolder(folder.path).claim(persistent=True)
        refused.append(entry)
        remove(entry)

    monkeypatch.setattr(shutil, "rmtree", meanwhile)
    down(folder.path)
    assert refused
    assert not folder.path.exists()
    os.close(folder.claim())


def test_who_has_waited_for_the_lock_of_a_folder_that_is_gone_by_then_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    os.close(StateFolder(path).claim())
    look = module._locked
    gone: list[Path] = []

    def removed_meanwhile(descriptor: int) -> bool:
        if not gone:
            gone.append(path)
            shutil.rmtree(path)
        return look(descriptor)

    monkeypatch.setattr(module, "_locked", removed_meanwhile)
    lock = StateFolder(path).claim()
    assert StateFolder(path).is_running, "the lock that is held is the one that others find"
    os.close(lock)


def test_a_folder_that_is_removed_before_its_lock_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir
    gone: list[Path] = []

    def removed_meanwhile(path: Path, **how: bool) -> None:
        make(path, **how)
        if not gone:
            gone.append(path)
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", removed_meanwhile)
    os.close(StateFolder(tmp_path / "state").claim())
    assert gone == [tmp_path / "state"]


def test_a_cloud_that_begins_as_soon_as_the_lock_is_gone_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = persistent(tmp_path / "state")
    remove, begun = Path.rmdir, []

    def meanwhile(path: Path) -> None:
        if path == folder.path:
            begun.append(StateFolder(path).claim())
        remove(path)

    monkeypatch.setattr(Path, "rmdir", meanwhile)
    down(folder.path)
    assert folder.is_running
    os.close(begun[0])


def test_the_second_of_two_that_remove_a_cloud_leaves_alone_what_came_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = persistent(tmp_path / "state")
    begun: list[int] = []

    def removed_by_the_first(_: StateFolder) -> None:
        with monkeypatch.context() as context:
            context.setattr(StateFolder, "end_everything", lambda *_, **__: None)
            StateFolder(folder.path).remove()
            begun.append(StateFolder(folder.path).claim())

    monkeypatch.setattr(StateFolder, "end_everything", removed_by_the_first)
    folder.remove()
    assert folder.is_running
    os.close(begun[0])


def test_a_cloud_that_does_not_end_is_not_said_to_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RELEASE_SECONDS", 0.2)
    folder = persistent(tmp_path / "state")
    lock = folder.claim(persistent=True)  # of a daemon that no note speaks of
    for end in (stop, down):
        with pytest.raises(UserError, match="does not end"):
            end(folder.path)
        assert folder.store.exists()
    os.close(lock)


def test_who_finds_a_cloud_that_lasts_learns_how_to_stop_it_without_losing_it(tmp_path: Path) -> None:
    folder = persistent(tmp_path / "state")
    lock = folder.claim(persistent=True)
    with pytest.raises(UserError, match="stop it with totes local down --keep, or name another folder"):
        folder.claim(persistent=True)
    os.close(lock)


@pytest.mark.parametrize("damaged", ["", "{", "{}"])
def test_an_origin_that_cannot_be_read_is_one_sentence(tmp_path: Path, damaged: str) -> None:
    folder = persistent(tmp_path / "state")
    (folder.path / "terms.json").write_text(damaged)
    with pytest.raises(UserError, match=r"terms\.json is damaged: .* totes local down removes that cloud"):
        CloudOrigin.of(folder)


def test_a_cloud_whose_lake_is_gone_is_not_continued_without_it(tmp_path: Path) -> None:
    folder = persistent(tmp_path / "state")
    folder.store.unlink()
    with pytest.raises(UserError, match=r"kept\.db is gone, and with it the cloud's lake and secrets"):
        CloudOrigin.of(folder)


def test_what_is_written_is_on_the_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    StateFolder(tmp_path).write("cloud.json", {})
    assert synced == ["file", "folder"]


def persistent(path: Path) -> StateFolder:
    """The folder of a cloud that was up and has stopped."""
    folder = StateFolder(path)
    os.close(folder.claim(persistent=True))
    folder.store.touch()
    folder.postgres.mkdir()
    CloudOrigin(environment="local").write(folder)
    return folder
