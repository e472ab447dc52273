"""What psql takes: the limit of what totes can reach.

Each returns its memory itself, that of all its programs at once: this process only starts them.
"""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg2.extensions import parse_dsn

from tests.benchmark.suite.where import Where
from tests.benchmark.suite.worker import peak_of

_EVERY_SECONDS = 0.05


def copy_out_csv(where: Where) -> int:
    """The source's tables, as CSV, to nowhere."""
    return _psql_script(where, where.source, [rf"\copy {table} TO '/dev/null' CSV" for table in where.tables])


def copy_out_binary(where: Where) -> int:
    """The source's tables, in COPY's binary format, to nowhere."""
    return _psql_script(where, where.source, [rf"\copy {table} TO '/dev/null' BINARY" for table in where.tables])


def copy_in_csv(where: Where) -> int:
    """The star's rows, from files of CSV, into tables with the same keys."""
    files = Path(where.files)
    return _psql_script(where, where.target, [rf"\copy {each} FROM '{files / each}.csv' CSV" for each in where.stars])


def copy_in_binary(where: Where) -> int:
    """The star's rows, from files in COPY's binary format, into tables with the same keys."""
    files = Path(where.files)
    return _psql_script(
        where, where.target, [rf"\copy {each} FROM '{files / each}.binary' BINARY" for each in where.stars]
    )


def reload(where: Where) -> int:
    """What a shop without totes would do: all its tables once more, over two connections at once."""
    with _watched() as running, ThreadPoolExecutor(2) as connections:
        for done in [connections.submit(_copy_across, where, table, running) for table in where.tables]:
            done.result()
    return running.peak


class Running:
    """Programs that are run.

    Attributes:
        peak: bytes of memory that all that ran at once had at most; 0: they had ended before anybody looked.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str], uri: str, take: IO[bytes] | int, give: int) -> subprocess.Popen[bytes]:
        """Start a program that reads what it is to take and gives what it has."""
        process = subprocess.Popen(command, env=environment(uri), stdin=take, stdout=give)
        self._processes.append(process)
        return process

    def look(self) -> None:
        """See how much memory they have."""
        alive = [each.pid for each in list(self._processes) if each.returncode is None]
        self.peak = max(self.peak, sum(peak_of(pid) for pid in alive))


@contextmanager
def _watched() -> Iterator[Running]:
    running, ended = Running(), threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_SECONDS):
            running.look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield running
    finally:
        ended.set()
        watcher.join()


def _psql_script(where: Where, uri: str, script: list[str]) -> int:
    with _watched() as running:
        process = running.start(_psql(where), uri, subprocess.PIPE, subprocess.DEVNULL)
        process.communicate("\n".join(script).encode())
        _must_have_succeeded(process)
    return running.peak


def _copy_across(where: Where, table: str, running: Running) -> None:
    command = _psql(where)
    reading = running.start(
        [*command, "-c", f"COPY {table} TO STDOUT BINARY"], where.source, subprocess.DEVNULL, subprocess.PIPE
    )
    assert reading.stdout is not None
    with reading.stdout:
        writing = running.start(
            [*command, "-c", f"COPY {table} FROM STDIN BINARY"], where.target, reading.stdout, subprocess.DEVNULL
        )
    _must_have_succeeded(writing)
    _must_have_succeeded(reading)


def _psql(where: Where) -> list[str]:
    return [f"{where.binaries}/psql", "-qXv", "ON_ERROR_STOP=1"]


def _must_have_succeeded(process: subprocess.Popen[bytes]) -> None:
    if process.wait():
        raise RuntimeError(f"psql failed: {process.args!r}")


def environment(uri: str) -> dict[str, str]:
    """What libpq needs to connect; the password is in no argument, which everybody on the machine sees."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    return {name: str(value) for key, name in names.items() if (value := parse_dsn(uri).get(key))}
