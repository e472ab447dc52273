"""A server of one's own in a folder."""

import os
import pwd
import subprocess
from pathlib import Path

import psutil
import psycopg2
import pytest

from local_cloud import postgres as module
from local_cloud.databases import login
from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import execute, rows, value
from tests.support.tls_server import BINARIES
from totes.errors import UserError


def processes_of(directory: Path) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(str(directory) in word for word in process.info["cmdline"] or [])
    ]


@pytest.mark.parametrize("version", [16, 18])
def test_it_serves_and_leaves_no_process(tmp_path: Path, version: int) -> None:
    server = EmbeddedPostgres(tmp_path / "server", version=version)
    server.start()
    try:
        server.create_database("tote bags/§")
        uri = server.uri("tote bags/§")
        assert value(uri, "SELECT current_setting('server_version_num')::int / 10000") == version
        assert value(uri, "SELECT pg_encoding_to_char(encoding) FROM pg_database LIMIT 1") == "UTF8"
        assert value(uri, "SHOW timezone") == "UTC"
        assert value(uri, "SHOW fsync") == "on"
        assert value(uri, "SHOW dynamic_shared_memory_type") == "mmap", "it would leave a megabyte in /dev/shm"
        assert processes_of(tmp_path)
    finally:
        server.stop()
    assert not processes_of(tmp_path)
    server.stop()


@pytest.mark.parametrize(("version", "iterations"), [(15, "4096"), (18, "1")])
def test_it_runs_other_binaries_and_tells_an_initdb_before_16_nothing_that_it_does_not_know(
    tmp_path: Path, version: int, iterations: str
) -> None:
    server = EmbeddedPostgres(tmp_path, version=version, binaries=BINARIES)
    server.start()
    try:
        uri = server.uri("postgres")
        assert value(uri, "SELECT setting FROM pg_config WHERE name = 'BINDIR'") == str(BINARIES)
        assert value(uri, "SHOW scram_iterations") == iterations
    finally:
        server.stop()


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    execute(server.uri("postgres"), "CREATE TABLE bag AS SELECT 'tote' AS kind")
    server.stop()
    server.start()
    try:
        assert rows(server.uri("postgres"), "TABLE bag") == [("tote",)]
    finally:
        server.stop()


def test_another_object_of_the_same_folder_can_stop_it(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    EmbeddedPostgres(tmp_path).stop()
    server.stop()
    with pytest.raises(RuntimeError, match="is not running"):
        server.uri("postgres")


def test_a_port_that_somebody_took_meanwhile_is_left_to_them(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(login(postgres.uri("postgres"), "source")["port"])
    ports = iter([taken, module.free_port()])
    monkeypatch.setattr(module, "free_port", lambda: next(ports))
    server = EmbeddedPostgres(tmp_path)
    server.start()
    try:
        assert login(server.uri("postgres"), "source")["port"] != taken
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    server.stop()
    with (tmp_path / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(UserError, match="no_such_setting"):
        server.start()


def test_for_a_user_without_a_name_as_in_a_container_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {entry.pw_uid for entry in pwd.getpwall()}
    nobody = next(number for number in range(40_000, 50_000) if number not in known)
    monkeypatch.setattr(os, "geteuid", lambda: nobody)
    with pytest.raises(UserError, match=rf"no database for user {nobody}.*/etc/passwd"):
        EmbeddedPostgres(tmp_path / "server").start()


def test_it_takes_no_one_without_the_password(postgres: EmbeddedPostgres) -> None:
    document = login(postgres.uri("postgres"), "source")
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        psycopg2.connect(
            host=document["host"], port=document["port"], user=document["username"], password="wrong", dbname="postgres"
        )


def test_a_note_of_a_server_that_is_gone_is_no_hindrance_though_its_number_is_anothers(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    note = tmp_path / "server" / "data" / "postmaster.pid"
    written = note.read_text()
    server.stop()
    # A process of the same user, for that of another PostgreSQL itself takes for none of its own.
    other = subprocess.Popen(["sleep", "60"], **server._surroundings)
    try:
        note.write_text(written.replace(written.partition("\n")[0], str(other.pid), 1))
        server.start()
        assert value(server.uri("postgres"), "SELECT 1") == 1
    finally:
        server.stop()
        other.kill()
        other.wait()


@pytest.mark.parametrize("said", ["could not write: No space left on device", "HINT:  Check free disk space."])
def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    full = f"FATAL: {said}\nPANIC: aborted"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", full))
    with pytest.raises(UserError, match=r"^no room is left on the disk of .*/server; make some"):
        EmbeddedPostgres(tmp_path / "server").start()
