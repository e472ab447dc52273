"""The whole comparison: every star table against the source, each in one snapshot, a page at a time."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import polars as pl
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.capture.source.contract import columns_of
from totes.capture.source.renaming import as_named_by
from totes.capture.source.snapshot import snapshot_of
from totes.capture.source_schema import SourceTable
from totes.catalog import has_table, lacking
from totes.consistent_read import consistent_read
from totes.errors import ConfigurationError
from totes.lake import Bucket
from totes.star.calendar import calendar_rows
from totes.star.convert import convert
from totes.star_schema import Calendar, Dimension, Fact, StarTable, source_key_of
from totes.verify import pages as paging
from totes.verify.compare import compare
from totes.verify.current import calendar_rows_held, current_rows, dates_named, keys_that_name
from totes.verify.in_flight import in_flight
from totes.verify.pages import SourcePages
from totes.verify.verdict import TableVerdict, Verdict
from totes.warehouse.definitions import columns_made, star_and_ledger
from totes.warehouse.ledger import newest_entry
from totes.warehouse.migrate import columns_and_keys
from totes.warehouse.others import must_inherit_nothing
from totes.warehouse.quarantine import open_quarantine

logger = logging.getLogger(__name__)

_KEPT = "SET idle_in_transaction_session_timeout TO '1h'"
"""While one database is read, the other's session is idle, for longer than other sessions of totes may be."""


def verify(
    source: Connection,
    warehouse: Connection,
    ingestion: Bucket,
    sources: Sequence[SourceTable],
    stars: Sequence[StarTable],
    *,
    mass_deletion_percent: int = 20,
) -> Verdict:
    """Compare keys and content of the warehouse's current state with the source.

    A row that differs is excused if it is in flight: the lake holds it and the warehouse does not yet, or the next
    capture will bring it, and no mass deletion stops that. It is also excused if it is in quarantine and belongs there.
    A row that can be converted now should have left the quarantine, unless the warehouse itself refuses it. Memory is
    bounded by a page of rows, and by the keys of rows that differ.

    Args:
        source: the source, outside a transaction.
        warehouse: the warehouse, outside a transaction.
        ingestion: the bucket of captured batches.
        sources: the source tables.
        stars: the star tables.
        mass_deletion_percent: how many of a hundred rows of a table may be gone at once.

    Raises:
        ContractError: the source does not have the shape that totes reads.
        SourceUnavailable: the source is a standby that is behind what was captured.
        ConfigurationError: the warehouse holds no batch yet, has lost a star table, a column of one or a table of the
            ledger, or has a table that inherits from one of totes; see also `totes.lake`.
        LakeUnavailable, LakeCorrupted: see `totes.lake`.
        psycopg2.Error: the connection to a database was lost.
    """
    for session in (source, warehouse):
        with session, session.cursor() as cursor:
            cursor.execute(_KEPT)
    with warehouse, warehouse.cursor() as cursor:
        _newest(cursor)
    sources = as_named_by(source, sources)
    with consistent_read(warehouse, star_and_ledger(stars), lacking) as cursor:
        must_inherit_nothing(cursor, stars)
        _must_have_its_columns(cursor, stars)
        held = _newest(cursor)
        with snapshot_of(source, sources) as snapshot:
            excused = in_flight(snapshot, ingestion, sources, held, mass_deletion_percent)
            pages = SourcePages(snapshot, sources, columns_of(snapshot, sources))
            tables = _Comparison(cursor, pages, excused.keys).of(stars)
    verdict = Verdict(batch=held, tables=tables, stopped=excused.stopped)
    logger.info("compared %d rows: %d differ", verdict.rows, verdict.differences)
    return verdict


