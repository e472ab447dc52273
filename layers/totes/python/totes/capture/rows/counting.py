"""How many rows a table has, how many of them a condition holds for, and about where these lie: by one look at each.

New rows mostly lie close together, where the table has room: at its end, say. So they are read without reading the
table a second time.
"""

from dataclasses import dataclass

from psycopg2 import sql

from totes.capture.source.snapshot import EVERY_ROW, NO_ROW, Snapshot

_STRETCHES = 32
"""Parts of a table of about the same size, by its blocks."""

_DIGITS = 15
"""More than the number of a table's rows has."""

_COUNT_ALL = sql.SQL("SELECT count(*), NULL FROM public.{table}")

# One number tells the count of every stretch: each row adds to it a one, at the digits that are its stretch's. So the
# condition, which costs most of the time, is asked of each row once; each further aggregate would ask it again.
_COUNT = sql.SQL("""
    SELECT count(*), sum(({units}::numeric[])[1 + least({last}, (ctid::text::point)[0]::bigint / {blocks})])
        FILTER (WHERE {condition})
    FROM public.{table}
""")
_UNITS = "{" + ",".join(str(10 ** (_DIGITS * stretch)) for stretch in range(_STRETCHES)) + "}"


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
        blocks: about how many blocks it has; of its parts, the largest.
        condition: the SQL condition.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    is_every_row = condition == EVERY_ROW
    blocks_a_stretch = blocks // _STRETCHES + 1
    query = (_COUNT_ALL if is_every_row else _COUNT).format(
        table=sql.Identifier(table),
        units=sql.Literal(_UNITS),
        last=sql.Literal(_STRETCHES - 1),
        blocks=sql.Literal(blocks_a_stretch),
        condition=condition,
    )
    with snapshot.reading(table) as cursor:
        cursor.execute(query)
        [[rows, told]] = cursor.fetchall()
    if is_every_row:
        return Counted(rows=int(rows), candidates=int(rows), place=EVERY_ROW)
    counts = _counts(int(told or 0))
    return Counted(rows=int(rows), candidates=sum(counts), place=_place(counts, blocks_a_stretch))


def _counts(told: int) -> list[int]:
    """The count of each stretch."""
    return [told // 10 ** (_DIGITS * stretch) % 10**_DIGITS for stretch in range(_STRETCHES)]


def _place(counts: list[int], blocks: int) -> sql.Composable:
    """From the first stretch in which there is one to the last; the table's last goes on as the table grows."""
    found = [stretch for stretch, count in enumerate(counts) if count]
    if not found:
        return NO_ROW
    bounds = []
    if found[0] > 0:
        bounds.append(sql.SQL("ctid >= {}::tid").format(sql.Literal(f"({found[0] * blocks},0)")))
    if found[-1] < _STRETCHES - 1:
        bounds.append(sql.SQL("ctid < {}::tid").format(sql.Literal(f"({(found[-1] + 1) * blocks},0)")))
    return sql.SQL(" AND ").join(bounds) if bounds else EVERY_ROW
