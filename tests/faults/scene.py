"""What a fault is played on, and the words that all faults share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg2.extensions import cursor as Cursor

from tests.faults.audit import notice
from tests.faults.functions import Outcome
from tests.faults.history import History
from tests.faults.worker import Raised
from tests.faults.world import World
from tests.support.databases import execute, session, value
from totes.errors import PieceFailed


@dataclass(frozen=True)
class Scene:
    """What a fault happens in."""

    world: World
    history: History
    generator: np.random.Generator

    def write(self, statements: str, values: Sequence[object] = ()) -> None:
        """Write to the source, once no writer holds a lock any more."""
        self.history.settle()
        execute(self.world.source, statements, values)

    def migrate(self, change: Callable[[Cursor], None], *tables: str) -> None:
        """Change the source's tables in one transaction, and log what that did to the rows of the tables named."""
        self.history.settle()
        with session(self.world.source) as connection, connection, connection.cursor() as cursor:
            change(cursor)
            for table in tables:
                notice(cursor, table)
        self.world.grant()

    def maintain(self, *statements: str) -> None:
        """Run statements on the source, each in a transaction of its own, as VACUUM asks."""
        self.history.settle()
        with session(self.world.source) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    def number(self, most: int) -> int:
        """A number from 0, `most` left out."""
        return int(self.generator.integers(most))


Fault = Callable[[Scene], None]


class MissedError(Exception):
    """The run did not come to where the fault was to happen, and so there was none."""


def arrives(scene: Scene) -> None:
    """An ordinary run succeeds, and then the warehouse is what the source says."""
    scene.history.settle()
    tick = scene.world.tick()
    assert tick.succeeded, tick
    verdict = scene.world.verdict()
    differing = {
        name: found.to_dict() for name, found in verdict.tables.items() if found.differences or found.in_flight
    }
    assert not differing, differing


def begin(scene: Scene) -> None:
    """See that the warehouse holds a batch, for the first one is loaded by other statements than those after it."""
    if value(scene.world.warehouse, "SELECT to_regclass('etl.batch')") is None or not value(
        scene.world.warehouse, "SELECT count(*) FROM etl.batch"
    ):
        assert scene.world.tick().succeeded


def stir(scene: Scene) -> None:
    """Give every step of the next run something to do."""
    scene.write("UPDATE payment SET paid = NOT paid WHERE payment_id %% 7 = 4")
    scene.write("UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id %% 5 = 2")


def refused(outcome: Outcome, *errors: str) -> None:
    """The step failed, and said why in a word that tells what to do; of a piece that failed it tells the piece's."""
    assert isinstance(outcome, Raised), outcome
    if outcome.error == PieceFailed.__name__:
        assert any(error in outcome.message for error in errors), outcome
    else:
        assert outcome.error in errors, outcome
