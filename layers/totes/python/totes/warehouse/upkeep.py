"""What every run makes good once: what the warehouse says of itself, and the unknown members that it lacks.

That is which columns this version makes, what each column means, and the views that answer the shop's questions.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import cursor as Cursor

from totes.savepoints import savepoint
from totes.sqlstate import COMES_AGAIN, is_of_class
from totes.star_schema import StarTable
from totes.warehouse.for_readers import ensure_comments, ensure_reports
from totes.warehouse.ledger import lock
from totes.warehouse.migrate import remember_columns
from totes.warehouse.places import LIVE
from totes.warehouse.unknown import add_every_unknown

logger = logging.getLogger(__name__)


@dataclass
class Upkeep:
    """How far a run is with it. A transaction works on a copy, which counts once the transaction has committed.

    Attributes:
        tables: the star tables.
        described: whether the warehouse is described.
        deferred: whether it was empty, and is to be described when the run ends.
    """

    tables: Sequence[StarTable]
    described: bool = False
    deferred: bool = False

    def make_good(self, cursor: Cursor, *, to_be_filled: bool) -> None:
        """Make good what is not yet.

        An empty warehouse is described after it is filled: the rebuild replaces its tables and would have to copy
        hundreds of comments.

        Args:
            cursor: the warehouse, with the loaders' lock.
            to_be_filled: whether it is empty, and the processed bucket has batches for it.

        Raises:
            psycopg2.Error: the connection to the warehouse was lost.
        """
        remember_columns(cursor, self.tables)
        if not self.described:
            self._add_unknowns(cursor)
        self.deferred = to_be_filled
        if not to_be_filled:
            self._describe(cursor)

    def describe_at_last(self, cursor: Cursor) -> None:
        """Describe a warehouse that was empty: it is filled now, or is read until a later run fills it."""
        if self.deferred:
            lock(cursor)
            self._describe(cursor)

    def _add_unknowns(self, cursor: Cursor) -> None:
        """Add the unknown members that are missing; if what somebody has made refuses them, the load goes on."""
        try:
            with savepoint(cursor):
                add_every_unknown(cursor, LIVE, self.tables)
        except psycopg2.Error as error:
            if not is_of_class(error, COMES_AGAIN):
                raise
            logger.warning("joins lack facts that name a row in quarantine, which has no unknown member: %s", error)

    def _describe(self, cursor: Cursor) -> None:
        """Comment each table and column, and make the views of the reports."""
        if not self.described:
            ensure_comments(cursor, self.tables)
            ensure_reports(cursor)
            self.described = True
