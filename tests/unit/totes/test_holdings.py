"""What the lake holds of a table stays true and in few sorted runs, whatever comes when, in bounded memory."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest

from tests.support.memory_store import MemoryStore
from totes.capture import sizes
from totes.capture.holdings import merging
from totes.capture.holdings.content import Holdings
from totes.capture.holdings.merging import with_sorted_run, without_overlaps
from totes.capture.holdings.slices import PartSlice
from totes.lake import Bucket, Part, SortedRun, write_part

NOTHING = pl.Series("id", [], dtype=pl.Int64)

KEYS = {
    "dealt out in sequence": lambda chance: chance.randrange(1, 3_000),
    "negative": lambda chance: chance.randrange(-1_500, 1_500),
    "far apart": lambda chance: chance.randrange(-(2**63), 2**63),
    "mostly close together": lambda chance: chance.choice([chance.randrange(1_000), chance.randrange(2**62)]),
}
SHAPES: Sequence[Mapping[str, Any]] = (
    {"id": pl.Int64, "units": pl.Int32},
    {"id": pl.Int64, "units": pl.Int64},
    {"id": pl.Int64, "units": pl.Int64, "note": pl.String},
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def bucket(store: MemoryStore) -> Bucket:
    return store.bucket("lake")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sizes at some five-thousandth."""
    _be_small(monkeypatch, times=1)


