"""A demo that was killed leaves a folder, which the next one removes; it removes nothing else."""

import fcntl
import os
from pathlib import Path

import pytest

from local_cloud.folder import StateFolder
from local_cloud.origin import CloudOrigin
from local_cloud.temporary import STATE, temporary_folder


def ignore(folder: Path, size: int) -> None:
    pass


class Swept:
    """What the next demo removes from a folder."""

    def __init__(self, home: Path) -> None:
        self.told: list[tuple[str, int]] = []
        with temporary_folder(home, lambda folder, size: self.told.append((folder.name, size))) as own:
            self.own = own
            assert own.parent == home
            assert own.is_dir()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.told]


def left_by_a_killed_demo(folder: Path) -> StateFolder:
    """A folder as it is when all of a demo's processes are gone."""
    state = StateFolder(folder / STATE)
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    os.close(state.claim())
    state.assembly.mkdir()
    (state.assembly / "asset.zip").write_bytes(b"x" * 2_000_000)
    return state


def test_what_a_killed_demo_has_left_is_removed_and_told(tmp_path: Path) -> None:
    left_by_a_killed_demo(tmp_path / "demo-killed")
    swept = Swept(tmp_path)
    assert not list(tmp_path.iterdir()), "its own is gone at the end, too"
    [(name, size)] = swept.told
    assert name == "demo-killed"
    assert size > 2_000_000
    assert Swept(tmp_path).told == []


def test_one_that_still_runs_stays(tmp_path: Path) -> None:
    left_by_a_killed_demo(tmp_path / "demo-ending")
    lock = StateFolder(tmp_path / "demo-ending" / STATE).claim()  # its daemon's, which goes on for a moment
    with temporary_folder(tmp_path, ignore) as beginning:
        os.close(StateFolder(beginning / STATE).claim())
        assert Swept(tmp_path).names == [], "neither has ended"
        assert (beginning / STATE).is_dir()
    os.close(lock)
    assert Swept(tmp_path).names == ["demo-ending"]


def test_what_is_not_a_demos_stays(tmp_path: Path) -> None:
    left_by_a_killed_demo(tmp_path / "demo-mine").path.rename(tmp_path / "demo-mine" / "cloud")
    persistent = left_by_a_killed_demo(tmp_path / "demo-lasting")
    CloudOrigin(environment="local").write(persistent)
    left_by_a_killed_demo(tmp_path / "elsewhere")
    (tmp_path / "demo-linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "demo-file").touch()
    (tmp_path / "demo-empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert Swept(tmp_path).names == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_is_another_users_stays(tmp_path: Path) -> None:
    left_by_a_killed_demo(tmp_path / "demo-theirs")
    os.chown(tmp_path / "demo-theirs", 12345, -1)
    assert Swept(tmp_path).names == []
    assert (tmp_path / "demo-theirs" / STATE).is_dir()


def test_two_that_begin_at_once_take_turns(tmp_path: Path) -> None:
    with temporary_folder(tmp_path, ignore) as one:
        descriptor = os.open(one / "lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        assert Swept(tmp_path).own != one
        assert one.is_dir()


def test_what_is_left_of_one_that_was_killed_at_its_very_end_or_beginning_is_removed(tmp_path: Path) -> None:
    (tmp_path / "demo-ended").mkdir()
    (tmp_path / "demo-ended" / "lock").touch()
    assert Swept(tmp_path).names == ["demo-ended"]
