"""What happens to a whole server: a standby, another major version, a crash in place, ids by the thousand million."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import rows, session, value
from tests.support.versions import BROUGHT, VERSION, server_in
from tests.support.waiting import until

_SECONDS = 60.0
_IDS_A_SEGMENT = 2**20
_SEGMENT_BYTES = 2**18

_STRATEGY = " STRATEGY FILE_COPY" if VERSION >= 15 else ""  # before, there is no other
_BEGIN_BACKUP, _END_BACKUP = (
    ("SELECT pg_backup_start('standby', true)", "SELECT labelfile FROM pg_backup_stop(false)")
    if VERSION >= 15
    else ("SELECT pg_start_backup('standby', true, false)", "SELECT labelfile FROM pg_stop_backup(false)")
)


def run_alone(uri: str, *statements: str | sql.Composable) -> None:
    """Run statements each in a transaction of its own, as VACUUM and ALTER SYSTEM want it."""
    with session(uri) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def copy_of(template: str, name: str) -> sql.Composable:
    """The statement that makes a database like another one.

    Its files are copied after a checkpoint. A sequence that is copied by way of the log is said to have logged values
    ahead, which it has only where it comes from: after a crash it would give them out again.
    """
    names = (sql.Identifier(name), sql.Identifier(template))
    return sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names) + sql.SQL(_STRATEGY)


def removal_of(name: str) -> sql.Composable:
    """The statement that drops a database, whoever is connected to it."""
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))


@contextmanager
def shop_server(
    folder: Path, *, orders: int, version: int = VERSION, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedPostgres]:
    """A server of its own in a folder, with a database `shop` in which a shop has so many orders; it ends here."""
    server = server_in(folder, version=version, settings=settings)
    server.start()
    try:
        server.create_database("shop")
        build(server.uri("shop"), orders=orders, seed=1)
        yield server
    finally:
        server.stop()


@contextmanager
def standby_of(primary: EmbeddedPostgres, folder: Path) -> Iterator[EmbeddedPostgres]:
    """A hot standby of a running server, made in a folder by a copy of its files; it is stopped at the end."""
    folder.mkdir()
    data = primary._data
    with (data / "pg_hba.conf").open("a") as access:
        access.write("\nhost replication all 127.0.0.1/32 scram-sha-256\n")
    run_alone(primary.uri("postgres"), "SELECT pg_reload_conf()")
    with session(primary.uri("postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN_BACKUP)
            subprocess.run(["cp", "-a", data, folder / "data"], check=True)
            subprocess.run(["cp", "-a", primary._password_file, folder / "password"], check=True)
            cursor.execute(_END_BACKUP)
            [[label]] = cursor.fetchall()
    login = parse_dsn(primary.uri("postgres"))
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    (folder / "data" / "backup_label").write_text(label)
    (folder / "data" / "standby.signal").touch()
    with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
        words = " ".join(f"{word}={login[word]}" for word in ("host", "port", "user", "password"))
        settings.write(f"\nprimary_conninfo = '{words}'\nhot_standby = on\n")
    owner = data.stat()
    for path in (folder, folder / "data" / "backup_label", folder / "data" / "standby.signal"):
        os.chown(path, owner.st_uid, owner.st_gid)
    standby = server_in(folder)
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()


def catch_up(standby: EmbeddedPostgres, primary: EmbeddedPostgres) -> None:
    """Wait until a standby has replayed what its primary has written."""
    position = value(primary.uri("postgres"), "SELECT pg_current_wal_lsn()::text")
    until(
        lambda: bool(value(standby.uri("postgres"), "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position])),
        "the standby did not catch up",
        seconds=_SECONDS,
    )


@contextmanager
def upgraded(old: EmbeddedPostgres, folder: Path, settings: Mapping[str, str]) -> Iterator[EmbeddedPostgres]:
    """A server of version 18 with all that an older one holds, brought over by pg_upgrade, as RDS does it; the older
    one is stopped.
    """
    new = EmbeddedPostgres(folder, version=18, settings=settings)
    new.start()
    try:
        for server in (new, old):
            _shut_down(server)
        with _trusted(old), _trusted(new):
            # Version 18 has checksums where nobody says otherwise, and both have to have them, or neither.
            _run(new, "pg_checksums", "--no-sync", "--disable")
            places = ("-d", old._data, "-b", old.binaries, "-B", new.binaries, "-s", folder)
            _run(new, "pg_upgrade", "--no-sync", "--username", "postgres", *places)
        new._password_file.write_text(old._password_file.read_text())  # roles come over with their passwords
        new.start()
        yield new
    finally:
        new.stop()


def _shut_down(server: EmbeddedPostgres) -> None:
    """Stop a server so that its log has nothing left to replay."""
    _run(server, "pg_ctl", "stop", "-m", "fast", "-w")
    if server._process is not None:
        server._process.wait()
        server._process = None


@contextmanager
def _trusted(server: EmbeddedPostgres) -> Iterator[None]:
    """Let whoever comes by the local socket in without a password, as pg_upgrade does."""
    access = server._data / "pg_hba.conf"
    kept = access.read_text()
    access.write_text("local all all trust\n")
    yield
    access.write_text(kept)


def crash_in_place(uri: str) -> None:
    """Kill a backend, as the kernel does that is out of memory: the server recovers, and its postmaster stays."""
    with session(uri) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGKILL)
    wait_for_recovery(uri, backend)


def wait_for_recovery(uri: str, killed: int) -> None:
    """Wait until the server is up again after a process of it was killed."""
    # Until the postmaster has seen the death, other backends live on.
    seen = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"

    def is_over() -> bool:
        try:
            return not value(uri, seen, [killed])
        except psycopg2.OperationalError:
            return False

    until(is_over, "the server did not recover from its crash", seconds=_SECONDS)


def jump_to_transaction(server: EmbeddedPostgres, number: int) -> None:
    """Stop a server, have it give out transaction ids from a 64-bit number on, and start it; all rows are frozen."""
    run_alone(server.uri("postgres"), "UPDATE pg_database SET datallowconn = true")
    for [database] in rows(server.uri("postgres"), "SELECT datname FROM pg_database"):
        run_alone(server.uri(database), "VACUUM FREEZE")
    _shut_down(server)
    epoch, low = divmod(number, 2**32)
    _run(server, "pg_resetwal", "-x", str(low), "-e", str(epoch))
    # The file in which the fates of those ids are kept; the server makes one only as it comes to its first.
    states = server._data / "pg_xact" / f"{low // _IDS_A_SEGMENT:04X}"
    if not states.exists():
        states.write_bytes(bytes(_SEGMENT_BYTES))
        owner = server._data.stat()
        os.chown(states, owner.st_uid, owner.st_gid)
        states.chmod(0o600)
    server.start()


def _run(server: EmbeddedPostgres, program: str, *arguments: str | Path) -> None:
    """Run a program of PostgreSQL on a server's data, as its system user."""
    if VERSION not in BROUGHT and not (server.binaries / program).exists():
        pytest.skip(f"the PostgreSQL in {server.binaries} comes without {program}")
    done = subprocess.run(
        server._command(program, *map(str, arguments)),
        capture_output=True,
        text=True,
        check=False,
        **server._surroundings,
    )
    assert done.returncode == 0, done.stdout + done.stderr
