"""Faults of the two databases: a session is cut, a server restarted, a disk full, a password changed."""

import threading
from collections.abc import Mapping
from contextlib import closing

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from tests.faults.functions import CAPTURE, LOAD, STEPS, Function
from tests.faults.run import pause, whole
from tests.faults.scene import Fault, MissedError, Scene, arrives, begin, refused, stir
from tests.faults.worker import Returned
from tests.support.databases import execute, session, value
from tests.support.full_disk import leave_no_room
from totes.star import STAR_TABLES
from totes.warehouse import load
from totes.warehouse.ledger import LOCK

_REBUILDS = "SELECT to_regclass('etl.rebuild') IS NOT NULL"


def _cut(step: str, where: str, role: str, error: str, *, restart: bool = False, after: bool = False) -> Fault:
    def play(scene: Scene) -> None:
        """The database ends the session, or goes down, at a moment of the run."""
        if step == LOAD:
            begin(scene)
        stir(scene)
        for name in STEPS[: STEPS.index(step)]:
            assert isinstance(whole(scene.world.functions[name]), Returned)
        function: Function = scene.world.functions[step]
        assert pause(function, where, after=after)
        if restart:
            scene.history.settle()
            scene.world.restart()
        else:
            scene.world.terminate(role)
        outcome = function.release()
        if not (after and isinstance(outcome, Returned)):
            refused(outcome, error)

    return play


def disk_full(scene: Scene) -> None:
    """The warehouse has no room for a row that a batch brings: the kernel refuses the page."""
    begin(scene)
    execute(scene.world.warehouse, "CREATE TABLE public.filled (batch_id integer)")
    leave_no_room(scene.world.ground.postgres, scene.world.warehouse, "public.filled")
    execute(
        scene.world.warehouse,
        "CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        "$$ BEGIN INSERT INTO public.filled VALUES (NEW.batch_id); RETURN NULL; END $$; "
        "CREATE TRIGGER fill AFTER INSERT ON etl.batch FOR EACH ROW EXECUTE FUNCTION public.fill()",
    )
    scene.write("UPDATE payment SET paid = NOT paid WHERE payment_id %% 7 = 2")
    tick = scene.world.tick()
    assert tick.error == "WarehouseUnavailable", tick
    execute(scene.world.warehouse, "DROP FUNCTION public.fill() CASCADE; DROP TABLE public.filled")


def disk_full_in_rebuild(scene: Scene) -> None:
    """The warehouse has no room for a table of a rebuild: one run fails, and the next ones load."""
    begin(scene)
    assert scene.world.tick().succeeded
    if value(scene.world.warehouse, _REBUILDS):
        raise MissedError
    with session(scene.world.warehouse) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(scene.world.loader)))
        load(connection, scene.world.processed, STAR_TABLES, rebuild=True, time_is_up=lambda: True)
    assert value(scene.world.warehouse, _REBUILDS)
    leave_no_room(scene.world.ground.postgres, scene.world.warehouse, "etl.fact_sales_order")
    stir(scene)
    tick = scene.world.tick()
    assert tick.error == "ConfigurationError", tick
    assert not value(scene.world.warehouse, _REBUILDS)
    arrives(scene)


def deadlock(scene: Scene) -> None:
    """Another session holds what the loader needs, and needs what the loader holds."""
    begin(scene)
    scene.world.capture()
    scene.world.transform()
    loader = scene.world.functions[LOAD]
    assert loader.pause("pg_advisory_xact_lock", after=True)
    with closing(
        psycopg2.connect(scene.world.warehouse, options="-c deadlock_timeout=1h -c lock_timeout=30s")
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


def _password(role: str, step: str, where: str, *, after: bool = False, late_secret: bool = False) -> Fault:
    def play(scene: Scene) -> None:
        """A password is rotated at a moment of the run."""
        stir(scene)
        for name in STEPS[: STEPS.index(step)]:
            whole(scene.world.functions[name])
        function = scene.world.functions[step]
        password = f"rotated-{scene.number(1_000_000_000)}"
        assert pause(function, where, after=after)
        scene.world.change_password(role, password, in_secret=not late_secret)
        outcome = function.release()
        if late_secret:
            refused(outcome, "LoginRefused")
            scene.world.store_secret(role)
        else:
            assert isinstance(outcome, Returned), outcome

    return play


FAULTS: Mapping[str, Fault] = {
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
    "the warehouse's disk full in a rebuild": disk_full_in_rebuild,
    "a deadlock in the warehouse": deadlock,
    "the source's password changed before connect": _password("source", CAPTURE, "source connect"),
    "the source's password changed mid-run": _password("source", CAPTURE, "source COPY", after=True),
    "the warehouse's password changed before connect": _password("warehouse", LOAD, "warehouse connect"),
    "the warehouse's password changed mid-run": _password("warehouse", LOAD, "pg_advisory_xact_lock", after=True),
    "a password changed and its secret not": _password("source", CAPTURE, "source connect", late_secret=True),
}
