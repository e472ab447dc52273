"""What a run would stumble over, looked at before one does; nothing is changed."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture import SOURCE_TABLES
from totes.capture.contract import columns_of
from totes.capture.snapshot import snapshot_of
from totes.errors import TotesError
from totes.star import STAR_TABLES
from totes.warehouse.migrate import ensure_tables
from workbench.cloud import LocalCloud
from workbench.cloud.databases import identity_of
from workbench.deployment import Deployment
from workbench.errors import UserError

_LEAST_FREE = 2**30
"""Bytes."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, and a sentence on it."""

    subject: str
    good: bool
    sentence: str


def examine(deployment: Deployment, cloud: LocalCloud | None) -> Iterator[Finding]:
    """Look at source, warehouse, lake and disk, one after the other.

    Args:
        deployment: what is looked at.
        cloud: the local cloud that it is in; None: it is in an AWS account.
    """
    yield _found("source", lambda: _source(deployment))
    yield _found("warehouse", lambda: _warehouse(deployment))
    yield _found("identity", lambda: _identity(deployment))
    yield _found("lake", lambda: _lake(deployment))
    if cloud is not None:
        yield _found("disk", lambda: _disk(cloud))


def _found(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, good=True, sentence=look())
    except (TotesError, UserError, psycopg2.Error) as error:
        return Finding(subject, good=False, sentence=str(error).strip())


def _source(deployment: Deployment) -> str:
    with deployment.source() as connection, snapshot_of(connection, SOURCE_TABLES) as snapshot:
        columns_of(snapshot, SOURCE_TABLES)
        rows = sum(_count(connection, table.name) for table in SOURCE_TABLES)
    if not rows:
        raise UserError("the source's tables are empty: a run brings nothing (totes simulate fills a shop)")
    version = f"{connection.server_version // 10000}"
    return f"PostgreSQL {version}, its {len(SOURCE_TABLES)} tables can be read, and have {rows:,} rows"


def _count(connection: Connection, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table)))
        [[count]] = cursor.fetchall()
        return int(count)


def _warehouse(deployment: Deployment) -> str:
    """What a load does first, taken back: it sees the encoding, a shop's tables, strangers' tables and rights."""
    with deployment.warehouse() as connection, connection.cursor() as cursor:
        try:
            found = ensure_tables(cursor, STAR_TABLES, all_of_it=False)
        finally:
            connection.rollback()
    if found.gone:
        raise UserError(f"{', '.join(found.gone)} was dropped; the next run makes all of it again (totes run)")
    if found.newer or found.other:
        raise UserError(f"its tables are not what this totes makes: {'; '.join((*found.newer, *found.other))}")
    return f"PostgreSQL {connection.server_version // 10000}, and the star can be written there"


def _identity(deployment: Deployment) -> str:
    with deployment.source() as source, deployment.warehouse() as warehouse:
        if identity_of(source) == identity_of(warehouse):
            raise UserError("source and warehouse are the same database; name another warehouse (totes secrets set)")
    return "source and warehouse are two databases"


def _lake(deployment: Deployment) -> str:
    newest = deployment.ingestion.newest()
    return f"its newest batch is {newest:,}" if newest else "it holds no batch yet"


def _disk(cloud: LocalCloud) -> str:
    free = shutil.disk_usage(cloud.state).free
    if free < _LEAST_FREE:
        raise UserError(f"{free / 2**20:,.0f} MB are left on the disk of {cloud.state}; make room")
    return f"{free / 2**30:,.0f} GB are left for {cloud.state}"
