"""The publication: what the warehouse says becomes the newest snapshot, whole or not at all."""

import hashlib
import io
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

import polars as pl
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.dashboard_snapshot.manifest import (
    LATEST,
    Failed,
    Latest,
    Manifest,
    Moments,
    PartFile,
    Status,
    day_of,
    moments_key,
)
from totes.dashboard_snapshot.reading import read_parts
from totes.dashboard_snapshot.state import (
    Newest,
    capture_of,
    consistent_read_of,
    identity,
    last_verification,
    made_by,
    months_changed,
    months_of_batches,
    newest,
    rates,
)
from totes.dashboard_snapshot.tables import BATCH, FACTS, MONEY_DIGITS, WHOLE, Table
from totes.errors import BatchTaken
from totes.lake.folder import Folder, StoredObject

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_AT_ONCE = 8
_STAY_BY_KEY = 0.8
"""Where more than this part of a table's rows stays, those that are read again are looked up one by one."""
_JSON, _PARQUET = "application/json", "application/vnd.apache.parquet"


class _Overtaken(Exception):
    """Another publisher has written what this one was about to."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """The outcome of a publication.

    Attributes:
        batch: the newest batch of the snapshot that is the latest now.
        manifest: where its manifest lies.
        files: how many files this publication has written for it.
        bytes: how large these are.
    """

    batch: int
    manifest: str
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class _Before:
    """What was published before: the document that commits it, and its manifest; None where one is not there."""

    found: StoredObject | None
    latest: Latest | None
    manifest: Manifest | None


@dataclass(frozen=True, kw_only=True)
class _Basis:
    """What a new snapshot takes over from the one before.

    Attributes:
        latest: the document whose time of checking is not taken back; None: it may be.
        months_from: the snapshot whose months stay if no batch has changed them since; None: all are read.
        files_from: the snapshot whose files are not written again; None: all are written.
    """

    latest: Latest | None
    months_from: Manifest | None
    files_from: Manifest | None


def publish(warehouse: Connection, folder: Folder, *, checked_at: datetime | None = None) -> Published | None:
    """Publish what the warehouse says, if it says something new, and the time at which it was checked.

    Only those months are read again that batches since the last snapshot have changed. Files are written first, then
    the manifest, the day's moments, and last the document that makes it the latest: readers see the snapshot before it
    until then. A file is named by its content, and one that is there is not written again. If a warehouse was restored
    together with its lake, new batches get numbers that were used before. If the last snapshot has other batches of
    these numbers, no month of it is taken over. The same holds if one of its files is gone; that is checked with the
    first new snapshot of a day.

    Args:
        warehouse: the warehouse, as one who may read the views of schema report; outside a transaction.
        folder: where snapshots lie.
        checked_at: all changes of the source until then are in the warehouse; None: nobody has looked at the source.

    Returns:
        None if the warehouse holds no batch yet: nothing is written then.

    Raises:
        BatchTaken: other publishers were quicker, again and again.
        ConfigurationError: a view or the bucket is missing, or the bucket may not be written.
        LakeUnavailable: the store did not answer or refused for the moment.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _publish(warehouse, folder, checked_at)
        except _Overtaken:
            logger.info("another publisher was quicker; looking again")
    raise BatchTaken("other publishers have written the snapshot again and again; the next run publishes what is new")


def say_failed(folder: Folder, step: str, at: datetime) -> bool:
    """Write to the latest snapshot that the last run failed; return whether there is a snapshot.

    The warehouse is not asked, because it may be what has failed.

    Args:
        folder: where snapshots lie.
        step: the step that failed.
        at: when.

    Raises:
        BatchTaken: publishers were quicker, again and again.
        ConfigurationError, LakeUnavailable: as `publish` does.
    """
    for _ in range(_ATTEMPTS):
        before = _before(folder)
        if before.latest is None:
            return False
        status = replace(before.latest.status, failed=Failed(at=at, step=step))
        if folder.replace(LATEST, before.latest.with_status(status).body(), _JSON, before.found):
            return True
    raise BatchTaken("publishers have written the snapshot again and again; the next run says how things stand")


