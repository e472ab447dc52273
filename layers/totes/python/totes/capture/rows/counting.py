"""How many rows a table has, for how many of them a condition holds, and where in the table those lie.

New rows mostly lie close together, where the table has room: at its end, say. Then they are read without reading the
whole table a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql

from totes.capture.source.snapshot import EVERY_ROW, NO_ROW, Snapshot

_STRETCHES = 8
"""A table is looked at as so many stretches of equally many blocks; the last has also what the table has grown by."""

_DIGITS = 12
"""As many as the count of a stretch's rows may have."""

_COUNT_ALL = sql.SQL("SELECT count(*), NULL FROM public.{table}")

# One number has the counts of all stretches, each in twelve digits of its own: a row adds 1 where it lies in the first,
# 10**12 in the second. So the condition is asked of each row once; a second aggregate would ask it of each again, which
# takes about as long as the rest of the count.
_COUNT = sql.SQL("""
    SELECT count(*), sum(({units}::numeric[])[1 + width_bucket(ctid, {starts}::tid[])]) FILTER (WHERE {condition})
    FROM public.{table}
""")
_UNITS = [10 ** (_DIGITS * stretch) for stretch in range(_STRETCHES)]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one look at the whole of a table tells.

    Attributes:
        rows: how many rows it has.
        candidates: for how many of them the condition holds.
        place: the SQL condition that holds where these lie, and in few other places.
    """

    rows: int
    candidates: int
    place: sql.Composable


def count_rows(snapshot: Snapshot, table: str, blocks: int, condition: sql.Composable) -> Counted:
    """Count the rows of a table, and those for which a condition holds.

    Where they lie holds for as long as the snapshot is open: what would move them waits for its lock.

    Args:
        snapshot: the state of the source.
        table: the table, in schema public.
        blocks: about how many blocks it has, or the largest of its members; a wrong number makes the place larger.
        condition: the SQL condition.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    if condition == EVERY_ROW:
        rows, _ = _told(snapshot, table, _COUNT_ALL.format(table=sql.Identifier(table)))
        return Counted(rows=rows, candidates=rows, place=EVERY_ROW)
    starts = [f"({stretch * (blocks // _STRETCHES + 1)},0)" for stretch in range(1, _STRETCHES)]
    query = _COUNT.format(
        units=sql.Literal(_UNITS), starts=sql.Literal(starts), condition=condition, table=sql.Identifier(table)
    )
    rows, told = _told(snapshot, table, query)
    counts = [told // unit % 10**_DIGITS for unit in _UNITS]
    return Counted(rows=rows, candidates=sum(counts), place=_place(counts, starts))


def _told(snapshot: Snapshot, table: str, query: sql.Composable) -> tuple[int, int]:
    with snapshot.reading(table) as cursor:
        cursor.execute(query)
        [[rows, told]] = cursor.fetchall()
    return int(rows), int(told or 0)


def _place(counts: Sequence[int], starts: Sequence[str]) -> sql.Composable:
    """The condition on a row that it lies in the first stretch that has one, in the last that has one, or between.

    Args:
        counts: how many each stretch has.
        starts: the ctid from which on each goes, but the first.
    """
    found = [stretch for stretch, count in enumerate(counts) if count]
    if not found:
        return NO_ROW
    bounds = []
    if found[0] > 0:
        bounds.append(sql.SQL("ctid >= {}::tid").format(sql.Literal(starts[found[0] - 1])))
    if found[-1] < len(starts):
        bounds.append(sql.SQL("ctid < {}::tid").format(sql.Literal(starts[found[-1]])))
    return sql.SQL(" AND ").join(bounds) if bounds else EVERY_ROW
