"""A fault of its own world: the source is a hot standby, runs read it, and it is promoted."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg2.extensions import parse_dsn

from local_cloud.postgres import EmbeddedPostgres
from tests.faults.audit import keep_audit_log
from tests.faults.invariants import after_every_run, once_all_is_well
from tests.faults.scene import Fault, Scene
from tests.faults.worker import Returned
from tests.faults.world import World
from tests.support.databases import execute, value
from tests.support.servers import shop_server
from tests.support.waiting import until


def promoted(scene: Scene) -> None:
    """Runs read a standby, the primary goes, the standby is promoted, and writers and runs go on at it."""
    with _primary() as (primary, place), _standby_of(primary, place) as standby:
        world = World(scene.world.ground, source_server=primary)
        try:
            shop = world.source
            world.read_source_from(standby)
            _follow(primary, standby)
            assert world.tick().succeeded
            for number in range(1, 4):
                execute(shop, "UPDATE payment SET paid = NOT paid WHERE payment_id %% 5 = %s", [number])
                execute(shop, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 3")
                _follow(primary, standby)
                assert world.tick().succeeded
                assert after_every_run(world) == []
            idle = world.capture()
            assert isinstance(idle, Returned)
            assert idle.value["batch"] is None, "an idle run at a standby makes a batch"
            primary.stop()
            execute(standby.uri("postgres"), "SELECT pg_promote(true)")
            execute(world.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id < 9")
            execute(world.source, "DELETE FROM payment WHERE payment_id = 4")
            for _ in range(2):
                tick = world.tick()
                assert tick.succeeded, tick
                assert after_every_run(world) == []
            assert once_all_is_well(world) == []
        finally:
            world.close()


@contextmanager
def _primary() -> Iterator[tuple[EmbeddedPostgres, Path]]:
    with (
        tempfile.TemporaryDirectory(prefix="totes-", ignore_cleanup_errors=True) as folder,
        shop_server(Path(folder), orders=30) as server,
    ):
        keep_audit_log(server.uri("shop"))
        yield server, Path(folder)


@contextmanager
def _standby_of(primary: EmbeddedPostgres, place: Path) -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="totes-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        uri = primary.uri("postgres")
        subprocess.run(
            [primary.binaries / "pg_basebackup", "-d", uri, "-D", folder / "data", "-R", "-X", "stream", "-c", "fast"],
            check=True,
            capture_output=True,
        )
        (folder / "password").write_text(parse_dsn(uri)["password"], encoding="ascii")
        _give_to_owner_of(place / "data", folder)
        server = EmbeddedPostgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _give_to_owner_of(theirs: Path, ours: Path) -> None:
    owner = theirs.stat()
    for path in (ours, *ours.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    (ours / "data").chmod(0o700)


def _follow(primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
    """Wait until the standby has replayed what the primary has written."""
    written = value(primary.uri("postgres"), "SELECT pg_current_wal_lsn()::text")
    until(
        lambda: value(standby.uri("postgres"), "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]),
        "the standby does not follow its primary",
    )


FAULTS: Mapping[str, Fault] = {"a standby promoted": promoted}
