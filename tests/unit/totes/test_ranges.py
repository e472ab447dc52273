"""How many rows lie in each range of keys: exact, whatever the keys, and small."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from totes.lake import KeyRanges
from totes.lake.ranges import MOST_RANGES

anywhere = st.integers(-(2**63), 2**63 - 1)
keys = st.one_of(
    st.lists(anywhere, max_size=60, unique=True),
    st.lists(st.integers(-70, 70), max_size=60, unique=True),
    st.builds(lambda first, count: [*range(first, first + count)], st.integers(-9000, 9000), st.integers(0, 9000)),
)


def series(values: list[int]) -> pl.Series:
    return pl.Series("key", values, dtype=pl.Int64)


@given(st.lists(keys, max_size=4), st.randoms(use_true_random=False))
def test_ranges_count_exactly_what_has_come_and_not_gone(chunks: list[list[int]], random: object) -> None:
    ranges, held = KeyRanges(), set[int]()
    for chunk in chunks:
        news = [key for key in chunk if key not in held]
        ranges = ranges.plus(series(news))
        held |= set(news)
        gone = random.sample(sorted(held), len(held) // 3)  # type: ignore[attr-defined]
        ranges = ranges.minus(series(gone))
        held -= set(gone)
    frame = ranges.frame()
    assert frame.height <= MOST_RANGES
    assert ranges.rows == len(held)
    expected = pl.Series("range", [key >> ranges.shift for key in held], dtype=pl.Int64).value_counts(name="rows")
    assert frame.rows() == expected.sort("range").rows()


@given(keys, st.integers(0, 60))
def test_ranges_of_two_parts_together_are_those_of_the_whole(held: list[int], cut: int) -> None:
    of_parts = [KeyRanges().plus(series(part)) for part in (held[:cut], held[cut:])]
    together = of_parts[0].together(of_parts[1])
    assert together.frame().height <= MOST_RANGES
    assert together.rows == len(held)
    expected = pl.Series("range", [key >> together.shift for key in held], dtype=pl.Int64).value_counts(name="rows")
    assert together.frame().rows() == expected.sort("range").rows()


def test_keys_that_were_dealt_out_in_sequence_take_a_line() -> None:
    ranges = KeyRanges().plus(series([*range(1, 1_000_001)]))
    assert ranges == KeyRanges(shift=9, first=0, counts="511,512*1952,65")
    assert ranges.minus(series([700])).counts == "511,511,512*1951,65".replace("511,511", "511*2")


def test_nothing_is_in_no_range() -> None:
    assert KeyRanges().frame().is_empty()
    assert KeyRanges().plus(series([7])).minus(series([7])).rows == 0
