"""Faults by a crash in place: a process of the server is killed, it recovers, its postmaster and start time stay."""

import os
import signal
from collections.abc import Mapping
from contextlib import closing

import psycopg2
from psycopg2.extensions import connection as Connection

from tests.faults.functions import CAPTURE
from tests.faults.run import pause
from tests.faults.scene import Fault, MissedError, Scene, arrives, refused, stir
from tests.faults.worker import Returned
from tests.support.databases import session, value
from tests.support.servers import wait_for_recovery

_UNFLUSHED = 20
"""Transactions whose end no COMMIT has waited for."""


def crashed(scene: Scene, *, is_rolled_back: bool) -> None:
    """The server crashes right after a capture; the ids of transactions that were never flushed are given out again.

    What was captured of them never was, and the row that the same id writes later must not be taken for seen.
    """
    world = scene.world
    stir(scene)
    assert world.tick().succeeded
    scene.history.close()
    started = value(world.source, "SELECT pg_postmaster_start_time()::text")
    with closing(psycopg2.connect(world.source, options="-c synchronous_commit=off")) as writer:
        write_unflushed(writer, is_rolled_back=is_rolled_back)
        captured = world.capture()
        backend = writer.info.backend_pid
        os.kill(backend, signal.SIGKILL)
        wait_for_recovery(world.source, backend)
    assert isinstance(captured, Returned), captured
    assert value(world.source, "SELECT pg_postmaster_start_time()::text") == started
    give_out_ids_again(world.source)
    arrives(scene)


def stalled(scene: Scene) -> None:
    """The log's flush stalls, and the server crashes while a capture waits for it.

    A capture that does not wait any longer has committed what the crash then takes back.
    """
    world = scene.world
    stir(scene)
    assert world.tick().succeeded
    scene.history.close()
    log_writer = value(world.source, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(log_writer, signal.SIGSTOP)
    try:
        with closing(psycopg2.connect(world.source, options="-c synchronous_commit=off")) as writer:
            write_unflushed(writer, is_rolled_back=False)
        capture = world.functions[CAPTURE]
        waits = pause(capture, "pg_current_xact_id")
    finally:
        os.kill(log_writer, signal.SIGKILL)
        wait_for_recovery(world.source, log_writer)
    if waits:
        refused(capture.release(), "SourceUnavailable")
    give_out_ids_again(world.source)
    arrives(scene)
    if not waits:  # somebody else has flushed the log, as any ordinary commit does
        raise MissedError


def write_unflushed(writer: Connection, *, is_rolled_back: bool) -> None:
    """Write rows, a transaction each."""
    for number in range(1, _UNFLUSHED + 1):
        with writer.cursor() as cursor:
            cursor.execute(
                "UPDATE sales_order SET units_sold = units_sold + 7 WHERE sales_order_id = "
                "(SELECT sales_order_id FROM sales_order ORDER BY 1 LIMIT 1 OFFSET %s)",
                [number],
            )
        if is_rolled_back:
            writer.rollback()
        else:
            writer.commit()


def give_out_ids_again(source: str) -> None:
    """Write other rows than those that the crash took back, a transaction each."""
    with session(source) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for number in range(_UNFLUSHED + 10):
                cursor.execute(
                    "UPDATE payment SET paid = NOT paid WHERE payment_id = "
                    "(SELECT payment_id FROM payment ORDER BY 1 LIMIT 1 OFFSET %s)",
                    [number],
                )


FAULTS: Mapping[str, Fault] = {
    "a crash that takes commits back": lambda scene: crashed(scene, is_rolled_back=False),
    "a crash after transactions rolled back": lambda scene: crashed(scene, is_rolled_back=True),
    "a crash with the log's flush stalled": stalled,
}