def _publish(warehouse: Connection, folder: Folder, checked_at: datetime | None) -> Published | None:
    before = _before(folder)
    with consistent_read_of(warehouse) as cursor:
        found = newest(cursor)
        if found is None:
            return None
        here = identity(cursor)
        if before.latest and checked_at is None and _waits(found, before.manifest, here):
            return Published(batch=before.latest.batch, manifest=before.latest.manifest)
        basis = _basis(cursor, before, here)
        status, known = _status(cursor, basis.latest, found, checked_at), rates(cursor)
        base = basis.months_from
        if before.latest and base and (base.batch, base.rates) == (found.batch, known):
            return _refresh_status(folder, before.found, before.latest, status)
        of_day = folder.find(moments_key(day_of(found.captured_at).isoformat()))
        if of_day is None:  # the first new snapshot of a day
            basis = _without_lost_files(folder, basis)
        writer = _write_files(cursor, folder, basis)
        manifest = Manifest(
            batch=found.batch,
            capture=capture_of(cursor, found.batch),
            captured_at=found.captured_at,
            loaded_at=found.loaded_at,
            published_at=datetime.now(UTC),
            status=status,
            warehouse=here,
            made_by=made_by(),
            money_digits=MONEY_DIGITS,
            rates=known,
            tables=writer.tables,
        )
    _commit(folder, before, of_day, manifest)
    logger.info("published batch %d: %d files, %d bytes", found.batch, writer.files, writer.bytes)
    return Published(batch=found.batch, manifest=manifest.key(), files=writer.files, bytes=writer.bytes)


def _waits(found: Newest, snapshot: Manifest | None, here: str) -> bool:
    """Whether a snapshot stays as it is, because its warehouse has lost batches, which the next loads bring again."""
    if snapshot is None or snapshot.warehouse != here or snapshot.batch <= found.batch:
        return False
    logger.warning(
        "the warehouse is at batch %d and the snapshot at %d: it waits until the warehouse has caught up",
        found.batch,
        snapshot.batch,
    )
    return True


def _basis(cursor: Cursor, before: _Before, here: str) -> _Basis:
    """Decide what is taken over from what was published before."""
    snapshot = before.manifest
    if snapshot is None or snapshot.warehouse != here:
        # Each month of another warehouse may say something else. A file is named by its content, and may stay.
        return _Basis(latest=before.latest, months_from=None, files_from=snapshot)
    if not _has_its_batches(cursor, snapshot):
        logger.warning("the warehouse has another batch %d than the snapshot, and all of it is read", snapshot.batch)
        # What was checked was checked with those other batches.
        return _Basis(latest=None, months_from=None, files_from=snapshot)
    if snapshot.made_by != made_by():
        # Other tables or views may say something else of each month.
        return _Basis(latest=before.latest, months_from=None, files_from=snapshot)
    return _Basis(latest=before.latest, months_from=snapshot, files_from=snapshot)


def _without_lost_files(folder: Folder, basis: _Basis) -> _Basis:
    """Take over nothing of a snapshot some of whose files are gone: a month that stays would name them again."""
    lost = _lost(folder, basis.files_from) if basis.files_from else []
    if not lost:
        return basis
    logger.warning("%d files of the snapshot are gone, such as %s: all are written again", len(lost), lost[0])
    return replace(basis, months_from=None, files_from=None)


def _refresh_status(folder: Folder, found: StoredObject | None, latest: Latest, status: Status) -> Published:
    """Say how things stand now with the snapshot that is the latest, and write nothing else."""
    if not folder.replace(LATEST, latest.with_status(status).body(), _JSON, found):
        raise _Overtaken
    return Published(batch=latest.batch, manifest=latest.manifest)


def _write_files(cursor: Cursor, folder: Folder, basis: _Basis) -> "_Writer":
    """Write the files of the new snapshot; return what has written them, which knows them all."""
    with _Writer(folder, basis.files_from) as writer:
        _read(cursor, writer, basis.months_from)
    return writer


def _before(folder: Folder) -> _Before:
    found = folder.find(LATEST)
    latest = Latest.from_body(found.body) if found else None
    of_latest = folder.find(latest.manifest) if latest else None
    return _Before(found=found, latest=latest, manifest=Manifest.from_body(of_latest.body) if of_latest else None)


def _has_its_batches(cursor: Cursor, snapshot: Manifest) -> bool:
    """Whether the warehouse has the batch that a snapshot ends with, and not another of its number."""
    capture = capture_of(cursor, snapshot.batch)
    return capture is not None and snapshot.capture in {capture, None}


