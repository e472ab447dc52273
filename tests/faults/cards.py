"""The faults, by name: each is a run, or a few, in which something goes wrong, and what a person then does about it.

A card leaves the world so that two ordinary runs heal it.
"""

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import psycopg2
from psycopg2.extensions import connection as Connection

from tests.faults.boundary import Paused, Script
from tests.faults.functions import CAPTURE, LOAD, STEPS, TRANSFORM, Function, Outcome
from tests.faults.history import History
from tests.faults.worker import Raised, Returned
from tests.faults.world import World
from tests.support.databases import execute
from tests.support.pipeline import keys_of
from totes.capture import SOURCE_TABLES
from totes.lake import Bucket
from totes.warehouse.ledger import LOCK

_MANY_BOUNDARIES = 150
"""About as many as a run of a step comes to."""

ONE_MILLISECOND = 10_000
"""Rows."""


@dataclass(frozen=True)
class Table:
    """What a card is played on."""

    world: World
    history: History
    generator: np.random.Generator

    def write(self, statements: str, values: Sequence[object] = ()) -> None:
        """Write to the source, once no writer holds a lock any more."""
        self.history.settle()
        execute(self.world.source, statements, values)

    def number(self, most: int) -> int:
        """A number from 0, `most` left out."""
        return int(self.generator.integers(most))


Card = Callable[[Table], None]


class MissedError(Exception):
    """The run did not come to where the fault was to happen, and so there was none."""


def stir(table: Table) -> None:
    """Give every step of the next run something to do."""
    table.write("UPDATE payment SET paid = NOT paid WHERE payment_id %% 7 = 4")
    table.write("UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id %% 5 = 2")


def refused(outcome: Outcome, *errors: str) -> None:
    """The step failed, and said why in a word that tells what to do."""
    assert isinstance(outcome, Raised), outcome
    assert outcome.error in errors, outcome


def _killed(step: str) -> Card:
    def play(table: Table) -> None:
        stir(table)
        at = table.number(_MANY_BOUNDARIES)
        while table.world.tick({step: Script(action="die", at=at)}).missed:
            stir(table)
            at = table.number(at)

    return play


def _twice(step: str) -> Card:
    def play(table: Table) -> None:
        """The first answer is lost on its way, so whoever invoked it invokes it again."""
        for name in STEPS:
            assert isinstance(table.world.functions[name].invoke(), Returned)
            if name == step:
                assert isinstance(table.world.functions[name].invoke(), Returned)

    return play


def same_event_twice(table: Table) -> None:
    """The schedule starts two runs; the second goes all its way while the first stands somewhere."""
    stir(table)
    step = STEPS[table.number(3)]
    function = table.world.functions[step]
    for name in STEPS[: STEPS.index(step)]:
        table.world.functions[name].invoke()
    function.start(script=Script(action="pause", at=table.number(6)))
    answer = function.answer()
    assert table.world.tick(second=True).succeeded
    if isinstance(answer, Paused):
        function.release()
    table.world.tick()
    if not isinstance(answer, Paused):
        raise MissedError


def two_captures_at_once(table: Table) -> None:
    """Both have read the source and are about to commit the same batch."""
    first, second = table.world.functions[CAPTURE], table.world.second[CAPTURE]
    stir(table)
    assert first.pause("s3 PutObject manifests/")
    table.write("UPDATE design SET file_name = file_name || '.' WHERE design_id = 1")
    outcome = second.invoke()
    assert isinstance(outcome, Returned)
    refused(first.release(), "BatchTaken")
    assert table.world.tick().succeeded


def two_loaders_at_once(table: Table) -> None:
    """One holds the lock and the other waits for it; no batch is loaded by both."""
    first, second = table.world.functions[LOAD], table.world.second[LOAD]
    stir(table)
    table.world.capture()
    table.world.transform()
    assert first.pause("INSERT INTO etl.batch ")
    second.start()
    outcomes = first.release(), second.end()
    spans = [outcome.value["loaded"] for outcome in outcomes if isinstance(outcome, Returned)]
    assert len(spans) == len(outcomes), outcomes
    loaded = [batch for span in spans if span["count"] for batch in range(span["first"], span["last"] + 1)]
    assert len(loaded) == len(set(loaded)), loaded


