"""A local cloud's folder: where its files are, whether the cloud runs, and how it is ended."""

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_cloud.postgres import EmbeddedPostgres
from local_cloud.processes import ProcessRegister
from totes.errors import UserError

CLOUD = "cloud.json"
"""The document that says how a cloud is reached; it is there once the cloud is up."""

ENDPOINT = "endpoint.json"
"""Written by the daemon: the endpoint answers, and where."""

DATABASES = "databases.json"
"""Written by the daemon: the embedded PostgreSQL answers, and where; or why it does not."""

ORIGIN = "terms.json"
"""What a cloud that is to outlive its processes was made for; it is there once the cloud was up."""

_KEPT = "kept.db"
_END_SECONDS = 30.0
_RELEASE_SECONDS = 10.0
_TRIES = 10
"""How often a folder is made again that another process removes at the same moment."""


class StateFolder:
    """The folder of one local cloud.

    A cloud runs as long as its daemon holds the lock; the operating system releases it however the daemon ends.

    Attributes:
        path: the folder.
        log: what the daemon says.
        cdk_log: what the cdk CLI says, one file beside it for each call.
        assembly: what the cdk app is synthesised into.
        postgres: the embedded PostgreSQL.
        store: the file with what outlives the cloud's processes.
        functions: code and scratch folders of the functions.
        daemon: the note of the daemon's process.
        processes: the notes of the functions' processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.log = self.path / "daemon.log"
        self.cdk_log = self.path / "cdk.log"
        self.assembly = self.path / "cdk.out"
        self.postgres = self.path / "postgres"
        self.store = self.path / _KEPT
        self.functions = self.path / "functions"
        self.daemon = ProcessRegister(self.path / "daemon")
        self.processes = ProcessRegister(self.path / "processes")
        self._lock = self.path / "local-cloud.lock"

    def claim(self, *, persistent: bool = False) -> int:
        """Take the lock, end what an earlier cloud has left here, and begin with an empty folder.

        Args:
            persistent: whether what is kept of a cloud that was up stays in the folder.

        Returns:
            The lock's file descriptor; it is held until every copy of it is closed.

        Raises:
            UserError: a cloud runs here, or the folder is somebody else's.
        """
        descriptor = self._taken()
        if descriptor is None:
            raise UserError(
                f"already up: a local cloud runs in {self.path}, or is on its way up or down; stop it with totes local "
                f"down{self._keeping}, or name another folder with --state"
            )
        self.end_everything(patience=0.0)
        self._clear(keep=self._persistent if persistent and self.can_continue else {self._lock})
        return descriptor

    @property
    def exists(self) -> bool:
        """Whether there is or was a cloud here."""
        return self._lock.exists()

    @property
    def can_continue(self) -> bool:
        """Whether a cloud was up here that outlives its processes."""
        return self.has(ORIGIN)

    @property
    def is_running(self) -> bool:
        """Whether a cloud runs here, or is on its way up or down."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR)
        except OSError:
            return False
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """End the cloud and whatever it has started, and remove the folder.

        The lock is held meanwhile, so that no other cloud begins in a folder that goes, and its file is removed last.
        If this is killed, it leaves the folder of a cloud that cannot be continued, and never half of one that can.

        Raises:
            UserError: the cloud does not end.
        """
        with self._ended() as is_there:
            if not is_there:
                return
            self.forget(ORIGIN)
            self._clear(keep={self._lock})
            self._lock.unlink()
            try:
                self.path.rmdir()
            except OSError as error:
                if error.errno != errno.ENOTEMPTY or not self.exists:  # it is: another cloud has begun here since
                    raise

    def stop(self) -> None:
        """End the cloud and whatever it has started; raise UserError if it does not end."""
        with self._ended():
            pass

    @contextmanager
    def _ended(self) -> Iterator[bool]:
        """End the cloud and hold its lock within this context; False: somebody else has removed the folder meanwhile.

        Raises:
            UserError: the cloud does not end.
        """
        try:
            descriptor = os.open(self._lock, os.O_RDWR)  # of the cloud that is to end, not of one that comes after it
        except FileNotFoundError:
            yield False
            return
        try:
            self.end_everything()
            if not _is_let_go(lambda: _locked(descriptor)):
                raise UserError(
                    f"the local cloud in {self.path} does not end: a process that nobody has noted holds {self._lock} "
                    f"(fuser {self._lock} names it); nothing was removed"
                )
            yield self._is_lock(descriptor)
        finally:
            os.close(descriptor)

    def _taken(self) -> int | None:
        """Take the lock, in a folder that is made if need be; None: somebody else has it.

        Raises:
            UserError: the folder is somebody else's, or cannot be used.
        """
        for _ in range(_TRIES):
            try:
                self._refuse_what_is_not_a_clouds()
                self.path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unusable(error) from error
            try:
                descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:  # the folder was removed between the two
                continue
            except OSError as error:
                raise self._unusable(error) from error
            if not _locked(descriptor):
                os.close(descriptor)
                return None
            if self._is_lock(descriptor):
                return descriptor
            os.close(descriptor)  # of a file that was removed while it was waited for, and keeps nobody out
        raise UserError(f"{self.path} was removed this moment; try again")

    def _unusable(self, error: OSError) -> UserError:
        return UserError(f"{self.path} cannot be used: {error.strerror}; name another folder with --state")

    def _refuse_what_is_not_a_clouds(self) -> None:
        """Raise UserError if there is something, and no lock; it looks only once, for the folder may be on its way."""
        try:
            names = set(os.listdir(self.path))  # noqa: PTH208 - the names alone
        except FileNotFoundError:
            return
        except NotADirectoryError:
            if not self.path.exists():  # it is a folder above that is none
                raise
            names = {self.path.name}
        if names and self._lock.name not in names:
            raise UserError(f"{self.path} holds something else than a local cloud; name another folder with --state")

    def _is_lock(self, descriptor: int) -> bool:
        """Whether a descriptor is of the file that is the lock now, and not of one that was removed."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._lock.stat())
        except FileNotFoundError:
            return False

    @contextmanager
    def coming_up(self, lock: int) -> Iterator[None]:
        """Within this context a cloud starts; if that fails, all that was started has ended when the error is raised.

        Args:
            lock: the file descriptor that `claim` has given; it is closed at the end.
        """
        try:
            yield
        except BaseException:
            try:
                self.end_everything()
            finally:
                os.close(lock)
            _is_let_go(lambda: not self.is_running)  # so that the next attempt does not find the lock still held
            raise
        os.close(lock)

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Keep a document, whole or not at all; only its owner may read it, since it may have passwords."""
        unfinished = self.path / f"{name}.unfinished"
        unfinished.touch(mode=0o600)
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.path / name)
        directory = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(directory)  # the name too
        finally:
            os.close(directory)

    def read(self, name: str) -> dict[str, Any] | None:
        """A document that was kept; None: there is none."""
        try:
            document: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return document

    def has(self, name: str) -> bool:
        """Whether a document is kept."""
        return (self.path / name).exists()

    def forget(self, name: str) -> None:
        """Keep a document no longer."""
        (self.path / name).unlink(missing_ok=True)

    def end_everything(self, *, patience: float = _END_SECONDS) -> None:
        """End the cloud and whatever it has started, however it came to be left here.

        Args:
            patience: seconds in which the daemon may end by itself.
        """
        self.daemon.end_all(patience=patience)
        self.processes.end_all()
        EmbeddedPostgres(self.postgres).stop()

    @property
    def _keeping(self) -> str:
        """The option that stops a cloud without removing it, where it can be continued."""
        return " --keep" if self.can_continue else ""

    @property
    def _persistent(self) -> set[Path]:
        beside = {self.store.with_name(f"{_KEPT}-{part}") for part in ("wal", "shm")}
        return {self._lock, self.path / ORIGIN, self.store, *beside, self.postgres}

    def _clear(self, keep: set[Path]) -> None:
        for entry in self.path.iterdir():
            if entry in keep:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def _is_let_go(is_free: Callable[[], bool]) -> bool:
    """Wait until nobody holds a lock; False if somebody does after some seconds.

    A process counts as ended when its first thread has ended, and releases the lock when its last one has.
    """
    deadline = time.monotonic() + _RELEASE_SECONDS
    while not is_free():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _locked(descriptor: int) -> bool:
    """Take a lock; return False if somebody else holds it for longer than a check of it takes."""
    for _ in range(5):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False
