"""Two frames held against each other, whatever is there twice."""

import polars as pl
import pytest

from totes.lake import RAW
from totes.verify.compare import compare


def frame(*rows: tuple[int, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"id": pl.Int64, "name": pl.String}, orient="row")


def read(rows: pl.DataFrame, *raw: str | None) -> pl.DataFrame:
    return rows.with_columns(pl.Series(RAW, raw or [None] * rows.height, dtype=pl.String))


def test_a_value_that_cannot_be_read_is_not_taken_for_the_null_that_should_be_there() -> None:
    rows = pl.DataFrame({"id": [1, 2, 3], "day": pl.Series([None, None, None], dtype=pl.Date)})
    found = compare("id", rows, read(rows, None, '{"day":"infinity"}', None))
    assert (found.missing.to_list(), found.extra.to_list(), found.different.to_list()) == ([], [], [2])
    assert found.columns == {"day"}


@pytest.mark.parametrize(
    ("expected", "held", "missing", "extra", "different", "columns"),
    [
        ([(1, "a")], [(1, "a"), (1, "a")], [], [], [1], {"id"}),
        ([(1, "a"), (1, "a")], [(1, "a"), (1, "a")], [], [], [1], {"id"}),
        ([(1, "a"), (1, "b")], [(1, "a"), (2, "x")], [], [2], [1], {"id"}),
        ([(1, "a"), (1, "b"), (3, "c")], [(2, "x"), (2, "x"), (3, "d")], [1], [2], [3], {"name"}),
        ([(1, "a"), (2, "b")], [(1, "x"), (2, "b"), (2, "b")], [], [], [1, 2], {"id", "name"}),
    ],
)
def test_a_key_that_is_there_twice_is_named_once(
    expected: list[tuple[int, str]],
    held: list[tuple[int, str]],
    missing: list[int],
    extra: list[int],
    different: list[int],
    columns: set[str],
) -> None:
    found = compare("id", frame(*expected), read(frame(*held)))
    assert (found.missing.to_list(), found.extra.to_list()) == (missing, extra)
    assert (found.different.to_list(), set(found.columns)) == (different, columns)
