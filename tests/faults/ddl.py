"""Faults by DDL: what migrations and maintenance do to the source's tables, most of it without writing any row.

Each is logged in the audit log by hand, in its own transaction, because no row trigger sees it. A run comes between the
steps of a migration that has several, so that the last batch's horizon is past whatever they wrote.
"""

import io
from collections.abc import Mapping
from contextlib import closing

import psycopg2
from psycopg2.extensions import cursor as Cursor

from tests.faults.audit import watch
from tests.faults.functions import CAPTURE
from tests.faults.run import pause
from tests.faults.scene import Fault, MissedError, Scene, arrives, refused, stir
from tests.faults.worker import Returned
from tests.support.databases import execute, rows, session
from totes.errors import SourceUnavailable

_VIRTUAL_COLUMNS = 180000
"""The first server version that has them."""


def swapped(scene: Scene) -> None:
    """A corrected copy is made, runs go on, and it takes the table's place by two renames."""
    scene.migrate(lambda cursor: _copy(cursor, "UPDATE payment_copy SET paid = NOT paid WHERE payment_id % 2 = 0"))
    stir_designs(scene)
    scene.migrate(_take_its_place, "payment")
    arrives(scene)


def repacked(scene: Scene) -> None:
    """The same rows in a new heap take the old one's place in one transaction, as pg_repack does it."""

    def repack(cursor: Cursor) -> None:
        _copy(cursor)
        _take_its_place(cursor)

    stir_designs(scene)
    scene.migrate(repack, "payment")
    arrives(scene)


def _copy(cursor: Cursor, correction: str | None = None, shape: str = "") -> None:
    """A copy of payment with its keys and references, some of its rows corrected."""
    cursor.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'payment'::regclass AND contype = 'f'"
    )
    references = [definition for (definition,) in cursor.fetchall()]
    kept = "ALL EXCLUDING INDEXES" if shape else "ALL"
    cursor.execute(f"CREATE TABLE payment_copy (LIKE payment INCLUDING {kept}) {shape}")
    if shape:
        cursor.execute(
            "CREATE TABLE payment_low PARTITION OF payment_copy FOR VALUES FROM (MINVALUE) TO (20); "
            "CREATE TABLE payment_high PARTITION OF payment_copy FOR VALUES FROM (20) TO (MAXVALUE); "
            "ALTER TABLE payment_copy ADD PRIMARY KEY (payment_id)"
        )
    for definition in references:
        cursor.execute(f"ALTER TABLE payment_copy ADD {definition}")
    cursor.execute("INSERT INTO payment_copy SELECT * FROM payment")
    if correction:
        cursor.execute(correction)


def _take_its_place(cursor: Cursor) -> None:
    cursor.execute(
        "ALTER SEQUENCE payment_payment_id_seq OWNED BY payment_copy.payment_id; "
        "ALTER TABLE payment RENAME TO payment_before; ALTER TABLE payment_copy RENAME TO payment; "
        "DROP TABLE payment_before"
    )
    watch(cursor, "payment")


def partition_exchanged(scene: Scene) -> None:
    """A partition is detached and a corrected one attached in its place."""
    if not rows(scene.world.source, "SELECT FROM pg_partitioned_table WHERE partrelid = 'payment'::regclass"):

        def partition(cursor: Cursor) -> None:
            _copy(cursor, shape="PARTITION BY RANGE (payment_id)")
            _take_its_place(cursor)

        scene.migrate(partition, "payment")
    scene.migrate(
        lambda cursor: cursor.execute(
            "CREATE TABLE payment_low_again (LIKE payment_low INCLUDING ALL); "
            "INSERT INTO payment_low_again SELECT * FROM payment_low; "
            "UPDATE payment_low_again SET paid = NOT paid"
        )
    )
    stir_designs(scene)
    scene.migrate(
        lambda cursor: cursor.execute(
            "ALTER TABLE payment DETACH PARTITION payment_low; DROP TABLE payment_low; "
            "ALTER TABLE payment_low_again RENAME TO payment_low; "
            "ALTER TABLE payment ATTACH PARTITION payment_low FOR VALUES FROM (MINVALUE) TO (20)"
        ),
        "payment",
    )
    arrives(scene)


def enum_renamed(scene: Scene) -> None:
    """An enum's label is another one for a while: every row that has it says something else, and none was written."""
    stir_designs(scene)
    for old, new in (("SALE", "SOLD"), ("SOLD", "SALE")):
        scene.migrate(
            lambda cursor, old=old, new=new: cursor.execute(  # type: ignore[misc]
                'ALTER TYPE "TransactionType" RENAME VALUE %s TO %s', [old, new]
            ),
            "transaction",
        )
        arrives(scene)


