"""What must hold whatever has happened, checked against the audit log that the pipeline never sees.

Each check returns the violations that it finds, a sentence each.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.faults.world import World
from tests.support.content import content_of
from tests.support.databases import rows, session, value
from tests.support.oracle import ACTUAL, EXPECTED
from totes.lake import CaptureManifest, Journal
from totes.shapes import Fact
from totes.star import STAR_TABLES
from totes.warehouse import load

FACTS = [table for table in STAR_TABLES if isinstance(table, Fact)]


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


def versions_held(world: World) -> int:
    """How many versions the facts have."""
    if not _holds_anything(world):
        return 0
    return sum(value(world.warehouse, f"SELECT count(*) FROM {fact.name}") for fact in FACTS)


def after_every_run(world: World) -> list[str]:
    """Complete, single, ordered and atomic: they hold at every moment, faults or not."""
    if not _holds_anything(world):
        return []
    horizon = value(world.warehouse, "SELECT coalesce(max(horizon), 0) FROM etl.batch")
    found = list(atomic(world))
    for fact in FACTS:
        history, written = _versions(world, fact), _written(world, fact)
        quarantined = {
            key
            for (key,) in rows(
                world.warehouse,
                "SELECT key FROM etl.quarantine WHERE star_table = %s AND resolved_by IS NULL",
                [fact.name],
            )
        }
        for key in history.keys() | written.keys():
            sentences = _violations(history.get(key, []), written.get(key, []), horizon, quarantined=key in quarantined)
            found += [f"{fact.name} {key}: {sentence}" for sentence in sentences]
    return found


def once_all_is_well(world: World) -> list[str]:
    """Healing, accounted and replayable: they hold two runs after the last fault."""
    verdict = world.verdict()
    found = [
        f"healing: {name} is not what the source says: {table.to_dict()}"
        for name, table in verdict.tables.items()
        if table.differences or table.in_flight
    ]
    return [*found, *accounted(world), *replayable(world)]


def atomic(world: World) -> Iterator[str]:
    """Data and ledger agree, as any reader sees them at any moment."""
    for fact in FACTS:
        disagreements = rows(
            world.warehouse,
            f"""
            SELECT batch_id, held, told FROM
            (SELECT batch_id, count(*) AS held FROM {fact.name} GROUP BY 1) AS facts FULL JOIN
            (SELECT batch_id, versions + deleted AS told FROM etl.batch_table WHERE star_table = %s) AS ledger
            USING (batch_id) WHERE coalesce(held, 0) <> coalesce(told, 0)
            """,
            [fact.name],
        )
        for batch, held, told in disagreements:
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
    """A warehouse made anew from the lake says the same."""
    again = world.new_warehouse()
    with session(again) as connection:
        load(connection, world.processed, STAR_TABLES)
    held, made = content_of(world.warehouse), content_of(again)
    for name in held:
        if held[name] != made[name]:
            differing = list(itertools.islice(set(map(repr, held[name])) ^ set(map(repr, made[name])), 4))
            yield f"replayable: {name} made anew differs: {differing}"


def _holds_anything(world: World) -> bool:
    return bool(value(world.warehouse, "SELECT to_regclass('etl.batch') IS NOT NULL"))


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


def _versions(world: World, fact: Fact) -> Mapping[int, list[Version]]:
    columns = _selected(ACTUAL[fact.name])
    found: dict[int, list[Version]] = {}
    for key, batch, is_deleted, state in rows(
        world.warehouse,
        f"SELECT {fact.key}, batch_id, is_deleted, ROW({columns})::text FROM {fact.name} ORDER BY 1, 2",
    ):
        found.setdefault(key, []).append(Version(batch, is_deleted, state))
    return found


def _written(world: World, fact: Fact) -> Mapping[int, list[Written]]:
    # The oracle's own rules, without the casts that fail where a writer has written what no star column holds.
    columns = re.sub(r"(agreed_\w+|payment_date)::date", r"\1", _selected(EXPECTED[fact.name]))
    found: dict[int, list[Written]] = {}
    for key, xid, is_deleted, state in rows(
        world.source,
        f"SELECT key, xid::text::bigint, is_deleted, ROW({columns})::text FROM audit.log, "
        f"jsonb_populate_record(NULL::{fact.source}, row) WHERE table_name = %s ORDER BY key, entry",
        [fact.source],
    ):
        found.setdefault(key, []).append(Written(xid, is_deleted, state))
    return found


def _selected(query: str) -> str:
    """A query's columns; amounts without their casts and the zeros at their ends, which are no difference."""
    match = re.search(r"SELECT\s+(.*?)\s+FROM ", query, flags=re.DOTALL)
    assert match is not None
    return re.sub(r"\b(payment_amount|(?:item_)?unit_price)\b(::numeric\(10,2\))?", r"trim_scale(\1)", match[1])
