"""Faults by people who use the warehouse: they make views and indexes, and read, while it is rebuilt."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg2
from psycopg2 import sql

from tests.faults.boundary import Paused, Script
from tests.faults.library import REBUILD
from tests.faults.scene import Fault, MissedError, Scene, arrives, begin, stir
from tests.faults.worker import Returned
from tests.support.databases import session
from totes.star import STAR_TABLES
from totes.star_schema import Fact
from totes.warehouse.definitions import LEDGER

_BOUNDARIES = 150
"""About as many as a rebuild of a young lake comes to."""

_BEFORE_THE_SWAP = Script(action="pause", where="DROP VIEW|ALTER VIEW")
"""It has read what is to be made again, and nobody is kept from it yet."""

_CHANGES: Sequence[Sequence[str]] = (
    (
        "DROP VIEW IF EXISTS unpaid CASCADE",
        "CREATE VIEW unpaid AS SELECT * FROM current_payment WHERE NOT paid",
        "CREATE VIEW counted AS SELECT currency_id, count(*) FROM unpaid GROUP BY 1",
        "GRANT SELECT ON counted TO pg_monitor",
    ),
    (
        "DROP VIEW IF EXISTS unpaid CASCADE",
        "CREATE VIEW unpaid AS SELECT payment_id, 'never' AS why FROM fact_payment",
    ),
    ("DROP VIEW IF EXISTS unpaid CASCADE",),
    ("CREATE OR REPLACE VIEW loads AS SELECT max(loaded_at) AS at FROM etl.batch", "COMMENT ON VIEW loads IS 'ours'"),
    ("CREATE OR REPLACE VIEW loads AS SELECT min(loaded_at) AS at FROM etl.batch", "COMMENT ON VIEW loads IS NULL"),
    (
        "DROP INDEX IF EXISTS by_date",
        "CREATE INDEX by_date ON fact_payment (payment_date)",
        "ALTER TABLE fact_payment CLUSTER ON by_date",
    ),
    ("DROP INDEX IF EXISTS by_date", "CREATE INDEX by_date ON fact_payment (payment_date DESC) WHERE paid"),
    ("DROP INDEX IF EXISTS by_date",),
    (
        "DROP INDEX IF EXISTS one",
        "CREATE UNIQUE INDEX one ON fact_sales_order (sales_order_id, batch_id) INCLUDE (units_sold)",
    ),
    (
        "DROP INDEX IF EXISTS one",
        "CREATE INDEX one ON dim_design (lower(design_name))",
        "COMMENT ON INDEX one IS 'search'",
    ),
    ("DROP INDEX IF EXISTS etl.at", "CREATE INDEX at ON etl.batch (captured_at)"),
    ("DROP INDEX IF EXISTS etl.at", "CREATE INDEX at ON etl.quarantine (reason) WHERE resolved_by IS NULL"),
    (
        "DROP FUNCTION IF EXISTS of_row",
        "CREATE FUNCTION of_row(design dim_design) RETURNS text LANGUAGE sql AS 'SELECT design.design_name'",
        "REVOKE ALL ON FUNCTION of_row FROM PUBLIC",
    ),
    ("DROP FUNCTION IF EXISTS of_row",),
    ("ALTER TABLE fact_payment SET (fillfactor = 80)", "GRANT SELECT ON fact_payment TO pg_monitor"),
    ("ALTER TABLE fact_payment RESET (fillfactor)", "REVOKE SELECT ON fact_payment FROM pg_monitor"),
)
"""What a person does to things of their own, whatever is there."""

_THINGS = """
    SELECT relname, relkind::text, obj_description(oid, 'pg_class'), reloptions::text,
        ARRAY(
            SELECT concat_ws(' ', privilege_type, grantee::regrole) FROM aclexplode(relacl)
            WHERE grantee <> relowner ORDER BY 1
        )::text,
        CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) WHEN 'i' THEN pg_get_indexdef(oid) END,
        (SELECT indisclustered FROM pg_index WHERE indexrelid = oid)
    FROM pg_class WHERE relkind IN ('r', 'v', 'i') AND (
        relnamespace = 'public'::regnamespace OR relnamespace = 'etl'::regnamespace AND (
            relname = ANY(%(ledger)s)
            OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY(%(live)s::regclass[]::oid[]))
        )
    )
    UNION ALL
    SELECT proname, 'f', NULL, NULL, proacl::text, pg_get_functiondef(oid), NULL
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    ORDER BY 1, 2
"""


def things_of(warehouse: str) -> Sequence[tuple[object, ...]]:
    """What is defined of the live tables, and by whom it may be read: by name."""
    with session(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute(_THINGS, {"ledger": list(LEDGER), "live": [f"etl.{name}" for name in LEDGER]})
        return cursor.fetchall()


def _change(scene: Scene) -> None:
    """Make or drop something; who would have to wait for the swap of a rebuild leaves it for later."""
    with session(scene.world.warehouse) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(scene.world.loader)))
        try:
            # A GRANT waits for nobody, and is lost where the tables are being replaced.
            cursor.execute("LOCK TABLE fact_payment IN ACCESS SHARE MODE")
            cursor.execute("; ".join(_CHANGES[scene.number(len(_CHANGES))]))
        except psycopg2.errors.LockNotAvailable:
            connection.rollback()


def make_things(scene: Scene) -> None:
    """People change views, indexes and grants while a rebuild stands somewhere, and it then goes on."""
    begin(scene)
    stir(scene)
    for _ in range(4):
        _change(scene)
    rebuild = scene.world.library[REBUILD]
    anywhere = Script(action="pause", at=scene.number(_BOUNDARIES))
    rebuild.start(script=(anywhere, anywhere, _BEFORE_THE_SWAP)[scene.number(3)])
    answer = rebuild.answer()
    for _ in range(3):
        _change(scene)
    things = things_of(scene.world.warehouse)
    if not isinstance(answer, Paused):
        raise MissedError
    outcome = rebuild.release()
    assert isinstance(outcome, Returned), outcome
    lost = set(things) ^ set(things_of(scene.world.warehouse))
    assert not lost, (answer, lost)
    arrives(scene)
    assert things_of(scene.world.warehouse) == things


def read_all_the_time(scene: Scene) -> None:
    """People read the facts again and again while the warehouse is rebuilt, and it says all the time what it said."""
    begin(scene)
    arrives(scene)
    over = threading.Event()

    def read(view: str) -> set[int]:
        counts = set()
        with session(scene.world.warehouse) as connection:
            connection.autocommit = True
            while not over.wait(0.01):
                with connection.cursor() as cursor:
                    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(view)))
                    counts |= {count for (count,) in cursor.fetchall()}
        return counts

    views = [table.current_view for table in STAR_TABLES if isinstance(table, Fact)]
    with ThreadPoolExecutor(len(views)) as others:
        readers = [others.submit(read, view) for view in views]
        try:
            outcome = scene.world.library[REBUILD].invoke()
        finally:
            over.set()
        assert isinstance(outcome, Returned), outcome
        assert all(len(reader.result()) == 1 for reader in readers), [reader.result() for reader in readers]
    arrives(scene)


FAULTS: Mapping[str, Fault] = {
    "views and indexes changed beside a rebuild": make_things,
    "readers beside a rebuild": read_all_the_time,
}
