"""Which keys differ between two sides: found exactly, and read only where the sides differ."""

from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from totes.capture import sizes
from totes.capture.holdings.compare_keys import differing, ranges_of
from totes.capture.holdings.content import HeldKeys

AT_ONCE = 50


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "KEYS_AT_ONCE", AT_ONCE)


class Side:
    """Keys, and how many of them were read."""

    def __init__(self, keys: set[int]) -> None:
        self.keys = pl.Series("id", sorted(keys), dtype=pl.Int64)
        self.read: list[int] = []

    def counts(self, shift: int, lowest: int, highest: int) -> pl.DataFrame:
        ranges = self._within(lowest, highest).to_frame("range").with_columns(pl.col("range") // 2**shift)
        return ranges.group_by("range").agg(pl.len().cast(pl.Int64).alias("rows"))

    def between(self, lowest: int, highest: int) -> pl.Series:
        found = self._within(lowest, highest)
        self.read.append(found.len())
        return found

    def held(self, lowest: int, highest: int) -> Iterator[HeldKeys]:
        found = self._within(lowest, highest)
        yield HeldKeys(lowest=lowest, highest=highest, keys=found)

    def _within(self, lowest: int, highest: int) -> pl.Series:
        return self.keys.filter(self.keys.is_between(lowest, highest))


def found(source: Side, lake: Side) -> tuple[list[int], list[int]]:
    found = [*differing(source, lake.held, ranges_of(lake.held))]
    gone = [key for each in found for key in each.gone]
    missed = [key for each in found for key in each.missed]
    return gone, missed


keys = st.one_of(
    st.sets(st.integers(-(2**63), 2**63 - 1), max_size=100),
    st.builds(lambda low, count: {*range(low, low + count)}, st.integers(-5_000, 5_000), st.integers(0, 5_000)),
    st.builds(
        lambda low, count, far: {*range(low, low + count), far},
        *(st.integers(-5_000, 5_000), st.integers(0, 5_000), st.integers(-(2**63), 2**63 - 1)),
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys, st.randoms(use_true_random=False), st.integers(0, 200))
def test_whatever_is_gone_is_found(held: set[int], chance: object, count: int) -> None:
    gone = set(chance.sample(sorted(held), min(len(held), count)))  # type: ignore[attr-defined]
    source = Side(held - gone)
    assert found(source, Side(held)) == (sorted(gone), [])
    assert max(source.read, default=0) <= AT_ONCE


def test_a_key_that_only_the_source_has_is_found_too() -> None:
    held = {*range(10_000)}
    assert found(Side(held - {77} | {-5, 20_000}), Side(held)) == ([77], [-5, 20_000])


def test_one_key_gone_among_many_reads_a_thousandth() -> None:
    held = {*range(1, 1_000_001)}
    source, lake = Side(held - {777_777}), Side(held)
    assert found(source, lake) == ([777_777], [])
    assert sum(source.read) < 1_000


def test_keys_close_together_with_one_far_off_are_counted_again_and_finer() -> None:
    held = {*range(30_000), 2**62}
    source = Side(held - {7})
    assert found(source, Side(held)) == ([7], [])
    assert sum(source.read) < 30
