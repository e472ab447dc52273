"""A PostgreSQL server of the suite's own, with the databases that a repeat begins with."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import sql

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from simulator.schema import create_tables
from tests.benchmark.suite.acts.programs import environment
from tests.support.databases import rows, session, value
from tests.support.servers import copy_of, removal_of, run_alone
from totes.capture import SOURCE_TABLES
from totes.star import STAR_TABLES
from totes.warehouse.definitions import add_keys, create_star
from totes.warehouse.places import LIVE

SETTINGS = {"autovacuum": "off"}
"""The suite does itself, between what it measures, what autovacuum would do at any moment; all else is as it comes."""

SOURCES = [table.name for table in SOURCE_TABLES]
STARS = [table.name for table in STAR_TABLES]


class Ground:
    """The server and its databases."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server

    @contextmanager
    def shop(self, name: str, orders: int) -> Iterator[str]:
        """A shop, for a while; its URI."""
        with self.database(name) as uri:
            build(uri, orders=orders, seed=1)
            run_alone(uri, "VACUUM ANALYZE")
            yield uri

    @contextmanager
    def database(self, name: str, template: str = "template1") -> Iterator[str]:
        """A database like another one, for a while; its URI."""
        run_alone(self.server.uri("postgres"), copy_of(template, name))
        try:
            yield self.server.uri(name)
        finally:
            run_alone(self.server.uri("postgres"), removal_of(name))

    def settle(self, *databases: str) -> None:
        """Finish the server's work on databases that were changed, so that it does not burden what follows."""
        for uri in databases:
            run_alone(uri, "VACUUM ANALYZE")
        run_alone(self.server.uri("postgres"), "CHECKPOINT")

    def make_stars(self, uri: str) -> None:
        """Make the star's tables, empty, with the keys that a warehouse's have."""
        with session(uri) as connection, connection, connection.cursor() as cursor:
            for table in STAR_TABLES:
                create_star(cursor, LIVE, table)
                add_keys(cursor, LIVE, table)

    def make_sources(self, uri: str) -> None:
        """Make the source's tables, empty and without keys."""
        with session(uri) as connection, connection, connection.cursor() as cursor:
            create_tables(cursor)

    def add_keys_of(self, source: str, uri: str) -> None:
        """Give the source's tables in another database the primary and unique keys that they have in the source."""
        run_alone(uri, *(_key(*found) for found in rows(source, _KEYS, [SOURCES])))

    def write_stars(self, warehouse: str, folder: Path) -> None:
        """Write the star's rows as the files that psql copies them in from, unless they are there."""
        if (folder / f"{STARS[0]}.csv").exists():
            return
        script = [
            rf"\copy {table} TO '{folder / table}.{extension}' {how}"
            for table in STARS
            for extension, how in (("csv", "CSV"), ("binary", "BINARY"))
        ]
        subprocess.run(
            [self.server.binaries / "psql", "-qXv", "ON_ERROR_STOP=1"],
            input="\n".join(script).encode(),
            env=environment(warehouse),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def largest_first(self, shop: str) -> list[str]:
        """Return the source's tables, the largest first."""
        size = "SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[]) ORDER BY pg_relation_size(oid) DESC"
        return [name for (name,) in rows(shop, size, [SOURCES])]

    def count(self, uri: str, tables: Sequence[str]) -> int:
        """Return how many rows some tables have."""
        return sum(int(value(uri, f"SELECT count(*) FROM {table}")) for table in tables)


_KEYS = """
    SELECT relname, conname, pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype IN ('p', 'u') AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)
    ORDER BY relname, conname
"""


def _key(table: str, name: str, definition: str) -> sql.Composable:
    return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(sql.Identifier(table), sql.Identifier(name)) + sql.SQL(
        definition
    )