def zombie_before_the_lock(table: Table) -> None:
    """A loader stands still before it has the lock, another does its work, and it wakes up."""
    table.world.capture()
    table.world.transform()
    zombie = table.world.functions[LOAD]
    assert zombie.pause("pg_advisory_xact_lock")
    assert isinstance(table.world.second[LOAD].invoke(), Returned)
    outcome = zombie.release()
    assert isinstance(outcome, Returned)
    assert outcome.value["loaded"]["count"] == 0


def zombie_within_its_transaction(table: Table) -> None:
    """A loader stands still with the lock until its session is ended, another does its work, and it wakes up."""
    stir(table)
    table.world.capture()
    table.world.transform()
    zombie = table.world.functions[LOAD]
    assert zombie.pause("INSERT INTO etl.batch ", after=True)
    table.world.terminate("warehouse")
    assert isinstance(table.world.second[LOAD].invoke(), Returned)
    refused(zombie.release(), "WarehouseUnavailable")


def out_of_order(table: Table) -> None:
    """Steps come in any order but theirs."""
    orders = [order for order in itertools.permutations(STEPS) if order != STEPS]
    for name in orders[table.number(len(orders))]:
        assert isinstance(table.world.functions[name].invoke(), Returned)


def _damaged(bucket: str, damage: Callable[[bytes], bytes | None]) -> Card:
    def play(table: Table) -> None:
        """The newest object that a step reads is not what was written; a person restores it from its versions."""
        lake: Bucket = getattr(table.world, bucket)
        table.history.go_on(3)
        table.write("UPDATE payment SET paid = NOT paid WHERE payment_id %% 7 = 3")
        assert isinstance(table.world.capture(), Returned)
        if bucket == "processed":
            assert isinstance(table.world.transform(), Returned)
        newest = max(key.split("/")[1] for key in keys_of(lake) if key.startswith("batches/"))
        key = next(key for key in keys_of(lake) if key.startswith(f"batches/{newest}/") and "payment/" in key)
        client = table.world.ground.client("s3")
        whole = lake.get(key)
        broken = damage(whole)
        if broken is None:
            client.delete_object(Bucket=lake.name, Key=key)
        else:
            client.put_object(Bucket=lake.name, Key=key, Body=broken)
        step = TRANSFORM if bucket == "ingestion" else LOAD
        refused(table.world.functions[step].invoke(), "LakeCorrupted")
        client.put_object(Bucket=lake.name, Key=key, Body=whole)

    return play


def _flipped(body: bytes) -> bytes:
    return body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]


DAMAGES: Mapping[str, Callable[[bytes], bytes | None]] = {
    "truncated": lambda body: body[:-7],
    "emptied": lambda _body: b"",
    "bit-flipped": _flipped,
    "missing": lambda _body: None,
}


def refused_by_the_store(table: Table) -> None:
    """The object store answers 503 until the SDK gives up; the step is tried again."""
    stir(table)
    step = STEPS[table.number(3)]
    where = ("s3 GetObject", "s3 PutObject", "s3 ListObjectsV2")[table.number(3)]
    tick = table.world.tick({step: Script(action="refuse", where=where)})
    assert tick.succeeded, tick
    if tick.missed:  # the loader puts no object
        raise MissedError


def commit_put_lost(table: Table) -> None:
    """A manifest was put, and no answer came, however often the SDK asked."""
    stir(table)
    step = STEPS[table.number(2)]
    tick = table.world.tick({step: Script(action="lose", where="s3 PutObject manifests/", after=True)})
    assert tick.succeeded, tick
    assert not tick.missed


def commit_put_answered_late(table: Table) -> None:
    """A manifest was put, its answer was lost, and the SDK puts it again."""
    stir(table)
    step = STEPS[table.number(2)]
    tick = table.world.tick({step: Script(action="repeat", where="s3 PutObject manifests/", after=True)})
    assert tick.succeeded, tick
    assert not tick.missed


def _cut(step: str, where: str, role: str, error: str, *, restart: bool = False, after: bool = False) -> Card:
    def play(table: Table) -> None:
        """The database ends the session, or goes down, at a moment of the run."""
        stir(table)
        for name in STEPS[: STEPS.index(step)]:
            assert isinstance(table.world.functions[name].invoke(), Returned)
        function: Function = table.world.functions[step]
        assert function.pause(where, after=after)
        if restart:
            table.history.settle()
            table.world.restart()
        else:
            table.world.terminate(role)
        outcome = function.release()
        if not (after and isinstance(outcome, Returned)):
            refused(outcome, error)

    return play


