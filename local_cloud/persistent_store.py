"""What outlives a local cloud's processes: its lake's objects and its secrets, in one file.

Whatever is written here is completely on the disk when the call returns; after a power cut it is there whole or not at
all. Buckets and secrets are identified by their place in the stacks, since every deployment makes up new names.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

FORMAT = 1
"""Raised by a version that cannot read what the one before it has kept."""

_EMBEDDED_HOST = "127.0.0.1"
_PORT = "port"

_TABLES = """
CREATE TABLE IF NOT EXISTS object
    (bucket TEXT, key TEXT, written TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (bucket, key));
CREATE TABLE IF NOT EXISTS secret (place TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class PersistentStore:
    """The file; threads may share it. Only its owner may read it, for it has passwords."""

    def __init__(self, path: Path) -> None:
        """Open it, and make it if it is not there."""
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._file.close()

    def put_object(self, bucket: str, key: str, body: bytes, written: datetime) -> None:
        """Keep an object, in the place of another of its key.

        Args:
            bucket: its place in the stacks.
            key: the object's.
            body: what it holds.
            written: when, by the store's clock.
        """
        self._write("REPLACE INTO object VALUES (?, ?, ?, ?)", bucket, key, written.isoformat(), body)

    def delete_object(self, bucket: str, key: str) -> None:
        """Keep an object no longer."""
        self._write("DELETE FROM object WHERE bucket = ? AND key = ?", bucket, key)

    def empty(self, bucket: str) -> None:
        """Keep nothing of a bucket any longer."""
        self._write("DELETE FROM object WHERE bucket = ?", bucket)

    def objects(self, bucket: str) -> Iterator[tuple[str, bytes, datetime]]:
        """Yield key, body and moment of each object of a bucket; nothing may be written meanwhile."""
        with self._lock:
            for key, body, written in self._file.execute(
                "SELECT key, body, written FROM object WHERE bucket = ? ORDER BY key", [bucket]
            ):
                yield key, body, datetime.fromisoformat(written)

    def put_secret(self, place: str, document: Mapping[str, Any]) -> None:
        """Keep a secret with all its versions.

        Args:
            place: in the stacks.
            document: `versions` by id, each with its value as `secret_string`, and whatever else is to be kept.
        """
        self._write("REPLACE INTO secret VALUES (?, ?)", place, json.dumps(document))

    def secret(self, place: str) -> dict[str, Any] | None:
        """A secret that was kept; None: there is none."""
        with self._lock:
            found = self._file.execute("SELECT document FROM secret WHERE place = ?", [place]).fetchone()
        return None if found is None else json.loads(found[0])

    @property
    def port(self) -> int | None:
        """Where the embedded PostgreSQL was last; None: nowhere yet."""
        with self._lock:
            return self._port()

    def move(self, port: int) -> None:
        """Remember where the embedded PostgreSQL is, and have every login that leads to it lead there."""
        with self._lock, self._file:
            self._file.execute("BEGIN IMMEDIATE")
            before = self._port()
            secrets = self._file.execute("SELECT place, document FROM secret").fetchall()
            for place, document in secrets if before not in {None, port} else ():
                moved = _moved(json.loads(document), before, port)
                self._file.execute("REPLACE INTO secret VALUES (?, ?)", [place, json.dumps(moved)])
            self._file.execute("REPLACE INTO setting VALUES (?, ?)", [_PORT, str(port)])

    def _port(self) -> int | None:
        found = self._file.execute("SELECT value FROM setting WHERE name = ?", [_PORT]).fetchone()
        return None if found is None else int(found[0])

    def _write(self, statement: str, *values: str | bytes) -> None:
        with self._lock:
            self._file.execute(statement, values)


def _moved(secret: dict[str, Any], before: int | None, port: int) -> dict[str, Any]:
    versions = {}
    for name, version in secret["versions"].items():
        login = _login(version)
        if login.get("host") == _EMBEDDED_HOST and login.get("port") == before:
            versions[name] = {**version, "secret_string": json.dumps({**login, "port": port})}
        else:
            versions[name] = version
    return {**secret, "versions": versions}


def _login(version: Mapping[str, Any]) -> dict[str, Any]:
    """What a version of a secret says of a database; nothing where it is something else."""
    try:
        said = json.loads(version.get("secret_string") or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
