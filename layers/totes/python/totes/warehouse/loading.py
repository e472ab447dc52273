"""Every batch that waits in the processed bucket is loaded into the warehouse, each in one transaction, in order."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.lake import Bucket, StarManifest
from totes.outcomes import ASK_AGAIN, Span
from totes.savepoints import savepoint
from totes.sqlstate import COMES_AGAIN, is_of_class, primary_message
from totes.star_schema import StarTable
from totes.warehouse.batch import is_large, load_batch
from totes.warehouse.ledger import (
    Content,
    Entry,
    RowCounts,
    WarehouseState,
    content,
    count_quarantined,
    lock,
    newest_entry,
    sum_of_row_counts,
    write_content,
)
from totes.warehouse.migrate import SchemaCheck, ensure_tables
from totes.warehouse.others import why_failed, why_refused
from totes.warehouse.places import LIVE
from totes.warehouse.processed_bucket import ProcessedBucket
from totes.warehouse.rebuild import NO_ROOM, CrashedAgain, PutOff, Rebuild, StepResult, is_under_way, rebuild_put_off
from totes.warehouse.record_ids import raise_sequences
from totes.warehouse.same_lake import must_be_of
from totes.warehouse.upkeep import Upkeep

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Rebuilding:
    """A rebuild that is under way: how many batches it has staged, and of how many. A later load goes on with it."""

    staged: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load came to.

    Attributes:
        batches: the batches that were loaded; all of them if the warehouse was rebuilt.
        newest: the newest in the warehouse; 0: none.
        tables: their row counts.
        quarantined: how many rows are in quarantine now.
        rebuilding: the rebuild that is under way, and that there was no time to finish; None: there is none.
    """

    batches: Span
    newest: int
    tables: Mapping[str, RowCounts]
    quarantined: int
    rebuilding: Rebuilding | None = None