def _be_small(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    monkeypatch.setattr(sizes, "PART_ROWS", 40 * times)
    monkeypatch.setattr(sizes, "ROWS_AT_ONCE", 200 * times)
    monkeypatch.setattr(sizes, "KEPT_ROWS", 300 * times)


@dataclass
class Table:
    """A table, and its sorted runs after every batch."""

    bucket: Bucket
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    sorted_runs: tuple[SortedRun, ...] = ()
    batch: int = 0

    def bring(self, changed: Mapping[int, dict[str, Any]], gone: Sequence[int], shape: Mapping[str, Any]) -> None:
        """A batch, whose parts overlap each other as those of a heap in no order do."""
        self.batch += 1
        self.rows |= changed
        for key in gone:
            del self.rows[key]
        rows = pl.DataFrame([*changed.values()], schema=shape)
        keys = pl.DataFrame({"id": pl.Series(gone, dtype=pl.Int64)})
        newest = SortedRun(parts=self.parts("changes", rows), deleted=self.parts("deletes", keys))
        if newest.rows:
            self.sorted_runs = with_sorted_run(
                self.sorted_runs, newest, "id", self.bucket, f"holdings/t/{self.batch:010d}"
            )

    def parts(self, role: str, rows: pl.DataFrame) -> tuple[Part, ...]:
        return tuple(
            write_part(self.bucket, f"batches/{self.batch:010d}/{role}-{number}", chunk.sort("id"), row_key="id")
            for number, chunk in enumerate(rows.iter_slices(sizes.PART_ROWS))
            if chunk.height
        )

    def is_held(self, shape: Mapping[str, Any]) -> None:
        holdings = Holdings(self.sorted_runs, "id", self.bucket)
        assert pl.concat(found.keys for found in holdings.held_keys()).to_list() == sorted(self.rows)
        everything = pl.DataFrame([*self.rows.values()], schema=shape)
        news = Holdings(self.sorted_runs, "id", self.bucket).changed_rows(everything, NOTHING)
        assert news.rows.is_empty()
        assert len(self.sorted_runs) <= math.log2(max(2, sum(sorted_run.rows for sorted_run in self.sorted_runs))) + 1

    def depth(self) -> int:
        """How many parts of one sorted run a key may be in."""
        spans = [[(part.lowest, part.highest) for part in sorted_run.parts] for sorted_run in self.sorted_runs]
        return max(sum(low <= at <= high for low, high in sorted_run) for sorted_run in spans for at, _ in sorted_run)  # type: ignore[operator]


@pytest.mark.parametrize("keys", KEYS)
def test_hundreds_of_batches_leave_what_is_there_in_few_sorted_runs(
    bucket: Bucket, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _be_small(monkeypatch, times=2)
    chance, table = random.Random(keys), Table(bucket)  # noqa: S311 - a seed
    for batch in range(1, 161):
        shape = SHAPES[batch // 60]
        fresh = {KEYS[keys](chance) for _ in range(chance.choice([0, 3, 3, 12, 150]))}
        known = set(chance.sample(sorted(table.rows), min(len(table.rows), chance.choice([0, 1, 10]))))
        gone = chance.sample(sorted(table.rows), min(len(table.rows), chance.choice([0, 0, 1, 5, 40])))
        changed = {
            key: {"id": key, "units": batch} | ({"note": f"of {batch}"} if "note" in shape else {})
            for key in (fresh | known).difference(gone)
        }
        table.bring(changed, gone, shape)
        if batch % 40 == 0:
            table.is_held(shape)
    assert table.batch > 150
    assert sum(len(sorted_run.parts) for sorted_run in table.sorted_runs) < 5 * len(table.rows) / sizes.PART_ROWS + 10


def test_a_merge_holds_few_rows_at_once_whatever_the_sorted_runs_hold(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(bucket)
    for start in (0, 1, 2):
        rows = {key: {"id": key, "units": start} for key in range(start, 6_000, 3)}
        table.bring(rows, [], SHAPES[0])
    seen: list[int] = []
    shaped = merging.in_schema  # type: ignore[attr-defined]

    def counted(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
        seen.append(frame.height)
        return shaped(frame, schema)

    monkeypatch.setattr(merging, "in_schema", counted)
    table.bring({key: {"id": key, "units": 7} for key in range(0, 6_000, 2)}, [], SHAPES[0])
    assert len(table.sorted_runs) == 1
    assert max(seen) <= sizes.PART_ROWS
    assert table.depth() == 1
    table.is_held(SHAPES[0])


def test_a_merge_holds_few_bytes_at_once_however_wide_the_rows_are(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that totes does not need may hold pictures."""
    _be_small(monkeypatch, times=1_000)  # so that rows alone bound nothing here
    monkeypatch.setattr(sizes, "PART_BYTES", 20_000)
    monkeypatch.setattr(sizes, "BYTES_AT_ONCE", 60_000)
    table, picture = Table(bucket), "x" * 1_000
    for start in (0, 1, 2):
        for first in range(start, 600, 60):
            rows = {key: {"id": key, "units": start, "note": picture} for key in range(first, first + 60, 3)}
            table.bring(rows, [], SHAPES[2])
    seen: list[int] = []
    latest = merging._latest

    def counted(slices: Sequence[PartSlice], key: str) -> tuple[list[pl.DataFrame], pl.Series]:
        seen.append(sum(int(each.frame.estimated_size()) for each in slices))
        return latest(slices, key)

    monkeypatch.setattr(merging, "_latest", counted)
    table.bring({key: {"id": key, "units": 7, "note": picture} for key in range(0, 600, 2)}, [], SHAPES[2])
    assert len(seen) > 600 * 1_000 / sizes.BYTES_AT_ONCE
    assert max(seen) <= sizes.BYTES_AT_ONCE
    merged = [part for sorted_run in table.sorted_runs for part in sorted_run.parts if "holdings" in part.key]
    assert max(part.rows for part in merged) <= sizes.PART_BYTES / 1_000
    table.is_held(SHAPES[2])


def test_parts_that_nothing_new_reaches_into_are_not_written_again(bucket: Bucket) -> None:
    table = Table(bucket)
    table.bring({key: {"id": key, "units": 1} for key in range(400)}, [], SHAPES[0])
    [before] = table.sorted_runs
    table.bring({key: {"id": key, "units": 1} for key in range(400, 700)}, [], SHAPES[0])
    [after] = table.sorted_runs
    assert set(before.parts) <= set(after.parts)
    table.is_held(SHAPES[0])


def test_what_is_merged_before_a_part_that_stays_is_written_before_it(bucket: Bucket) -> None:
    table = Table(bucket)
    table.bring({key: {"id": key, "units": 1} for key in range(0, 800, 2)}, [], SHAPES[0])
    [before] = table.sorted_runs
    table.bring({key: {"id": key, "units": 2} for key in (*range(40), *range(400, 600))}, [], SHAPES[0])
    [after] = table.sorted_runs
    assert set(before.parts) & set(after.parts)
    assert table.depth() == 1
    table.is_held(SHAPES[0])


def test_a_key_at_which_one_part_ends_and_another_begins_is_held_once(bucket: Bucket) -> None:
    table = Table(bucket)
    table.bring({key: {"id": key, "units": 1} for key in range(sizes.PART_ROWS + 1)}, [], SHAPES[0])
    table.bring({key: {"id": key, "units": 2} for key in range(sizes.PART_ROWS, 2 * sizes.PART_ROWS)}, [], SHAPES[0])
    assert len(table.sorted_runs) == 1
    assert table.sorted_runs[0].rows == len(table.rows)
    table.is_held(SHAPES[0])


def test_what_an_older_totes_left_unmerged_is_merged(bucket: Bucket) -> None:
    """As it did past a million rows: many sorted runs of one size."""
    table = Table(bucket)
    left = []
    for start in range(8):
        table.batch += 1
        rows = {key: {"id": key, "units": start} for key in range(start, 1_600, 8)}
        table.rows |= rows
        left.append(SortedRun(parts=table.parts("changes", pl.DataFrame([*rows.values()], schema=SHAPES[0]))))
    table.sorted_runs = tuple(left)
    table.bring({3: {"id": 3, "units": 9}}, [], SHAPES[0])
    assert len(table.sorted_runs) == 1
    table.is_held(SHAPES[0])


def test_a_sorted_run_in_no_order_is_written_in_the_order_of_its_keys_and_each_part_read_a_few_times(
    bucket: Bucket, store: MemoryStore
) -> None:
    """As an older totes left a table whose heap is in no order: every part may have any key."""
    table = Table(bucket)
    keys = random.Random(1).sample(range(4_000), 4_000)  # noqa: S311 - a seed
    table.rows = {key: {"id": key, "units": 1} for key in keys}
    table.sorted_runs = (
        SortedRun(parts=table.parts("changes", pl.DataFrame([*table.rows.values()], schema=SHAPES[0]))),
    )
    assert table.depth() > 90
    store.reads.clear()
    table.sorted_runs = without_overlaps(table.sorted_runs, "id", bucket, "holdings/t/0000000001")
    assert len(store.reads) < 6 * 4_000 / sizes.PART_ROWS
    assert table.depth() == 1
    table.is_held(SHAPES[0])
    assert without_overlaps(table.sorted_runs, "id", bucket, "x") == table.sorted_runs


def test_a_row_that_is_gone_stays_gone_where_the_sorted_run_that_says_so_is_put_in_order(bucket: Bucket) -> None:
    table = Table(bucket)
    table.bring({key: {"id": key, "units": 1} for key in range(4_000)}, [], SHAPES[0])
    keys = random.Random(1).sample(range(100, 4_000), 1_500)  # noqa: S311 - a seed
    table.bring({key: {"id": key, "units": 2} for key in keys}, range(100), SHAPES[0])
    assert len(table.sorted_runs) == 2
    assert table.depth() > sizes.SORTED_RUNS_AT_ONCE
    table.sorted_runs = without_overlaps(table.sorted_runs, "id", bucket, "holdings/t/0000000002")
    assert table.depth() == 1
    table.is_held(SHAPES[0])


def test_a_reader_in_the_order_of_keys_reads_each_part_once(bucket: Bucket, store: MemoryStore) -> None:
    table = Table(bucket)
    for units, step in ((1, 1), (2, 3), (3, 7)):
        table.bring({key: {"id": key, "units": units} for key in range(0, 3_000, step)}, [], SHAPES[0])
    holdings = Holdings(table.sorted_runs, "id", table.bucket)
    everything = pl.DataFrame([*table.rows.values()], schema=SHAPES[0]).sort("id")
    store.reads.clear()
    for chunk in everything.iter_slices(33):
        assert holdings.changed_rows(chunk, NOTHING).rows.is_empty()
    assert len(store.reads) == len(set(store.reads)) == sum(len(sorted_run.parts) for sorted_run in table.sorted_runs)


@pytest.mark.parametrize(
    ("was", "held", "now", "rounded"),
    [
        (pl.Decimal(10, 2), "2.37", pl.Decimal(10, 1), "2.4"),
        (pl.String(), "2.375", pl.Decimal(10, 2), "2.38"),
        (pl.Decimal(10, 2), "2.40", pl.Decimal(10, 1), "2.4"),
    ],
)
def test_a_value_that_its_columns_new_type_cannot_hold_has_changed(
    bucket: Bucket, was: pl.DataType, held: str, now: pl.DataType, rounded: str
) -> None:
    """PostgreSQL rounds a table that is retyped, as Polars would round what is held."""
    before = pl.DataFrame({"id": pl.Series([1], dtype=pl.Int64), "price": pl.Series([held]).cast(was)})
    after = before.with_columns(pl.Series("price", [rounded]).cast(now))
    sorted_runs = (SortedRun(parts=(write_part(bucket, "batches/1/changes-0", before, row_key="id"),)),)
    news = Holdings(sorted_runs, "id", bucket).changed_rows(after, NOTHING)
    assert news.added.is_empty()
    assert news.rows.height == (held != "2.40")
