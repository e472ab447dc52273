"""Pipelines that are weak on purpose, so that the machine is known to bite: each is a small mistake of the protocol.

A weakness is put into a function's process from outside, by the names of what the library has. One that names what is
not there any more ends the process at its start; one whose statement is not made any more is never caught, and the
mutation run says so.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from psycopg2 import sql

from tests.faults import boundary
from totes.capture.source.snapshot import Snapshot
from totes.lake import Bucket, CapturedTable, CaptureManifest, SortedRun, StarManifest, StarParts

Weakness = Callable[[], None]

_LATER = 1000
"""Transactions."""


def _module(name: str) -> Any:
    return importlib.import_module(f"totes.{name}")


def _put(holder: Any, name: str, replacement: Any) -> Any:
    """Put something in the place of what a module or a class has by a name, and return what was there."""
    there = getattr(holder, name)
    setattr(holder, name, replacement)
    return there


def _rewrites(pattern: str, replacement: str) -> Weakness:
    """The statements that have a pattern are made in other words."""
    return lambda: boundary.REWRITES.append((pattern, replacement))


def _captures(change: Callable[[CaptureManifest], CaptureManifest]) -> Weakness:
    """A batch's capture is committed with another manifest."""

    def weaken() -> None:
        def to_json(manifest: CaptureManifest) -> bytes:
            return written(change(manifest)) if manifest.batch > 1 else written(manifest)

        written: Callable[[CaptureManifest], bytes] = _put(CaptureManifest, "to_json", to_json)

    return weaken


def _captured_tables(change: Callable[[CapturedTable], CapturedTable]) -> Weakness:
    return _captures(
        lambda manifest: replace(manifest, tables={name: change(table) for name, table in manifest.tables.items()})
    )


def _stars(change: Callable[[StarManifest], StarManifest]) -> Weakness:
    """A batch's star rows are committed with another manifest."""

    def weaken() -> None:
        def to_json(manifest: StarManifest) -> bytes:
            return written(change(manifest)) if manifest.batch > 1 else written(manifest)

        written: Callable[[StarManifest], bytes] = _put(StarManifest, "to_json", to_json)

    return weaken


def _star_tables(change: Callable[[StarParts], StarParts]) -> Weakness:
    return _stars(
        lambda manifest: replace(manifest, tables={name: change(parts) for name, parts in manifest.tables.items()})
    )


def _watermark() -> None:
    """Ask the application's time stamps what is new, and not PostgreSQL."""

    def may_be_new(_snapshot: Snapshot, last: Any) -> sql.Composable:
        if last is None:
            return sql.SQL("true")
        return sql.SQL("last_updated > {}").format(sql.Literal(last.captured_at.replace(tzinfo=None)))

    _put(Snapshot, "may_be_new", may_be_new)


def _later_horizon() -> None:
    """Take what the horizon's own transaction wrote for seen."""

    def may_be_new(snapshot: Snapshot, last: Any) -> sql.Composable:
        return there(snapshot, last and replace(last, horizon=min(last.horizon + 1, snapshot.ceiling)))

    there: Callable[[Snapshot, Any], sql.Composable] = _put(Snapshot, "may_be_new", may_be_new)


def _always_continues() -> None:
    """Take a restored source for the same one, grown older."""
    _put(Snapshot, "continues", lambda _snapshot, _last: True)


def _commit_before_data() -> None:
    """Say that a batch is there, and bring its rows in a second transaction."""
    batches = _module("warehouse.batch")

    def open_and_commit(cursor: Any, *arguments: Any) -> None:
        open_entry(cursor, *arguments)
        cursor.connection.commit()

    open_entry = _put(batches, "open_entry", open_and_commit)


def _no_ledger() -> None:
    """Load the newest batch again, whatever the warehouse holds."""
    loading, batches, places = _module("warehouse.loading"), _module("warehouse.batch"), _module("warehouse.places")

    def append(cursor: Any, _place: Any, table: Any, staging: Any, batch: int) -> int:
        live = f"public.{table.name}"
        cursor.execute(f"ALTER TABLE {live} DROP CONSTRAINT IF EXISTS {table.name}_{table.key}_batch_id_key")
        names = ", ".join(column.name for column in table.columns)
        cursor.execute(
            sql.SQL(f"INSERT INTO {live} ({names}, batch_id) SELECT {names}, %s FROM {{}}").format(staging),
            (batch,),
        )
        return int(cursor.rowcount)

    def forget(cursor: Any, manifest: Any, edition: int, _place: Any) -> None:
        cursor.execute("DELETE FROM etl.batch_table WHERE batch_id = %s", (manifest.batch,))
        cursor.execute(
            "INSERT INTO etl.batch (batch_id, edition, capture_sha256, horizon, captured_at) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (manifest.batch, edition, manifest.capture, manifest.horizon, manifest.captured_at),
        )

    def transaction(self: Any, *, rebuild: bool) -> Any:
        outcome = there(self, rebuild=rebuild)
        if outcome.batch is None and not outcome.wanted:
            with self._connection, self._connection.cursor() as cursor:
                processed = loading.ProcessedBucket(self._bucket)
                if processed.newest:
                    newest = processed.read(processed.newest)
                    loading.load_batch(cursor, places.LIVE, self._tables, newest, processed.edition, self._bucket)
        return outcome

    _put(batches, "_append_versions", append)
    _put(batches, "open_entry", forget)
    there = _put(loading._Loader, "_transaction", transaction)