def _lost(folder: Folder, snapshot: Manifest) -> list[str]:
    """The files of a snapshot that are not there, for example because a lifecycle rule has deleted them."""
    keys = [file.key(table, part) for table, parts in snapshot.tables.items() for part, file in parts.items()]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        there = pool.map(lambda key: next(iter(folder.keys(key)), None) == key, keys)
        return [key for key, is_there in zip(keys, there, strict=True) if not is_there]


def _status(cursor: Cursor, latest: Latest | None, found: Newest, checked_at: datetime | None) -> Status:
    """How things stand after a run that went well; the time of checking does not go back.

    It is never later than now: a laptop whose clock was wrong may have written that.
    """
    checked = [found.captured_at, *([checked_at] if checked_at else [])]
    if latest and latest.batch <= found.batch:
        checked.append(min(latest.status.checked_at, datetime.now(UTC)))
    return Status(checked_at=max(checked), verified=last_verification(cursor))


def _read(cursor: Cursor, writer: "_Writer", base: Manifest | None) -> None:
    """Read what is to be published; of a table that is split into months, only those that have changed since."""
    for fact in FACTS:
        months = months_changed(cursor, fact, base.batch) if base else None
        for table in (fact.current, fact.versions):
            writer.read(cursor, table, months)
    writer.read(cursor, BATCH, months_of_batches(cursor, base.batch) if base else None)
    for table in WHOLE:
        writer.read(cursor, table, None)


def _commit(folder: Folder, before: _Before, of_day: StoredObject | None, manifest: Manifest) -> None:
    """Write the manifest, the day's moments and the latest; raise _Overtaken if another publisher has written one."""
    folder.add(manifest.key(), manifest.body(), _JSON)
    day = manifest.as_of_day.isoformat()
    moments = Moments.from_body(of_day.body) if of_day else Moments()
    if not folder.replace(moments_key(day), moments.with_one(manifest).body(), _JSON, of_day):
        raise _Overtaken
    days = {*(before.latest.days if before.latest else _days(folder)), day}
    latest = Latest(
        manifest=manifest.key(),
        batch=manifest.batch,
        captured_at=manifest.captured_at,
        days=tuple(sorted(days)),
        status=manifest.status,
    )
    if not folder.replace(LATEST, latest.body(), _JSON, before.found):
        raise _Overtaken


def _days(folder: Folder) -> list[str]:
    """The days of which there are moments, by the names of their documents."""
    return [key.removeprefix("moments/").removesuffix(".json") for key in folder.keys("moments/")]


class _Writer:
    """Writes the files of a snapshot that the one before does not have: a few at once, while the next are read.

    Attributes:
        tables: the snapshot's files.
        files, bytes: how many were written, and how large these are.
    """

    def __init__(self, folder: Folder, before: Manifest | None) -> None:
        self._folder = folder
        self._before = before.tables if before else {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="put")
        self._puts: list[Future[bool]] = []
        self.tables: dict[str, dict[str, PartFile]] = {}
        self.files = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def read(self, cursor: Cursor, table: Table, months: Sequence[str] | None) -> None:
        """Read a table, or some of its months, and write the files that have changed; the other months stay."""
        held = dict(self._before.get(table.name, {})) if months is not None else {}
        parts = {part: file for part, file in held.items() if part not in (months or ())}
        if months is None or months:
            stay, all_rows = (sum(file.rows for file in files.values()) for files in (parts, held))
            by_key = table.counts_versions and stay > _STAY_BY_KEY * all_rows
            read_parts(
                cursor, table, lambda part, rows: self._write(table.name, part, rows, parts), months, by_key=by_key
            )
        self._wait()
        self.tables[table.name] = parts

    def _write(self, table: str, part: str, rows: pl.DataFrame, parts: dict[str, PartFile]) -> None:
        buffer = io.BytesIO()
        rows.write_parquet(buffer, compression="zstd", statistics=False)
        body = buffer.getvalue()
        file = PartFile(sha=hashlib.sha256(body).hexdigest()[:16], rows=rows.height, bytes=len(body))
        parts[part] = file
        if self._before.get(table, {}).get(part) == file:
            return
        self.files += 1
        self.bytes += file.bytes
        self._puts.append(self._pool.submit(self._folder.add, file.key(table, part), body, _PARQUET))

    def _wait(self) -> None:
        """Wait until all files are written; raise the error of one that is not."""
        puts, self._puts = self._puts, []
        for put in puts:
            put.result()