def disk_full(table: Table) -> None:
    """The warehouse has no room for the rows of a table."""
    execute(
        table.world.warehouse,
        "CREATE OR REPLACE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; "
        "CREATE TRIGGER no_room BEFORE INSERT ON etl.batch FOR EACH ROW EXECUTE FUNCTION public.no_room()",
    )
    table.write("UPDATE payment SET paid = NOT paid WHERE payment_id %% 7 = 2")
    tick = table.world.tick()
    assert tick.error == "WarehouseUnavailable", tick
    execute(table.world.warehouse, "DROP FUNCTION public.no_room() CASCADE")


def deadlock(table: Table) -> None:
    """Another session holds what the loader needs, and needs what the loader holds."""
    table.world.capture()
    table.world.transform()
    loader = table.world.functions[LOAD]
    assert loader.pause("pg_advisory_xact_lock", after=True)
    with closing(
        psycopg2.connect(table.world.warehouse, options="-c deadlock_timeout=1h -c lock_timeout=30s")
    ) as other:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE etl.batch IN ACCESS EXCLUSIVE MODE")
        waiting = threading.Thread(target=_wait_for_the_lock, args=(other,))
        waiting.start()
        outcome = loader.release()
        waiting.join()
        other.rollback()
    refused(outcome, "WarehouseUnavailable")


def _wait_for_the_lock(other: Connection) -> None:
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _password(role: str, step: str, where: str, *, after: bool = False, late_secret: bool = False) -> Card:
    def play(table: Table) -> None:
        """A password is rotated at a moment of the run."""
        stir(table)
        for name in STEPS[: STEPS.index(step)]:
            table.world.functions[name].invoke()
        function = table.world.functions[step]
        password = f"rotated-{table.number(1_000_000_000)}"
        assert function.pause(where, after=after)
        table.world.change_password(role, password, in_secret=not late_secret)
        outcome = function.release()
        if late_secret:
            refused(outcome, "LoginRefused")
            table.world.store_secret(role)
        else:
            assert isinstance(outcome, Returned), outcome

    return play


def source_restored(table: Table) -> None:
    """The source is put back to an earlier state; what it lost is gone, and what it has is what counts."""
    table.history.close()
    copy = table.world.copy_source()
    table.history.go_on(6)
    table.history.close()
    table.world.tick()
    table.world.put_source_back(copy)


def clock_off(table: Table) -> None:
    """The clock of the application jumps by hours."""
    table.history.clock_is_off = dt.timedelta(hours=table.number(49) - 24)
    table.history.go_on(4)
    assert table.world.tick().succeeded


def one_millisecond(table: Table) -> None:
    """Ten thousand rows are written in one millisecond, and edited in one."""
    table.write(
        "INSERT INTO design (design_name, file_location, file_name, created_at, last_updated) "
        "SELECT 'avalanche', '/', n::text, '2024-01-01', '2024-01-01' FROM generate_series(1, %s) AS n",
        [ONE_MILLISECOND],
    )
    assert table.world.tick().succeeded
    table.write("UPDATE design SET file_name = file_name || '!' WHERE design_name = 'avalanche'")
    assert table.world.tick().succeeded
    table.write(
        "DELETE FROM design WHERE design_name = 'avalanche' AND design_id NOT IN (SELECT design_id FROM sales_order)"
    )
    assert table.world.tick(asked={"accept_deletes": ["design"]}).succeeded