def load(
    connection: Connection,
    processed: Bucket,
    tables: Sequence[StarTable],
    *,
    captured: Callable[[], int] | None = None,
    code: str | None = None,
    rebuild: bool = False,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Loaded:
    """Load every batch that the warehouse does not hold yet.

    A batch's rows and its row in the ledger commit together, in the order of batches, under a lock. So if a load dies,
    is repeated or overlaps another, each batch is in the warehouse once or not yet.

    Then the warehouse is rebuilt if it is empty, if a star table or a column of one was dropped, if its content is of
    another edition of the star than the bucket's newest, if somebody asks for it, or if the next batch is too large for
    a transaction. New tables are built beside the live ones and take their place in one transaction: readers see the
    old content or the new. The next load goes on with what there was no time for. If a rebuild is refused, or readers
    never leave the tables, a large batch is loaded in one transaction after all. A rebuild that only a person wants is
    not wanted any more once it is refused: this load fails, and no later one. If the server has no room for a rebuild,
    this load fails too, and none begins by itself for a day; the batches that wait are loaded meanwhile.

    Args:
        connection: the warehouse, outside a transaction.
        processed: the processed bucket.
        tables: the star tables.
        captured: asks for the newest batch of the ingestion bucket, by which a lake that was put back is told before it
            has another batch; None: it is not told before.
        code: the fingerprint of the code that makes the star: if it has made the newest edition, columns that it does
            not know are taken away; None: not known.
        rebuild: whether to rebuild the warehouse in any case.
        time_is_up: asked after each transaction whether to stop.

    Raises:
        ConfigurationError: the warehouse was filled from another lake, has tables that totes did not make, that a
            newer totes made or that cannot be brought up to their definitions in place, or its encoding is not UTF8; or
            it has no room for a rebuild.
        LakeCorrupted: the lake was put back to before the newest batch of the warehouse; see also `totes.lake`.
        LakeUnavailable: see `totes.lake`.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    return _Loader(connection, processed, tables, captured, code, time_is_up).load(rebuild=rebuild)


@dataclass(frozen=True, kw_only=True)
class _TransactionOutcome:
    """What a transaction came to.

    Attributes:
        batch: the batch that it has loaded; None: none waits, or a large one does.
        tables: its row counts.
        wanted: whether the warehouse wants to be rebuilt.
        large: the batch that waits and is too large for a transaction; None: there is none.
        seen: what the warehouse holds, by which that was decided.
    """

    batch: int | None
    tables: Mapping[str, RowCounts]
    wanted: bool
    large: int | None = None
    seen: WarehouseState | None = None


class _Loader:
    def __init__(
        self,
        connection: Connection,
        bucket: Bucket,
        tables: Sequence[StarTable],
        captured: Callable[[], int] | None,
        code: str | None,
        time_is_up: Callable[[], bool],
    ) -> None:
        self._captured = captured
        self._code = code
        self._connection = connection
        self._bucket = bucket
        self._tables = tables
        self._time_is_up = time_is_up
        self._asked = False
        """Whether somebody asks this very load for a rebuild."""
        self._upgrade_tried = False
        self._upkeep = Upkeep(tables)
        self._load_in_one_transaction: int | None = None
        """The batch that is loaded in one transaction however large it is."""
        self._put_off: PutOff | None = None
        """Why no rebuild begins by itself now."""
        self._batches: list[int] = []
        self._row_counts = {table.name: RowCounts() for table in tables}

    def load(self, *, rebuild: bool) -> Loaded:
        self._asked = rebuild
        rebuilding = Rebuild(self._connection, self._bucket, self._tables)
        try:
            return self._load_and_rebuild(rebuilding, rebuild=rebuild)
        except (*NO_ROOM, CrashedAgain) as error:  # also of a batch: what was built so far takes its room
            why = f"the server has no room: {primary_message(error)}" if isinstance(error, NO_ROOM) else str(error)
            if given_up := rebuilding.put_off(why):
                raise given_up from error
            raise
        except psycopg2.Error as error:
            self._name_others(error)
            raise
        finally:
            rebuilding.close()

    def _name_others(self, error: psycopg2.Error) -> None:
        """Raise the ConfigurationError that names an event trigger of others, if that is why a statement has failed."""
        if by_others := why_failed(self._connection, error):
            raise by_others from error

    def _load_and_rebuild(self, rebuilding: Rebuild, *, rebuild: bool) -> Loaded:
        """Load what waits, and take a step of the rebuild that is wanted, in turn."""
        while True:
            outcome = self._transaction_with_record_ids(rebuild=rebuild)
            rebuild = False
            if outcome.batch is not None:
                self._batches.append(outcome.batch)
                self._row_counts = {name: counts + outcome.tables[name] for name, counts in self._row_counts.items()}
                if not self._time_is_up():
                    continue
            if not outcome.wanted:
                return self._result()
            if outcome.batch is None:
                step = self._step(rebuilding, outcome)
                if step is StepResult.DONE:
                    return self._result(rebuilt=True)
                forced = outcome.large is not None and self._load_in_one_transaction == outcome.large
                if not self._time_is_up() and (step is StepResult.MORE or forced):
                    continue
            return self._result(rebuilding=Rebuilding(staged=rebuilding.staged, of=rebuilding.of))

    def _step(self, rebuilding: Rebuild, outcome: _TransactionOutcome) -> StepResult:
        """Take a step of the rebuild; if that is not possible, or not now, a large batch is loaded without it."""
        large = outcome.large
        try:
            step = self._rebuilt(rebuilding, outcome)
        except ConfigurationError as error:
            if large is None:
                if rebuilding.withdraw():
                    raise ConfigurationError(f"{error}; {ASK_AGAIN}") from error
                raise
            logger.warning("batch %d is large, and no rebuild can bring it: %s", large, error)
            rebuilding.give_up()
            step = StepResult.LATER
        if step is StepResult.LATER and large is not None:
            logger.info("batch %d is loaded in one transaction", large)
            self._load_in_one_transaction = large
        return step

    def _rebuilt(self, rebuilding: Rebuild, outcome: _TransactionOutcome) -> StepResult:
        try:
            return rebuilding.step(outcome.seen)
        except psycopg2.Error as error:
            self._name_others(error)
            raise

    def _transaction_with_record_ids(self, *, rebuild: bool) -> _TransactionOutcome:
        """Load the next batch that waits; again, if it was refused because a sequence of record ids is behind."""
        try:
            return self._transaction(rebuild=rebuild)
        except psycopg2.errors.UniqueViolation as error:
            with self._connection, self._connection.cursor() as cursor:
                lock(cursor)
                if not raise_sequences(cursor, self._tables, error):
                    raise
        return self._transaction(rebuild=rebuild)

    def _transaction(self, *, rebuild: bool) -> _TransactionOutcome:
        """Load the next batch that waits."""
        upkeep = replace(self._upkeep)
        with self._connection, self._connection.cursor() as cursor:
            outcome = self._take_up(cursor, upkeep, rebuild=rebuild)
        # Only now: a transaction that is rolled back and tried again has to do it all again.
        self._upkeep, self._upgrade_tried = upkeep, True
        return outcome

    def _take_up(self, cursor: Cursor, upkeep: Upkeep, *, rebuild: bool) -> _TransactionOutcome:
        """Bring the tables up to their definitions, decide whether they are rebuilt, and load what waits."""
        lock(cursor)
        # Only now: what the bucket held before the lock may be older than what another loader has loaded meanwhile.
        processed = ProcessedBucket(self._bucket)
        check = ensure_tables(cursor, self._tables, all_of_it=not self._upgrade_tried)
        entry = newest_entry(cursor)
        if entry is not None:
            must_be_of(cursor, processed, entry, self._captured)
        stored_content = content(cursor)
        asked = rebuild or stored_content.rebuild
        wanted = asked or is_under_way(cursor)
        self._put_off = None if wanted else rebuild_put_off(cursor)
        if entry is None or not processed.is_edition_of(stored_content):
            wanted = wanted or self._begins_by_itself(processed, can_load=entry is not None and check.fits)
        if check.fits:
            upkeep.make_good(cursor, to_be_filled=entry is None and processed.newest > 0)
            if check.gone:
                logger.warning("%s was dropped; the warehouse is rebuilt", ", ".join(check.gone))
                asked = wanted = True
        elif not self._may_replace_tables(cursor, processed, check, stored_content, wanted=wanted):
            _must_be_replayed(check, processed, self._code)
            return _TransactionOutcome(batch=None, tables={}, wanted=False)
        said = _content_now(processed, stored_content, asked=asked, is_lacking=bool(check.gone))
        if said != stored_content:
            write_content(cursor, said)
        seen = WarehouseState(content=said, newest=entry)
        if entry is None or not check.fits or entry.batch >= processed.newest:
            return _TransactionOutcome(batch=None, tables={}, wanted=wanted and processed.newest > 0, seen=seen)
        return self._next_batch(cursor, processed, entry, wanted=wanted, seen=seen)

    def _begins_by_itself(self, processed: ProcessedBucket, *, can_load: bool) -> bool:
        """Whether the rebuild that the warehouse needs begins now; if not, it is loaded as it is.

        Raises:
            ConfigurationError: the rebuild is put off, and nothing can be loaded without it.
        """
        if self._put_off is None:
            return True
        if not can_load and processed.newest > 0:
            raise ConfigurationError(self._put_off.why)
        if not self._upgrade_tried:  # once a run
            logger.warning("the rebuild is put off until %s: %s", self._put_off.until, self._put_off.why)
        return False

    def _may_replace_tables(
        self,
        cursor: Cursor,
        processed: ProcessedBucket,
        check: SchemaCheck,
        stored_content: Content,
        *,
        wanted: bool,
    ) -> bool:
        """Whether tables that do not fit may be replaced by a rebuild.

        Columns of a newer totes are taken away only if a person asks this very code for a rebuild, or it has begun
        one, or has published an edition. What a newer totes was asked for, or has begun or published, is no reason.
        """
        if not check.newer:
            return wanted
        if self._asked:
            return True
        published = (
            not processed.is_edition_of(stored_content) and self._code is not None and processed.made_by() == self._code
        )
        return published or is_under_way(cursor, self._tables)

    def _next_batch(
        self, cursor: Cursor, processed: ProcessedBucket, entry: Entry, *, wanted: bool, seen: WarehouseState
    ) -> _TransactionOutcome:
        """Load the batch that follows the ledger's newest, unless it is for a rebuild."""
        manifest = processed.manifest(entry.batch + 1, after=entry)
        if is_large(manifest) and manifest.batch != self._load_in_one_transaction and self._put_off is None:
            logger.info("batch %d is large: the warehouse is rebuilt with it", manifest.batch)
            return _TransactionOutcome(batch=None, tables={}, wanted=True, large=manifest.batch, seen=seen)
        outcome = self._load_batch(cursor, processed, manifest, wanted=wanted)
        return outcome or _TransactionOutcome(batch=None, tables={}, wanted=True, seen=seen)

    def _load_batch(
        self, cursor: Cursor, processed: ProcessedBucket, manifest: StarManifest, *, wanted: bool
    ) -> _TransactionOutcome | None:
        """Load a batch; None if the tables refuse it and are to be rebuilt anyway, which may cure that."""
        begun: list[StarTable] = []
        try:
            with savepoint(cursor) if wanted else nullcontext():
                counted = load_batch(
                    cursor, LIVE, self._tables, manifest, processed.edition, self._bucket, begun.append
                )
        except psycopg2.Error as error:
            if not wanted or not is_of_class(error, COMES_AGAIN):
                if by_others := why_refused(cursor, error, self._tables, begun, manifest.batch):
                    raise by_others from error
                raise
            logger.warning(
                "batch %d waits for the rebuild, for the current tables refuse it: %s", manifest.batch, error
            )
            return None
        logger.info("loaded batch %d", manifest.batch, extra={"batch": manifest.batch})
        return _TransactionOutcome(batch=manifest.batch, tables=counted, wanted=wanted)

    def _result(self, *, rebuilt: bool = False, rebuilding: Rebuilding | None = None) -> Loaded:
        """What the load came to: all that the warehouse holds if it was rebuilt, or else what was loaded."""
        with self._connection, self._connection.cursor() as cursor:
            self._upkeep.describe_at_last(cursor)
            entry = newest_entry(cursor)
            newest = entry.batch if entry else 0
            batches = range(1, newest + 1) if rebuilt else self._batches
            counts = sum_of_row_counts(cursor) if rebuilt else self._row_counts
            return Loaded(
                batches=Span(
                    first=batches[0] if batches else None, last=batches[-1] if batches else None, count=len(batches)
                ),
                newest=newest,
                tables={table.name: counts.get(table.name, RowCounts()) for table in self._tables},
                quarantined=count_quarantined(cursor),
                rebuilding=rebuilding,
            )


def _content_now(processed: ProcessedBucket, stored: Content, *, asked: bool, is_lacking: bool) -> Content:
    """What is to be written of the warehouse's content before anything is loaded.

    What was dropped is there again, empty, and no later load sees that it was: so the content is of no edition now. Of
    a warehouse that an earlier totes has filled the digest of its edition is written for the first time.
    """
    if is_lacking:
        return Content(edition=None, rebuild=asked)
    if stored.edition_digest is None and processed.is_edition_of(stored):
        return replace(stored, rebuild=asked, edition_digest=processed.edition_digest)
    return replace(stored, rebuild=asked)


def _must_be_replayed(check: SchemaCheck, processed: ProcessedBucket, code: str | None) -> None:
    """Refuse tables that do not fit and that nothing makes again.

    Raises:
        ConfigurationError: batches cannot be loaded into the tables, and this code makes no replay.
    """
    if not processed.is_replayed(code):
        raise ConfigurationError(check.problem())
    logger.info("nothing is loaded into tables of another shape until the replay that is under way is published")
