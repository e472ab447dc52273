"""The state of the warehouse that a snapshot is of: one, whatever is loaded or swapped meanwhile."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.consistent_read import consistent_read
from totes.dashboard_snapshot.manifest import Rates, Verified
from totes.dashboard_snapshot.reading import part_of
from totes.dashboard_snapshot.tables import BATCH, TABLES, FactTables
from totes.names import REPORT
from totes.report import VIEWS

_IDENTITY = """
    SELECT (SELECT capture_sha256 FROM etl.batch ORDER BY batch_id LIMIT 1),
        (SELECT edition FROM etl.batch ORDER BY batch_id DESC LIMIT 1),
        (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()),
        (SELECT string_agg(oid::text, '-' ORDER BY relname) FROM pg_catalog.pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND starts_with(relname, 'fact_'))
"""


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest batch of a warehouse: when the source was read for it, and when it was loaded."""

    batch: int
    captured_at: datetime
    loaded_at: datetime


@contextmanager
def consistent_read_of(warehouse: Connection) -> Iterator[Cursor]:
    """Open a transaction that sees one state of the views that are published; see `consistent_read`."""
    views = sorted({(REPORT, view) for view in (*(t.view for t in TABLES), "exchange_rates")})
    with consistent_read(warehouse, views, _missing) as cursor:
        # PostgreSQL takes many look-ups by key for so much work that it compiles the query, for longer than that saves.
        cursor.execute("SET LOCAL jit = off")
        yield cursor


def identity(cursor: Cursor) -> str:
    """Which warehouse it is: its lake, edition of the star, database, and fact tables, which a rebuild makes again."""
    cursor.execute(_IDENTITY)
    [[first, edition, database, tables]] = cursor.fetchall()
    return f"{first[:16]}/{edition}/{database}/{tables}"


def newest(cursor: Cursor) -> Newest | None:
    """The newest batch; None where there is none."""
    # The view of the batches adds up the row counts of all of them before it gives the last one.
    cursor.execute("SELECT batch_id, captured_at, loaded_at FROM etl.batch ORDER BY batch_id DESC LIMIT 1")
    found = cursor.fetchone()
    return Newest(batch=found[0], captured_at=found[1], loaded_at=found[2]) if found else None


def capture_of(cursor: Cursor, batch: int) -> str | None:
    """The SHA-256 of the capture manifest that a batch was loaded from; None where the warehouse has no such batch."""
    cursor.execute("SELECT capture_sha256 FROM etl.batch WHERE batch_id = %s", [batch])
    found = cursor.fetchone()
    return str(found[0]) if found else None


def last_verification(cursor: Cursor) -> Verified | None:
    """What the last comparison with the source found; None where there was none."""
    cursor.execute("SELECT at, batch, equal, differences FROM report.verifications ORDER BY at DESC LIMIT 1")
    found = cursor.fetchone()
    return Verified(at=found[0], batch=found[1], equal=found[2], differences=found[3]) if found else None


def rates(cursor: Cursor) -> Rates | None:
    """The exchange rates that amounts are converted by; None where there are none."""
    cursor.execute(
        "SELECT (SELECT reporting_currency FROM report.exchange_rates LIMIT 1), max(day), count(*), "
        "left(encode(sha256(convert_to("
        # A day counts from 1970, so that no setting of the session writes it in another way.
        "string_agg(concat_ws(' ', currency_id, day - date '1970-01-01', rate), ',' ORDER BY currency_id, day), "
        "'UTF8')), 'hex'), 16) FROM report.rates"
    )
    [[currency, newest_day, count, digest]] = cursor.fetchall()
    return Rates(currency=currency, newest=newest_day, count=count, digest=digest) if currency and count else None


def months_changed(cursor: Cursor, fact: FactTables, since: int) -> list[str]:
    """The months with versions of those rows of a fact that batches after one have changed."""
    view, key = sql.Identifier(REPORT, fact.versions.view), sql.Identifier(fact.key)
    # A query for each column: for an OR of columns of two tables, PostgreSQL would join all of both.
    changed = sql.SQL(" UNION ").join(
        sql.SQL("SELECT {} FROM {} WHERE {} > {}").format(key, view, sql.Identifier(column), sql.Literal(since))
        for column in fact.changed_by
    )
    cursor.execute(
        sql.SQL("SELECT DISTINCT {} FROM {} WHERE {} IN ({})").format(part_of(fact.versions), view, key, changed)
    )
    return sorted(month for (month,) in cursor.fetchall())


def months_of_batches(cursor: Cursor, since: int) -> list[str]:
    """The months in which batches after one were captured."""
    cursor.execute(
        sql.SQL("SELECT DISTINCT {part} FROM {view} WHERE batch > {since}").format(
            part=part_of(BATCH), view=sql.Identifier(REPORT, BATCH.view), since=sql.Literal(since)
        )
    )
    return sorted(month for (month,) in cursor.fetchall())


def made_by() -> str:
    """A digest of the tables and views that make a snapshot, which is another one for those of another totes."""
    views = {view.name: view.query for view in VIEWS}
    said = repr([(table, views[table.view]) for table in TABLES])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _missing(views: Sequence[str]) -> str:
    return (
        f"the warehouse has no view {views[0]}, which the dashboard reads; the next load makes it, or its log "
        "says why not (docs/dashboard.md)"
    )