def _puts_over() -> None:
    """Put an object whether or not there is one."""

    def put(bucket: Bucket, key: str, body: bytes) -> bool:
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body)
        return True

    _put(Bucket, "put_new", put)


def _unread_digests() -> None:
    """Believe what an object says, whatever its digest."""

    def damaged(*_arguments: Any) -> Exception:
        return AssertionError("damaged")

    parts = _module("lake.parts")

    class Believed:
        """As many digests as are asked for, all equal."""

        @staticmethod
        def sha256(_body: bytes) -> Any:
            return Believed()

        def hexdigest(self) -> Any:
            return _Equal("0" * 64)

    _put(parts, "hashlib", Believed)
    _put(parts, "LakeCorrupted", damaged)


class _Equal(str):
    """A text that is equal to every other."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False


def _one_transaction_is_none() -> None:
    """Take a source in which one transaction has ended since the last batch for one in which none has."""

    def is_as_it_was(snapshot: Snapshot, last: CaptureManifest) -> bool:
        return snapshot.continues(last) and snapshot.ceiling - last.horizon <= 1

    _put(Snapshot, "is_as_it_was", is_as_it_was)


def _first_stretch_only() -> None:
    """Read of the places in which new rows lie the first only."""

    def place(counts: Sequence[int], *others: Any) -> sql.Composable:
        first = next((stretch for stretch, count in enumerate(counts) if count), 0)
        return there([count if stretch == first else 0 for stretch, count in enumerate(counts)], *others)

    there: Callable[..., sql.Composable] = _put(_module("capture.rows.counting"), "_place", place)


def _unread_count() -> None:
    """Never look for what is gone."""
    _put(_module("capture.changes").TableChanges, "_compare_keys", lambda _changes, _found: 0)


def _pieces_keep_all() -> None:
    """Take over all that pieces have read, whatever has become of it since."""
    baseline = _module("capture.pieces.coordinator").ReadBaseline
    nothing = CapturedTable(columns=(), held=0)
    _put(baseline, "still_current", lambda self, name, _since: self.manifest.tables.get(name, nothing).changes)


def _blind_comparison() -> None:
    """Take a row whose key is held for one that is held as it is."""
    _put(_module("capture.holdings.content"), "_differing", lambda candidates, _held, _key: candidates.clear())


def _skips_what_waits() -> None:
    """Transform the newest batch that waits, and no other."""
    journal = _module("lake.editions").StarJournal
    captured = _module("lake.journal").Journal

    def newest(stars: Any) -> int:
        waiting: int = captured(Bucket(stars.bucket.name.replace("processed", "ingestion"))).newest()
        return max(there(stars), waiting - 1)

    there: Callable[[Any], int] = _put(journal, "newest", newest)


def _joins_another() -> None:
    """Complete each row by some row of the other table."""
    star = _module("star.batch")

    def complete(rows: Any, join: Any, completing: Any) -> Any:
        return there(rows, join, completing.with_columns(completing[join.key].sort().reverse().alias(join.key)))

    there = _put(star, "complete", complete)


def _unread_context() -> None:
    """Bring no row that completes what has changed."""
    _captured_tables(lambda table: replace(table, context=()))()


def _older_wins(table: CapturedTable) -> CapturedTable:
    return replace(table, holdings=tuple(reversed(table.holdings)))


def _sorted_runs_without_deletes(table: CapturedTable) -> CapturedTable:
    return replace(table, holdings=tuple(replace(sorted_run, deleted=()) for sorted_run in table.holdings))


def _newest_sorted_run_lost(table: CapturedTable) -> CapturedTable:
    return replace(table, holdings=table.holdings[:-1]) if len(table.holdings) > 1 else table


def _merge_keeps_the_oldest() -> None:
    """Merge sorted runs so that the oldest word of a key counts."""
    merging = _module("capture.holdings.merging")

    def merged(sorted_runs: Sequence[SortedRun], *arguments: Any, **keywords: Any) -> SortedRun:
        result: SortedRun = there(list(reversed(sorted_runs)), *arguments, **keywords)
        return result

    there = _put(merging, "_merged", merged)


def _changes_lost(table: CapturedTable) -> CapturedTable:
    """The lake holds them, and the batch does not bring them."""
    return replace(table, changes=table.changes[:-1])


def _all_but_dim_staff(manifest: StarManifest) -> StarManifest:
    return replace(manifest, tables={**manifest.tables, "dim_staff": StarParts(rows_in=0)})


def _payments_unclosed(manifest: StarManifest) -> StarManifest:
    payments = manifest.tables["fact_payment"]
    return replace(manifest, tables={**manifest.tables, "fact_payment": replace(payments, deletes=())})


def _edition_without_its_last_rows() -> None:
    """Replay every batch but with nothing in those that follow the first."""
    draft = _module("lake.editions").Draft

    def commit(self: Any, batch: int, manifest: bytes) -> None:
        stars = StarManifest.from_json(manifest)
        nothing = {name: StarParts(rows_in=0) for name in stars.tables}
        there(self, batch, replace(stars, tables=nothing).to_json() if batch > 1 else manifest)

    there = _put(draft, "commit", commit)


def _seconds_only() -> None:
    """Cut the milliseconds off."""
    star = _module("star.batch")

    def convert(table: Any, source: Any) -> Any:
        converted = there(table, source)
        times = [name for name, dtype in converted.rows.schema.items() if dtype == pl.Time]
        return replace(converted, rows=converted.rows.with_columns(pl.col(times).dt.truncate("1s")))

    there = _put(star, "convert", convert)


WEAKNESSES: Mapping[str, Weakness] = {
    # horizon
    "watermark": _watermark,
    "the horizon is the newest transaction": _rewrites(r"pg_snapshot_xmin\(", "pg_snapshot_xmax("),
    "the horizon's own transaction is left out": _later_horizon,
    "the horizon is later than it was": _captures(lambda batch: replace(batch, horizon=batch.horizon + _LATER)),
    "a restored source continues": _always_continues,
    "one transaction is none": _one_transaction_is_none,
    # what has changed
    "the count is right whatever it is": _unread_count,
    "new rows are read where the first lies": _first_stretch_only,
    "rows of a key that is held are held": _blind_comparison,
    # holdings
    "an older sorted run wins": _captured_tables(_older_wins),
    "sorted runs forget what is gone": _captured_tables(_sorted_runs_without_deletes),
    "the newest sorted run is lost": _captured_tables(_newest_sorted_run_lost),
    "a merge keeps the oldest": _merge_keeps_the_oldest,
    # the ingestion bucket's manifests
    "pieces keep what has changed since": _pieces_keep_all,
    "a batch loses a part": _captured_tables(_changes_lost),
    "a batch loses what is gone": _captured_tables(lambda table: replace(table, deletes=())),
    "a batch names no parent": _captures(lambda batch: replace(batch, parent=None)),
    "a manifest is put over another": _puts_over,
    "digests are not read": _unread_digests,
    # joins
    "no row completes what has changed": _unread_context,
    "rows are completed by others": _joins_another,
    "a completed dimension is left out": _stars(_all_but_dim_staff),
    # the processed bucket's manifests
    "only the newest batch is transformed": _skips_what_waits,
    "star rows lose a part": _star_tables(lambda parts: replace(parts, parts=parts.parts[:-1])),
    "payments are not closed": _stars(_payments_unclosed),
    "quarantine is left out": _star_tables(lambda parts: replace(parts, quarantine=())),
    "rows are counted wrong": _star_tables(lambda parts: replace(parts, rows_in=parts.rows_in + len(parts.parts))),
    "milliseconds are cut off": _seconds_only,
    # the ledger
    "commit before data": _commit_before_data,
    "no ledger": _no_ledger,
    "the ledger's horizon is later": _stars(lambda batch: replace(batch, horizon=batch.horizon + _LATER)),
    "loaders do not wait for each other": _rewrites(r"SELECT pg_advisory_xact_lock\(", "SELECT abs("),
    # the merge with what the warehouse holds
    "every row is a version": _rewrites(r"WHERE held\.\w+ IS NULL OR held\.is_deleted OR .*? (ORDER BY)", r"\1"),
    "rows are compared with the oldest version": _rewrites(
        r"ORDER BY version\.batch_id DESC", "ORDER BY version.batch_id"
    ),
    "a key that comes again is unchanged": _rewrites(r"held\.is_deleted OR", ""),
    "dimensions keep their first row": _rewrites(r"DO UPDATE SET .*", "DO NOTHING"),
    "dimensions do not mark what is gone": _rewrites(r"is_deleted = true FROM", "is_deleted = false FROM"),
    # editions
    "an edition without rows": _edition_without_its_last_rows,
}
