"""How far a rebuild is: one row of `etl.rebuild`, which is unlogged, so that a crash of the server empties it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.catalog import has_table
from totes.star_schema import StarTable
from totes.warehouse.definitions import columns_made, identifiers
from totes.warehouse.rebuild.bulk import Position

_FORMAT = 4
"""The format of `etl.rebuild`; a rebuild that was begun in another one is begun again."""

_CREATE = """
    CREATE UNLOGGED TABLE etl.rebuild (
        edition integer NOT NULL,
        definitions text NOT NULL,
        straight boolean NOT NULL,
        batch integer NOT NULL,
        parts integer NOT NULL,
        built text[] NOT NULL,
        filled boolean NOT NULL
    )
"""


@dataclass(frozen=True, kw_only=True)
class RebuildProgress:
    """How far a rebuild is.

    Attributes:
        edition: the edition of the star that it is made from.
        edition_digest: what tells that edition from another one of its number; None: it is the first, or not known.
        definitions: a digest of the definitions that its tables are made by.
        straight: whether it is made from the first batch alone, whose rows need no staging.
        position: what is staged.
        built: which steps of which star tables are done: the table is filled, or one of its keys is built.
        filled: whether the ledger is filled too.
    """

    edition: int
    edition_digest: str | None
    definitions: str
    straight: bool
    position: Position
    built: Sequence[str]
    filled: bool


def begin_progress(
    cursor: Cursor, edition: int, edition_digest: str | None, definitions: str, *, straight: bool
) -> None:
    """Create the table, with the row of a rebuild that has done nothing yet; see `RebuildProgress`."""
    cursor.execute(_CREATE)
    cursor.execute(
        "INSERT INTO etl.rebuild VALUES (%s, %s, %s, 0, 0, '{}', false)",
        (edition, " ".join(filter(None, (definitions, edition_digest))), straight),
    )


def read_progress(cursor: Cursor) -> RebuildProgress | None:
    """Return how far the rebuild is that is under way; None where there is none."""
    if not has_table(cursor, "etl.rebuild"):
        return None
    cursor.execute(
        sql.SQL("SELECT {} FROM etl.rebuild").format(
            identifiers(["edition", "definitions", "straight", "batch", "parts", "built", "filled"])
        )
    )
    row = cursor.fetchone()
    if row is None:
        return None
    edition, definitions, straight, batch, parts, built, filled = row
    # In one column, for a table that an older totes has made has no other.
    definitions, _, edition_digest = definitions.partition(" ")
    return RebuildProgress(
        edition=edition,
        edition_digest=edition_digest or None,
        definitions=definitions,
        straight=straight,
        position=Position(batch, parts),
        built=built,
        filled=filled,
    )


def note_staged(cursor: Cursor, position: Position) -> None:
    """Write that the rows up to a position are staged."""
    cursor.execute("UPDATE etl.rebuild SET batch = %s, parts = %s", (position.batch, position.parts))


def note_built(cursor: Cursor, build_step: str) -> None:
    """Write that a step of a star table is done."""
    cursor.execute("UPDATE etl.rebuild SET built = array_append(built, %s)", (build_step,))


def note_filled(cursor: Cursor) -> None:
    """Write that the ledger is filled."""
    cursor.execute("UPDATE etl.rebuild SET filled = true")


def is_under_way(cursor: Cursor, tables: Sequence[StarTable] | None = None) -> bool:
    """Return whether a rebuild has begun and is not done; if tables are given, only one by their definitions counts."""
    progress = read_progress(cursor)
    return progress is not None and (tables is None or progress.definitions == digest_of_definitions(tables))


def digest_of_definitions(tables: Sequence[StarTable]) -> str:
    """Return the digest by which a rebuild knows the definitions that its tables are made by."""
    return hashlib.sha256(json.dumps([_FORMAT, *columns_made(tables)]).encode()).hexdigest()
