"""What must hold whatever has happened, checked against the audit log that the pipeline never sees.

Each check returns the violations that it finds, a sentence each.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from tests.faults.world import World
from tests.support.content import content_of
from tests.support.databases import rows, session, value
from tests.support.oracle import ACTUAL, EXPECTED
from totes.capture import SOURCE_TABLES
from totes.capture.source_schema import Family
from totes.lake import CaptureManifest, Journal
from totes.star import STAR_TABLES
from totes.star_schema import Fact, Kind
from totes.warehouse import load

FACTS = [table for table in STAR_TABLES if isinstance(table, Fact)]
SOURCES = {table.name: table.columns for table in SOURCE_TABLES}


@dataclass(frozen=True)
class Written:
    """A row as a writer left it: by which transaction, and what its star row would say."""

    xid: int
    is_deleted: bool
    state: str


@dataclass(frozen=True)
class Version:
    """A version as the warehouse has it."""

    batch: int
    is_deleted: bool
    state: str


class Trail:
    """What of a source's audit log earlier checks have read, so that the next one reads what is new and no more.

    Attributes:
        due: what transactions before this one wrote is in the warehouse, whatever its newest batch says of itself.
    """

    def __init__(self) -> None:
        self.due = 0
        self._source = ""
        self._since = 0
        self._entries: dict[str, dict[int, dict[int, Written]]] = {}

    def read(self, world: World, cursor: Cursor) -> Mapping[str, Mapping[int, Sequence[Written]]]:
        """Return what was written, by fact and key, in order; the cursor is the source's."""
        if self._source != world.source:  # a restored source's log is another one
            self._source, self._since, self._entries = world.source, 0, {fact.name: {} for fact in FACTS}
            self.due = 0
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        [[open_since]] = cursor.fetchall()
        for fact in FACTS:
            for key, entry, written in _entries(cursor, fact, self._since):
                self._entries[fact.name].setdefault(key, {})[entry] = written
        self._since = open_since
        return {
            name: {key: [entries[number] for number in sorted(entries)] for key, entries in keys.items()}
            for name, keys in self._entries.items()
        }


def oldest_open(world: World) -> int:
    """The transaction of the source before which all have ended."""
    return int(value(world.source, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))


def after_every_run(world: World, trail: Trail | None = None) -> list[str]:
    """Complete, single, ordered and atomic: they hold at every moment, faults or not."""
    trail = trail or Trail()
    with session(world.warehouse) as warehouse, warehouse.cursor() as held:
        held.execute("SELECT to_regclass('etl.batch') IS NOT NULL")
        if held.fetchall() == [(False,)]:
            return []
        with session(world.source) as source, source.cursor() as log:
            written = trail.read(world, log)
            return _checked(held, written, trail.due)


def _checked(cursor: Cursor, written: Mapping[str, Mapping[int, Sequence[Written]]], due: int) -> list[str]:
    found = list(atomic(cursor))
    cursor.execute("SELECT greatest(max(horizon), %s) FROM etl.batch", [due])
    [[horizon]] = cursor.fetchall()
    cursor.execute("SELECT star_table, key, reason FROM etl.quarantine WHERE resolved_by IS NULL")
    quarantined = set()
    for table, key, reason in cursor.fetchall():
        quarantined.add((table, key))
        if "comes twice" in reason:
            found.append(f"single: {table} {key} comes twice in a batch, and but once in the source")
    for fact in FACTS:
        history, entries = _versions(cursor, fact), written[fact.name]
        for key in history.keys() | entries.keys():
            sentences = _violations(
                history.get(key, []), entries.get(key, []), horizon, quarantined=(fact.name, key) in quarantined
            )
            found += [f"{fact.name} {key}: {sentence}" for sentence in sentences]
    return found


def versions_held(world: World) -> int:
    """How many versions the facts have."""
    with session(world.warehouse) as warehouse, warehouse.cursor() as cursor:
        cursor.execute("SELECT to_regclass('etl.batch') IS NOT NULL")
        if cursor.fetchall() == [(False,)]:
            return 0
        counts = " + ".join(f"(SELECT count(*) FROM {fact.name})" for fact in FACTS)
        cursor.execute(f"SELECT {counts}")
        [[count]] = cursor.fetchall()
        return int(count)


def once_all_is_well(world: World) -> list[str]:
    """Healing, accounted and replayable: they hold two runs after the last fault."""
    return [*as_the_source_says(world), *replayable(world)]


def as_the_source_says(world: World) -> list[str]:
    """Healing and accounted, and no more: to rebuild a warehouse reads all that its lake has."""
    verdict = world.verdict()
    found = [
        f"healing: {name} is not what the source says: {table.to_dict()}"
        for name, table in verdict.tables.items()
        if table.differences or table.in_flight
    ]
    return [*found, *accounted(world)]


def atomic(cursor: Cursor) -> Iterator[str]:
    """Data and ledger agree, as any reader sees them at any moment."""
    for fact in FACTS:
        cursor.execute(
            f"""
            SELECT batch_id, held, told FROM
            (SELECT batch_id, count(*) AS held FROM {fact.name} GROUP BY 1) AS facts FULL JOIN
            (SELECT batch_id, versions + deleted AS told FROM etl.batch_table WHERE star_table = %s) AS ledger
            USING (batch_id) WHERE coalesce(held, 0) <> coalesce(told, 0)
            """,
            [fact.name],
        )
        for batch, held, told in cursor.fetchall():
            yield f"atomic: of batch {batch} {fact.name} has {held or 0} versions, the ledger says {told or 0}"


