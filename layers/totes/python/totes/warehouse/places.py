"""Where a warehouse's tables are: the live ones, and those that a rebuild makes beside them."""

from dataclasses import dataclass

from psycopg2 import sql


@dataclass(frozen=True, kw_only=True)
class Place:
    """A set of star tables and a ledger.

    Attributes:
        star_schema: the schema of the star tables.
        ledger_prefix: how the names of the ledger's tables begin, which are in schema `etl`.
    """

    star_schema: str
    ledger_prefix: str

    def star(self, table: str) -> sql.Identifier:
        """Return the name of a star table."""
        return sql.Identifier(self.star_schema, table)

    def ledger(self, table: str) -> sql.Identifier:
        """Return the name of a table of the ledger."""
        return sql.Identifier("etl", self.ledger_prefix + table)


LIVE = Place(star_schema="public", ledger_prefix="")
"""What analysts read."""

BESIDE = Place(star_schema="etl", ledger_prefix="rebuilt_")
"""What a rebuild makes. Star tables have their final names, so that keys and sequences get theirs from them."""
