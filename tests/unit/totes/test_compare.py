"""Two frames held against each other, whatever is there twice."""

import polars as pl
import pytest

from totes.verify.compare import compare


def frame(*rows: tuple[int, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"id": pl.Int64, "name": pl.String}, orient="row")


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
    found = compare("id", frame(*expected), frame(*held))
    assert (found.missing.to_list(), found.extra.to_list()) == (missing, extra)
    assert (found.different.to_list(), set(found.columns)) == (different, columns)
