"""What an acceptance run does to its source, as that database's administrator."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn

from local_cloud import libpq
from local_cloud.named_databases import verified
from simulator.schema import drop_tables, tables_in_the_way
from totes.connecting import connect
from totes.errors import UserError

BROKEN_TABLE = "sales_order"
"""The table whose rows are spoilt and edited, and whose reading is forbidden."""


class Source:
    """The source of a run.

    Args:
        uri: of its administrator.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @property
    def place(self) -> str:
        """Which database it is, without a password; raise UserError if the URI is not understood."""
        try:
            said = parse_dsn(self._uri)
        except psycopg2.ProgrammingError:
            raise UserError(
                "SOURCE_ADMIN is not understood; it looks like postgresql://user:password@host/database"
            ) from None
        return f"{said.get('host', '')}:{said.get('port', 5432)}/{said.get('dbname', '')}"

    @property
    def has_shop(self) -> bool:
        """Whether the shop's tables are there."""
        with self._cursor() as cursor:
            return bool(tables_in_the_way(cursor))

    def tables(self) -> list[str]:
        """The names of all tables in schema public."""
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            )
            return [name for (name,) in cursor.fetchall()]

    def first_order(self) -> int:
        """The key of the oldest sales order."""
        with self._cursor() as cursor:
            cursor.execute("SELECT min(sales_order_id) FROM sales_order")
            [[key]] = cursor.fetchall()
            return int(key)

    def delivery_date(self, order: int) -> str:
        """The delivery date that an order has, which is a text."""
        with self._cursor() as cursor:
            cursor.execute("SELECT agreed_delivery_date FROM sales_order WHERE sales_order_id = %s", [order])
            [[date]] = cursor.fetchall()
            return str(date)

    def deliver(self, order: int, date: str) -> None:
        """Write another delivery date into an order, and leave `last_updated` alone."""
        with self._cursor() as cursor:
            cursor.execute("UPDATE sales_order SET agreed_delivery_date = %s WHERE sales_order_id = %s", [date, order])

    def edit_silently(self, order: int) -> None:
        """Change an order without its `last_updated`."""
        with self._cursor() as cursor:
            cursor.execute("UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = %s", [order])

    def forbid(self, role: str) -> None:
        """Take the right to read a table from a role."""
        self._grant("REVOKE SELECT ON {} FROM {}", role)

    def allow(self, role: str) -> None:
        """Give the right to read that table back."""
        self._grant("GRANT SELECT ON {} TO {}", role)

    def drop_role(self, role: str) -> None:
        """Drop a role that totes has made here, if it is there."""
        with self._cursor() as cursor:
            cursor.execute("SELECT current_database() FROM pg_catalog.pg_roles WHERE rolname = %s", [role])
            if (found := cursor.fetchone()) is None:
                return
            [database] = found
            for statement in (
                "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
                "REVOKE ALL ON SCHEMA public FROM {role}",
                "REVOKE ALL ON DATABASE {database} FROM {role}",
                "DROP ROLE {role}",
            ):
                names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
                cursor.execute(sql.SQL(statement).format(**names))

    def drop_shop(self) -> None:
        """Drop the shop."""
        with self._cursor() as cursor:
            drop_tables(cursor)

    def _grant(self, statement: str, role: str) -> None:
        with self._cursor() as cursor:
            names = (sql.Identifier("public", BROKEN_TABLE), sql.Identifier(role))
            cursor.execute(sql.SQL(statement).format(*names))

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        """A transaction; raise UserError if the database does not answer or refuses something."""
        try:
            with (
                libpq.restored(),
                verified(self._uri, "source"),
                closing(connect(self._uri)) as connection,
                connection,
                connection.cursor() as cursor,
            ):
                yield cursor
        except psycopg2.Error as error:
            raise UserError(f"the source refused: {' '.join(str(error).split())}") from error