def enum_label_added(scene: Scene) -> None:
    """An enum gets a label, and a row has it at once."""
    label = f"PARTLY_{scene.number(1_000_000_000)}"
    scene.maintain(f"""ALTER TYPE "PaymentTypeName" ADD VALUE '{label}'""")
    scene.write("UPDATE payment_type SET payment_type_name = %s WHERE payment_type_id = 4", [label])
    arrives(scene)
    scene.write("UPDATE payment_type SET payment_type_name = 'PURCHASE_REFUND' WHERE payment_type_id = 4")


def column_made_again(scene: Scene) -> None:
    """A column is dropped and added again by the same name and type: every row has the default, and none was written.

    Later its old default comes back in the same way.
    """
    stir_designs(scene)
    [[lowest, highest]] = rows(scene.world.source, "SELECT min(address_id), max(address_id) FROM address")
    for default in (highest, lowest):
        scene.migrate(
            lambda cursor, default=default: cursor.execute(  # type: ignore[misc]
                "ALTER TABLE sales_order DROP COLUMN agreed_delivery_location_id; "
                f"ALTER TABLE sales_order ADD COLUMN agreed_delivery_location_id integer NOT NULL DEFAULT {default}"
            ),
            "sales_order",
        )
        arrives(scene)
    scene.migrate(
        lambda cursor: cursor.execute("ALTER TABLE sales_order ALTER agreed_delivery_location_id DROP DEFAULT")
    )


def column_beyond_the_contract(scene: Scene) -> None:
    """A column that totes does not need is added with a default, changed, and dropped."""
    name = f"note_{scene.number(1_000_000_000)}"
    for change in (f"ADD COLUMN {name} text DEFAULT 'a'", f"ALTER {name} TYPE varchar(9)", f"DROP COLUMN {name}"):
        scene.write(f"ALTER TABLE sales_order {change}")
        arrives(scene)


def expression_changed(scene: Scene) -> None:
    """A virtual column has a new expression: every row says something else, and none was written."""
    with session(scene.world.source) as connection:
        if connection.server_version < _VIRTUAL_COLUMNS:
            raise MissedError
    virtual = "text GENERATED ALWAYS AS ('2024-01-01') VIRTUAL"
    _make_payment_date(scene, virtual)
    stir_designs(scene)
    scene.migrate(
        lambda cursor: cursor.execute("ALTER TABLE payment ALTER payment_date SET EXPRESSION AS ('2025-02-02')"),
        "payment",
    )
    arrives(scene)
    _make_payment_date(scene, "text NOT NULL DEFAULT '2024-03-03'")
    arrives(scene)
    scene.migrate(lambda cursor: cursor.execute("ALTER TABLE payment ALTER payment_date DROP DEFAULT"))


def _make_payment_date(scene: Scene, definition: str) -> None:
    scene.migrate(
        lambda cursor: cursor.execute(
            f"ALTER TABLE payment DROP COLUMN payment_date; ALTER TABLE payment ADD COLUMN payment_date {definition}"
        ),
        "payment",
    )


def retyped_by_expression(scene: Scene) -> None:
    """A rewriting ALTER gives every row another value."""
    stir_designs(scene)
    scene.migrate(
        lambda cursor: cursor.execute("ALTER TABLE sales_order ALTER units_sold TYPE integer USING units_sold + 1"),
        "sales_order",
    )
    arrives(scene)


def narrowed(scene: Scene) -> None:
    """A numeric gets fewer digits, and PostgreSQL rounds what it has; nothing is lost by giving them back."""
    for scale in (1, 2):
        stir_designs(scene)
        scene.migrate(
            lambda cursor, scale=scale: cursor.execute(  # type: ignore[misc]
                f"ALTER TABLE sales_order ALTER unit_price TYPE numeric(10,{scale})"
            ),
            "sales_order",
        )
        arrives(scene)