def prepared_transaction(table: Table) -> None:
    """A transaction is prepared before a run and committed after it."""
    name = f"card_{table.number(1_000_000_000)}"
    table.history.settle()
    with closing(psycopg2.connect(table.world.source)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE design SET file_name = %s WHERE design_id = 2", [name])
            cursor.execute("PREPARE TRANSACTION %s", [name])
            assert table.world.tick().succeeded
            cursor.execute("COMMIT PREPARED %s", [name])


def emptied_table(table: Table) -> None:
    """A table is truncated: every run stops until someone says go."""
    table.history.settle()
    assert table.world.tick(asked={"accept_deletes": ["payment"]}).succeeded
    table.write("CREATE TABLE audit.kept AS SELECT * FROM payment; DELETE FROM payment")
    tick = table.world.tick()
    assert tick.error in {"MassDeletion", None}, tick
    if table.number(2):
        assert table.world.tick(asked={"accept_deletes": ["payment"]}).succeeded
    table.write("INSERT INTO payment SELECT * FROM audit.kept; DROP TABLE audit.kept")


def odd_numbers(table: Table) -> None:
    """Amounts that no star column holds, in a column that has become wide enough for them."""
    amount = ("'NaN'", "12345678901234567890123456789012345678", "1.005", "-99999999999.99", "0.00")[table.number(5)]
    table.write("ALTER TABLE payment ALTER payment_amount TYPE numeric")
    table.write(
        f"UPDATE payment SET payment_amount = {amount} WHERE payment_id = (SELECT min(payment_id) FROM payment)"
    )
    assert table.world.tick().succeeded


def null_everywhere(table: Table) -> None:
    """Rows that say nothing at all."""
    for name in ("payment", "staff"):
        columns = next(source.columns for source in SOURCE_TABLES if source.name == name)
        values = [column for column in columns if column != f"{name}_id"]
        table.write(f"ALTER TABLE {name} {', '.join(f'ALTER {column} DROP NOT NULL' for column in values)}")
        table.write(
            f"UPDATE {name} SET {', '.join(f'{column} = NULL' for column in values)} "
            f"WHERE {name}_id = (SELECT max({name}_id) FROM {name})"
        )
    assert table.world.tick().succeeded


CARDS: Mapping[str, Card] = {
    **{f"{step} killed at a boundary": _killed(step) for step in STEPS},
    **{f"{step} invoked twice": _twice(step) for step in STEPS},
    "the same event twice": same_event_twice,
    "two captures at once": two_captures_at_once,
    "two loaders at once": two_loaders_at_once,
    "a zombie loader before the lock": zombie_before_the_lock,
    "a zombie loader within its transaction": zombie_within_its_transaction,
    "steps out of order": out_of_order,
    **{
        f"an object of the {bucket} bucket {name}": _damaged(bucket, damage)
        for bucket in ("ingestion", "processed")
        for name, damage in DAMAGES.items()
    },
    "the store refuses": refused_by_the_store,
    "the commit put lost": commit_put_lost,
    "the commit put answered late": commit_put_answered_late,
    "the source terminated mid-COPY": _cut(CAPTURE, "source COPY .*sales_order", "source", "SourceUnavailable"),
    "the source restarted mid-COPY": _cut(
        CAPTURE, "source COPY .*sales_order", "source", "SourceUnavailable", restart=True
    ),
    "the warehouse terminated mid-COPY": _cut(
        LOAD, "warehouse COPY pg_temp.staging", "warehouse", "WarehouseUnavailable"
    ),
    "the warehouse terminated at merge": _cut(LOAD, "INSERT INTO public.fact", "warehouse", "WarehouseUnavailable"),
    "the warehouse terminated before COMMIT": _cut(LOAD, "warehouse COMMIT", "warehouse", "WarehouseUnavailable"),
    "the warehouse terminated after COMMIT": _cut(
        LOAD, "warehouse COMMIT", "warehouse", "WarehouseUnavailable", after=True
    ),
    "the warehouse restarted at merge": _cut(
        LOAD, "INSERT INTO public.", "warehouse", "WarehouseUnavailable", restart=True
    ),
    "the warehouse's disk full": disk_full,
    "a deadlock in the warehouse": deadlock,
    "the source's password changed before connect": _password("source", CAPTURE, "source connect"),
    "the source's password changed mid-run": _password("source", CAPTURE, "source COPY", after=True),
    "the warehouse's password changed before connect": _password("warehouse", LOAD, "warehouse connect"),
    "the warehouse's password changed mid-run": _password("warehouse", LOAD, "pg_advisory_xact_lock", after=True),
    "a password changed and its secret not": _password("source", CAPTURE, "source connect", late_secret=True),
    "the source restored to an earlier state": source_restored,
    "the clock off by hours": clock_off,
    "ten thousand rows in one millisecond": one_millisecond,
    "a prepared transaction over a run": prepared_transaction,
    "a table emptied": emptied_table,
    "odd numbers": odd_numbers,
    "NULL everywhere": null_everywhere,
}
