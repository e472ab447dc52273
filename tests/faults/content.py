"""Faults in what the source says: it is restored, its clock jumps, its values are odd, a table is emptied."""

import datetime as dt
from collections.abc import Mapping
from contextlib import closing

import psycopg2

from tests.faults.scene import Fault, Scene
from totes.capture import SOURCE_TABLES

ONE_MILLISECOND = 10_000
"""Rows."""

_IN_PIECES = 600
"""Rows that are as many pieces as thousands are where pieces are large; of ten thousand a run took minutes."""


def source_restored(scene: Scene) -> None:
    """The source is put back to an earlier state; what it lost is gone, and what it has is what counts."""
    scene.history.close()
    copy = scene.world.copy_source()
    scene.history.go_on(6)
    scene.history.close()
    scene.world.tick()
    scene.world.put_source_back(copy)
    tick = scene.world.tick()
    if tick.error == "MassDeletion":  # what is lost may be so much that a person has to look
        tick = scene.world.tick(asked={"accept_deletes": [table.name for table in SOURCE_TABLES]})
    assert tick.succeeded, tick


def clock_off(scene: Scene) -> None:
    """The clock of the application jumps by hours."""
    scene.history.clock_is_off = dt.timedelta(hours=scene.number(49) - 24)
    scene.history.go_on(4)
    assert scene.world.tick().succeeded


def one_millisecond(scene: Scene) -> None:
    """Ten thousand rows are written in one millisecond, and edited in one."""
    scene.write(
        "INSERT INTO design (design_name, file_location, file_name, created_at, last_updated) "
        "SELECT 'avalanche', '/', n::text, '2024-01-01', '2024-01-01' FROM generate_series(1, %s) AS n",
        [_IN_PIECES if scene.world.in_pieces else ONE_MILLISECOND],
    )
    assert scene.world.tick().succeeded
    scene.write("UPDATE design SET file_name = file_name || '!' WHERE design_name = 'avalanche'")
    assert scene.world.tick().succeeded
    scene.write(
        "DELETE FROM design WHERE design_name = 'avalanche' AND design_id NOT IN (SELECT design_id FROM sales_order)"
    )
    assert scene.world.tick(asked={"accept_deletes": ["design"]}).succeeded


def prepared_transaction(scene: Scene) -> None:
    """A transaction is prepared before a run and committed after it."""
    name = f"card_{scene.number(1_000_000_000)}"
    scene.history.settle()
    with closing(psycopg2.connect(scene.world.source)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE design SET file_name = %s WHERE design_id = 2", [name])
            cursor.execute("PREPARE TRANSACTION %s", [name])
            assert scene.world.tick().succeeded
            cursor.execute("COMMIT PREPARED %s", [name])


def emptied_table(scene: Scene) -> None:
    """A table is truncated: every run stops until someone says go."""
    scene.history.settle()
    assert scene.world.tick(asked={"accept_deletes": ["payment"]}).succeeded
    scene.write("CREATE TABLE audit.kept AS SELECT * FROM payment; DELETE FROM payment")
    tick = scene.world.tick()
    assert tick.error in {"MassDeletion", None}, tick
    if scene.number(2):
        assert scene.world.tick(asked={"accept_deletes": ["payment"]}).succeeded
    scene.write("INSERT INTO payment SELECT * FROM audit.kept; DROP TABLE audit.kept")


def odd_numbers(scene: Scene) -> None:
    """Amounts that no star column holds, in a column that has become wide enough for them."""
    amount = ("'NaN'", "12345678901234567890123456789012345678", "1.005", "-99999999999.99", "0.00")[scene.number(5)]
    scene.write("ALTER TABLE payment ALTER payment_amount TYPE numeric")
    scene.write(
        f"UPDATE payment SET payment_amount = {amount} WHERE payment_id = (SELECT min(payment_id) FROM payment)"
    )
    assert scene.world.tick().succeeded


def null_everywhere(scene: Scene) -> None:
    """Rows that say nothing at all."""
    for name in ("payment", "staff"):
        columns = next(source.columns for source in SOURCE_TABLES if source.name == name)
        values = [column for column in columns if column != f"{name}_id"]
        scene.write(f"ALTER TABLE {name} {', '.join(f'ALTER {column} DROP NOT NULL' for column in values)}")
        scene.write(
            f"UPDATE {name} SET {', '.join(f'{column} = NULL' for column in values)} "
            f"WHERE {name}_id = (SELECT max({name}_id) FROM {name})"
        )
    assert scene.world.tick().succeeded


FAULTS: Mapping[str, Fault] = {
    "the source restored to an earlier state": source_restored,
    "the clock off by hours": clock_off,
    "ten thousand rows in one millisecond": one_millisecond,
    "a prepared transaction over a run": prepared_transaction,
    "a table emptied": emptied_table,
    "odd numbers": odd_numbers,
    "NULL everywhere": null_everywhere,
}
