"""Whether PostgreSQL's own heap keeps the rows of the source's tables.

Only there a row's xmin is a transaction of this server's, by which a row is known as new. A foreign table has none.
Another access method keeps what it likes. Citus keeps a table's rows on other servers, and passes on the ids of those,
which are of other counters: https://github.com/citusdata/citus/issues/5424.
"""

from collections.abc import Sequence

from psycopg2 import sql

from totes.capture.source.identity import MEMBERS
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.errors import ContractError

# A partitioned table has no rows, and from PostgreSQL 17 on perhaps the access method of partitions to come.
_KEPT_BY = MEMBERS + sql.SQL("""
    SELECT root.relname,
           CASE namespace.nspname WHEN 'public' THEN '' ELSE namespace.nspname || '.' END || class.relname,
           class.relkind = 'f', method.amname, class.oid::bigint
    FROM member
    JOIN pg_class AS root ON root.oid = member.root
    JOIN pg_class AS class ON class.oid = member.relation
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    LEFT JOIN pg_am AS method ON method.oid = class.relam AND class.relkind = 'r'
    ORDER BY 1, 2
""")

_OF_CITUS = "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL"
_DISTRIBUTED = "SELECT logicalrelid::oid::bigint FROM pg_catalog.pg_dist_partition"


def must_be_kept_by_heap(snapshot: Snapshot, tables: Sequence[SourceTable]) -> None:
    """Refuse tables with rows that are not in PostgreSQL's own heap: nothing there tells which of them are new.

    Raises:
        ContractError: rows of a table lie in a foreign table, on other servers, or are kept by another access method.
    """
    with snapshot.connection.cursor() as cursor:
        cursor.execute(_KEPT_BY, ([table.source_name for table in tables],))
        members = cursor.fetchall()
        cursor.execute(_OF_CITUS)
        distributed: set[int] = set()
        if cursor.fetchall() == [(True,)]:
            cursor.execute(_DISTRIBUTED)
            distributed = {oid for (oid,) in cursor.fetchall()}
    for name, member, is_foreign, method, oid in members:
        if is_foreign:
            raise ContractError(
                f"rows of table {name} lie in the foreign table {member}, where PostgreSQL cannot tell what has "
                f"changed; detach it, or bring its rows into a table of the source"
            )
        if oid in distributed:
            raise ContractError(
                f"rows of table {name} lie in {member}, which Citus keeps, so that it cannot be told "
                f"what has changed; bring them back to this one (undistribute_table)"
            )
        if method not in {None, "heap"}:
            raise ContractError(
                f"rows of table {name} lie in {member}, which the access method {method} keeps, so that it cannot be "
                f"told what has changed; bring them into a table that is made with USING heap"
            )