def refilled_frozen(scene: Scene) -> None:
    """A table is emptied and filled again by COPY FREEZE, one of its rows another."""

    def refill(cursor: Cursor) -> None:
        cursor.execute(
            "CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM payment; "
            "UPDATE kept SET paid = NOT paid WHERE payment_id = (SELECT min(payment_id) FROM kept)"
        )
        text = _copied_out(cursor, "SELECT * FROM kept")
        leaves = rows(
            scene.world.source, "SELECT relid::text FROM pg_partition_tree('payment') WHERE isleaf ORDER BY 1"
        )
        frozen = "" if leaves != [("payment",)] else ", FREEZE"  # a partitioned table takes no FREEZE
        cursor.execute("TRUNCATE payment")
        cursor.copy_expert(f"COPY payment FROM STDIN (FORMAT csv{frozen})", text)

    stir_designs(scene)
    scene.migrate(refill, "payment")
    scene.maintain("VACUUM (FREEZE) payment")
    arrives(scene)


def _copied_out(cursor: Cursor, query: str) -> io.StringIO:
    text = io.StringIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", text)
    text.seek(0)
    return text


def rewritten_by_maintenance(scene: Scene) -> None:
    """VACUUM FULL, FREEZE and CLUSTER move every row and change none."""
    stir(scene)
    key = rows(
        scene.world.source,
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'sales_order'::regclass AND indisprimary",
    )[0][0]
    scene.maintain("VACUUM FULL sales_order", f"CLUSTER sales_order USING {key}", "VACUUM (FULL, FREEZE) design")
    arrives(scene)


def truncated_under_a_capture(scene: Scene) -> None:
    """A table is truncated, or rewritten, between a capture's snapshot and its read of it.

    Whoever does it waits for the lock that the capture holds; had he not, the capture would see an empty table.
    """
    stir(scene)
    change = ("TRUNCATE payment", "ALTER TABLE payment ALTER payment_amount TYPE numeric(10,2) USING payment_amount")[
        scene.number(2)
    ]
    if rows(scene.world.source, "SELECT FROM payment WHERE payment_amount = 'NaN' OR abs(payment_amount) > 9e7"):
        change = "TRUNCATE payment"
    capture = scene.world.functions[CAPTURE]
    assert pause(capture, r"source (?!LOCK).*\bFROM (ONLY )?public\.payment\b")
    with closing(psycopg2.connect(scene.world.source, options="-c lock_timeout=300ms")) as other:
        with other.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM payment")
        other.commit()
        was_let = _tries(other, change)
        outcome = capture.release()
        if was_let and change.startswith("TRUNCATE"):
            with other, other.cursor() as cursor:
                cursor.execute("INSERT INTO payment SELECT * FROM kept")
    assert isinstance(outcome, Returned), (outcome, was_let)
    arrives(scene)


def enum_renamed_under_a_capture(scene: Scene) -> None:
    """An enum's label is another one while a capture writes rows by it, and then is as before: no lock forbids that."""
    rename = 'ALTER TYPE "TransactionType" RENAME VALUE %s TO %s'
    scene.write(
        "UPDATE transaction SET last_updated = last_updated + interval '1 second' WHERE transaction_id %% 3 = 1"
    )
    capture = scene.world.functions[CAPTURE]
    if not pause(capture, r"source COPY .*\bFROM public\.transaction\b"):
        raise MissedError
    execute(scene.world.source, rename, ["SALE", "SOLD"])
    outcome = capture.release()
    execute(scene.world.source, rename, ["SOLD", "SALE"])
    refused(outcome, SourceUnavailable.__name__)
    arrives(scene)


def _tries(connection: psycopg2.extensions.connection, statement: str) -> bool:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
    except psycopg2.errors.LockNotAvailable:
        return False
    return True


def stir_designs(scene: Scene) -> None:
    """An ordinary run with a change moves the horizon past all that was written before."""
    scene.write("UPDATE design SET file_name = file_name || '.' WHERE design_id = (SELECT min(design_id) FROM design)")
    assert scene.world.tick().succeeded


FAULTS: Mapping[str, Fault] = {
    "a table swapped by rename": swapped,
    "a table repacked": repacked,
    "a partition exchanged": partition_exchanged,
    "an enum's label renamed": enum_renamed,
    "an enum's label renamed under a capture": enum_renamed_under_a_capture,
    "an enum's label added": enum_label_added,
    "a column dropped and added again": column_made_again,
    "a column beyond the contract": column_beyond_the_contract,
    "a virtual column's new expression": expression_changed,
    "a column retyped by an expression": retyped_by_expression,
    "a numeric narrowed": narrowed,
    "a table refilled by COPY FREEZE": refilled_frozen,
    "VACUUM FULL and CLUSTER": rewritten_by_maintenance,
    "a table truncated under a capture": truncated_under_a_capture,
}