def accounted(world: World) -> Iterator[str]:
    """What the lake has of each batch came in, and became a version, a delete, unchanged or quarantined."""
    journal = Journal(world.ingestion)
    told = {
        (batch, table): figures
        for batch, table, *figures in rows(
            world.warehouse,
            "SELECT batch_id, star_table, rows_in, versions + unchanged + quarantined + deleted FROM etl.batch_table",
        )
    }
    for batch in range(1, journal.newest() + 1):
        manifest = CaptureManifest.from_json(journal.read(batch))
        for fact in FACTS:
            captured = manifest.tables[fact.source]
            brought = sum(part.rows for part in (*captured.changes, *captured.deletes))
            if told.get((batch, fact.name), [0, 0]) != [brought, brought]:
                counted = told.get((batch, fact.name))
                yield f"accounted: batch {batch} brought {brought} rows of {fact.name}, not {counted}"


def replayable(world: World) -> Iterator[str]:
    """A warehouse rebuilt from the lake says the same."""
    with world.new_warehouse() as again:
        with session(again) as connection:
            load(connection, world.processed, STAR_TABLES)
        held, made = content_of(world.warehouse), content_of(again)
    for name in held:
        if held[name] != made[name]:
            differing = list(itertools.islice(set(map(repr, held[name])) ^ set(map(repr, made[name])), 4))
            yield f"replayable: {name} differs after the rebuild: {differing}"


def _violations(
    history: Sequence[Version], written: Sequence[Written], horizon: int, *, quarantined: bool
) -> Iterator[str]:
    yield from _doubled(history)
    position = -1
    for version in history[:-1]:
        found = _next(written, version, position + 1)
        if found is None:
            yield f"ordered: no writer wrote what batch {version.batch} says after what the batches before it say"
            return
        position = found
    if not quarantined:
        yield from _missed(history, written, horizon, position + 1)


def _doubled(history: Sequence[Version]) -> Iterator[str]:
    for one, next_one in itertools.pairwise(history):
        if (one.is_deleted, one.state) == (next_one.is_deleted, next_one.state):
            yield f"single: batches {one.batch} and {next_one.batch} say the same"


def _missed(history: Sequence[Version], written: Sequence[Written], horizon: int, start: int) -> Iterator[str]:
    """What was written before the horizon, and is neither the newest version nor older than it."""
    settled = [number for number, entry in enumerate(written) if entry.xid < horizon]
    if not settled:
        return
    due = settled[-1]
    if not history:
        # What a later transaction deleted before the snapshot that the batch was read from, no version need tell of.
        if not any(entry.is_deleted for entry in written[due:]):
            yield f"complete: what transaction {written[due].xid} wrote before horizon {horizon} is missing"
    elif _next(written, history[-1], max(start, due)) is None:
        yield (
            f"complete: batch {history[-1].batch} is the newest and says not what transaction {written[due].xid} "
            f"wrote before horizon {horizon}"
        )


def _next(written: Sequence[Written], version: Version, start: int) -> int | None:
    for number in range(start, len(written)):
        entry = written[number]
        if version.is_deleted and entry.is_deleted:
            return number
        if not version.is_deleted and not entry.is_deleted and entry.state == version.state:
            return number
    return None


def _versions(cursor: Cursor, fact: Fact) -> Mapping[int, list[Version]]:
    columns = _selected(ACTUAL[fact.name], [each.name for each in fact.columns if each.kind is Kind.DECIMAL])
    found: dict[int, list[Version]] = {}
    cursor.execute(f"SELECT {fact.key}, batch_id, is_deleted, ROW({columns})::text FROM {fact.name} ORDER BY 1, 2")
    for key, batch, is_deleted, state in cursor:
        found.setdefault(key, []).append(Version(batch, is_deleted, state))
    return found


def _entries(cursor: Cursor, fact: Fact, since: int) -> Iterator[tuple[int, int, Written]]:
    families = SOURCES[fact.source].items()
    columns = _selected(EXPECTED[fact.name], [name for name, family in families if family is Family.NUMERIC])
    # The oracle's own rules, without the casts that fail where a writer has written what no star column holds.
    for text in (name for name, family in families if family is Family.TEXT):
        columns = re.sub(rf"\b{text}::date", text, columns)
    cursor.execute(
        f"SELECT key, entry, xid::text::bigint, is_deleted, ROW({columns})::text FROM audit.log, "
        f"jsonb_populate_record(NULL::{fact.source}, row) WHERE table_name = %s AND xid >= %s::text::xid8",
        [fact.source, since],
    )
    for key, entry, xid, is_deleted, state in cursor:
        yield key, entry, Written(xid, is_deleted, state)


def _selected(query: str, amounts: Sequence[str]) -> str:
    """A query's columns; amounts without their casts and the zeros at their ends, which are no difference."""
    match = re.search(r"SELECT\s+(.*?)\s+FROM ", query, flags=re.DOTALL)
    assert match is not None
    columns = match[1]
    for amount in amounts:
        columns = re.sub(rf"\b{amount}\b(::numeric\(\d+,\d+\))?", f"trim_scale({amount})", columns)
    return columns
