"""How many rows a table has, for how many of them a condition holds, and where in the table those lie.

New rows mostly lie close together, where the table has room: at its end, say. Or they are few. Either way they are read
without reading the whole table a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql

from totes.capture import sizes
from totes.capture.source.snapshot import EVERY_ROW, NO_ROW, Snapshot

_STRETCHES = 4096
"""A table is looked at as so many stretches at most, each of as many blocks; the last goes on to the table's end."""

_DIGITS = 12
"""As many as the count of a stretch's rows may have."""

_COUNT_ALL = sql.SQL("SELECT count(*), NULL FROM public.{table}")

# One number has the counts of all stretches, each in twelve digits of its own: a row adds 1 where it lies in the first,
# 1e12 in the second. So the condition is asked of each row once; a second aggregate would ask it of each again. Where a
# row lies is searched for among the stretches' starts: to read its ctid's text as a point takes longer.
_COUNT = sql.SQL("""
    SELECT count(*), (sum(('1e' || {digits} * width_bucket(ctid, {starts}))::numeric) FILTER (WHERE {condition}))::text
    FROM public.{table}
""")
_STARTS = sql.SQL("""
    ARRAY(
        SELECT ('(' || {blocks} * stretch || ',0)')::tid
        FROM generate_series(1, {last}::bigint) AS stretch ORDER BY stretch
    )
""")

_WITHIN = sql.SQL("(ctid >= {}::tid AND ctid < {}::tid)")

# OFFSET keeps PostgreSQL from making one join of both: it reads each range, and nothing else. The ranges' names have
# their table's before them, because the shop's own table may have columns of any name.
_ONE_BY_ONE = sql.SQL("""
    ctid = ANY (ARRAY(
        SELECT found.ctid FROM unnest({starts}::tid[], {ends}::tid[]) AS stretches (starts, ends), LATERAL (
            SELECT ctid FROM public.{table}
            WHERE ctid >= stretches.starts AND ctid < stretches.ends AND {condition} OFFSET 0
        ) AS found
    ))
""")

_THE_END = "(4294967295,0)"
"""No row lies here or behind: https://www.postgresql.org/docs/current/limits.html counts one block less."""


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
    name = sql.Identifier(table)
    if condition == EVERY_ROW:
        rows, _ = _told(snapshot, table, _COUNT_ALL.format(table=name))
        return Counted(rows=rows, candidates=rows, place=EVERY_ROW)
    of_one = blocks // _STRETCHES + 1
    last = blocks // of_one
    starts = _STARTS.format(blocks=sql.Literal(of_one), last=sql.Literal(last))
    query = _COUNT.format(digits=sql.Literal(_DIGITS), starts=starts, condition=condition, table=name)
    rows, told = _told(snapshot, table, query)
    counts = [int(told[max(0, end - _DIGITS) : end]) for end in range(len(told), 0, -_DIGITS)]
    tids = [*(f"({of_one * stretch},0)" for stretch in range(last + 1)), _THE_END]
    return Counted(rows=rows, candidates=sum(counts), place=_place(counts, tids, name, condition))


def _told(snapshot: Snapshot, table: str, query: sql.Composable) -> tuple[int, str]:
    with snapshot.reading(table) as cursor:
        cursor.execute(query)
        [[rows, told]] = cursor.fetchall()
    return int(rows), told or ""


def _place(
    counts: Sequence[int], tids: Sequence[str], table: sql.Identifier, condition: sql.Composable
) -> sql.Composable:
    """The SQL condition that a row lies where those lie that are counted.

    Args:
        counts: how many each stretch has, up to the last that has one.
        tids: the ctid with which each stretch begins, and the end.
        table: the table.
        condition: what holds for those that are counted.
    """
    found = [stretch for stretch, count in enumerate(counts) if count]
    if not found:
        return NO_ROW
    first, end = found[0], found[-1] + 1
    if len(found) <= (end - first) / 4 and sum(counts) <= sizes.UNORDERED_ROWS:
        starts, ends = ([tids[stretch + beside] for stretch in found] for beside in (0, 1))
        return _ONE_BY_ONE.format(starts=_array(starts), ends=_array(ends), table=table, condition=condition)
    # By ctid PostgreSQL reads alone, and by no condition with several workers.
    if end - first > (len(tids) - 1) / 2:
        return EVERY_ROW
    return _WITHIN.format(sql.Literal(tids[first]), sql.Literal(tids[end]))


def _array(tids: Sequence[str]) -> sql.Composable:
    quoted = ",".join(f'"{tid}"' for tid in tids)
    return sql.Literal(f"{{{quoted}}}")
