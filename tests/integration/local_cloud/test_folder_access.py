"""Started by root, PostgreSQL passes folders that are closed to others, and leaves them as they were."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from local_cloud.folder_access import FolderAccess, restore_modes
from local_cloud.postgres import EmbeddedPostgres
from local_cloud.processes import still_alive
from tests.support.databases import value
from totes.errors import UserError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL runs as whoever starts it, unless that is root")


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o7777


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder as /root often is."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    (folder / "open").mkdir()
    return folder


def test_a_folder_is_open_while_a_server_runs_and_closed_afterwards(closed: Path) -> None:
    server = EmbeddedPostgres(closed / "open" / "server")
    server.start()
    assert mode(closed) == 0o701, "to be passed, not to be listed"
    assert value(server.uri("postgres"), "SELECT 1") == 1
    server.stop()
    assert mode(closed) == 0o700
    assert mode(closed / "open") == 0o755
    assert os.listxattr(closed) == []


def test_it_stays_open_for_another_server_that_came_later(closed: Path) -> None:
    first, second = (EmbeddedPostgres(closed / "open" / name) for name in ("first", "second"))
    first.start()
    second.start()
    first.stop()
    assert mode(closed) == 0o701
    assert value(second.uri("postgres"), "SELECT 1") == 1
    second.stop()
    assert mode(closed) == 0o700


def test_what_a_killed_server_has_left_open_the_next_one_closes(closed: Path) -> None:
    server = EmbeddedPostgres(closed / "open" / "server")
    server.start()
    note = closed / "open" / "server" / "data" / "postmaster.pid"
    postmaster = psutil.Process(int(note.read_text().splitlines()[0]))
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    still_alive(family, 10)
    assert mode(closed) == 0o701
    EmbeddedPostgres(closed / "open" / "server").stop()
    assert mode(closed) == 0o700
    server.stop()


def test_a_server_that_does_not_start_leaves_nothing_open(closed: Path) -> None:
    server = EmbeddedPostgres(closed / "open" / "server", settings={"no_such_setting": "1"})
    with pytest.raises(UserError, match="no_such_setting"):
        server.start()
    assert mode(closed) == 0o700


def test_a_folder_that_is_passed_is_not_closed(closed: Path) -> None:
    access = FolderAccess([closed])
    assert mode(closed) == 0o701
    restore_modes([closed])
    assert mode(closed) == 0o701, "it is passed"
    access.close()
    restore_modes([closed, closed / "gone"])
    assert mode(closed) == 0o700


def test_a_folder_that_somebody_has_changed_meanwhile_stays_as_they_want_it(closed: Path) -> None:
    access = FolderAccess([closed])
    closed.chmod(0o750)
    access.close()
    restore_modes([closed])
    assert mode(closed) == 0o750
    assert os.listxattr(closed) == []