def keys_to_repair(
    warehouse: Connection, stars: Sequence[StarTable], verdict: Verdict, *, most: int | None = None
) -> dict[str, list[int]]:
    """Return, by source table, the keys of the rows that repair what differs when they are captured again.

    A row of the calendar is repaired by a fact that names its date in its current state.

    Args:
        warehouse: the warehouse, outside a transaction.
        stars: the star tables.
        verdict: what differs.
        most: how many rows at most; None: all.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    recapture: dict[str, set[int]] = {}
    with warehouse, warehouse.cursor() as cursor:
        for table in stars:
            found = verdict.tables[table.name]
            if isinstance(table, Calendar):
                dates = pl.concat([found.missing, found.different])
                for fact in (fact for fact in stars if isinstance(fact, Fact) and dates.len()):
                    recapture.setdefault(fact.source, set()).update(keys_that_name(cursor, fact, dates))
            elif found.differences:
                keys = pl.concat([found.missing, found.extra, found.different])
                recapture.setdefault(table.source, set()).update(keys.to_list())
    chosen = islice(((source, key) for source, keys in recapture.items() for key in sorted(keys)), most)
    of_source: dict[str, list[int]] = {}
    for source, key in chosen:
        of_source.setdefault(source, []).append(key)
    return of_source


def _must_have_its_columns(cursor: Cursor, stars: Sequence[StarTable]) -> None:
    held, _ = columns_and_keys(cursor, [table.name for table in stars])
    gone = {f"{name}.{column}" for name, column, _, _ in columns_made(stars) if column not in held.get(name, ())}
    if gone:
        raise ConfigurationError(lacking(sorted(gone)))


def _newest(cursor: Cursor) -> int:
    entry = newest_entry(cursor) if has_table(cursor, "etl.batch") else None
    if entry is None:
        raise ConfigurationError("the warehouse holds no batch yet; run the pipeline first (totes run)")
    return entry.batch


class _Comparison:
    def __init__(self, cursor: Cursor, pages: SourcePages, excused: Mapping[str, pl.Series]) -> None:
        self._cursor = cursor
        self._pages = pages
        self._excused = excused

    def of(self, stars: Sequence[StarTable]) -> dict[str, TableVerdict]:
        verdicts = {table.name: self._table(table) for table in stars if not isinstance(table, Calendar)}
        facts = [table for table in stars if isinstance(table, Fact)]
        return {
            table.name: self._calendar(table, facts) if isinstance(table, Calendar) else verdicts[table.name]
            for table in stars
        }

    def _table(self, table: Fact | Dimension) -> TableVerdict:
        findings = _Findings(table, open_quarantine(self._cursor, table))
        key, after = source_key_of(table), None
        for page in self._pages.of(table):
            last = int(page[key][-1])
            excused = self._keys_in_flight(table, page, key)
            for expected, held in self._beside(table, page, key, after):
                findings.add(expected, held, excused)
            after = last
        while (beyond := current_rows(self._cursor, table, after, None, paging.PAGE_ROWS)) is not None:
            findings.add_extra(beyond[table.key], self._excused[table.source])
            after = int(beyond[table.key][-1])
        return findings.verdict()

    def _beside(
        self, table: Fact | Dimension, page: pl.DataFrame, key: str, after: int | None
    ) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
        """Pieces of a page of the source, each with the warehouse's rows of the same keys, at most a page of them."""
        while True:
            held = current_rows(self._cursor, table, after, int(page[key][-1]), paging.PAGE_ROWS)
            if held is None or held.height < paging.PAGE_ROWS:
                yield page, held
                return
            after = int(held[table.key][-1])
            of_page = page[key].cast(pl.Int64)
            yield page.filter(of_page <= after), held
            page = page.filter(of_page > after)
            if page.is_empty():
                return

    def _keys_in_flight(self, table: Fact | Dimension, page: pl.DataFrame, key: str) -> pl.Series:
        """The keys that are in flight, and those of the page that refer to a row in flight."""
        keys = [self._excused[table.source]]
        for join in table.joins:
            referring = page.filter(pl.col(join.on).cast(pl.Int64).is_in(self._excused[join.table].implode()))
            keys.append(referring[key].cast(pl.Int64).alias("key"))
        return pl.concat(keys)

    def _calendar(self, calendar: Calendar, facts: Sequence[Fact]) -> TableVerdict:
        named = pl.concat([pl.Series("date_id", [], dtype=pl.Date), *(dates_named(self._cursor, f) for f in facts)])
        expected = calendar_rows(calendar, named)
        held = calendar_rows_held(self._cursor, calendar)
        compared = compare(calendar.key, expected, held)
        return TableVerdict(
            rows=expected.height,
            missing=compared.missing,
            extra=compared.extra.clear(),  # a date that no fact names any more does no harm
            different=compared.different,
            columns=tuple(sorted(compared.columns)),
        )


_NO_KEYS = pl.Series("key", [], dtype=pl.Int64)


class _Findings:
    """What has been found of one table, page by page."""

    def __init__(self, table: Fact | Dimension, quarantine: pl.DataFrame) -> None:
        self._table = table
        self._quarantine = quarantine["key"]
        self._refused = quarantine.filter("as_it_is")["key"]
        self._rows = self._in_flight = self._quarantined = 0
        self._columns: set[str] = set()
        self._missing, self._extra, self._different = [_NO_KEYS], [_NO_KEYS], [_NO_KEYS]

    def add(self, page: pl.DataFrame, held: pl.DataFrame | None, excused: pl.Series) -> None:
        converted = convert(self._table, page)
        compared = compare(self._table.key, converted.rows, held)
        unconverted = converted.quarantine["key"]
        quarantined = pl.concat([self._refused, unconverted.filter(unconverted.is_in(self._quarantine.implode()))])
        self._rows += page.height
        # A row of the source that cannot be converted should be in quarantine. If the warehouse has an earlier version
        # of it, that is its last good version, and no extra row.
        missing = pl.concat([_keys(compared.missing), unconverted])
        self._missing.append(self._unexcused(missing, excused, quarantined))
        extra = _keys(compared.extra)
        self._extra.append(self._unexcused(extra.filter(~extra.is_in(unconverted.implode())), excused))
        different = self._unexcused(_keys(compared.different), excused, quarantined)
        self._different.append(different)
        if different.len():
            self._columns |= compared.columns

    def add_extra(self, keys: pl.Series, excused: pl.Series) -> None:
        self._extra.append(self._unexcused(_keys(keys).unique(maintain_order=True), excused))

    def _unexcused(self, keys: pl.Series, excused: pl.Series, quarantined: pl.Series = _NO_KEYS) -> pl.Series:
        if keys.is_empty():
            return keys
        in_quarantine = keys.is_in(quarantined.implode())
        in_flight = keys.is_in(excused.implode()) & ~in_quarantine
        self._quarantined += int(in_quarantine.sum())
        self._in_flight += int(in_flight.sum())
        return keys.filter(~in_quarantine & ~in_flight)

    def verdict(self) -> TableVerdict:
        return TableVerdict(
            rows=self._rows,
            missing=pl.concat(self._missing),
            extra=pl.concat(self._extra),
            different=pl.concat(self._different),
            columns=tuple(sorted(self._columns)),
            in_flight=self._in_flight,
            quarantined=self._quarantined,
        )


def _keys(keys: pl.Series) -> pl.Series:
    return keys.cast(pl.Int64).alias("key")
