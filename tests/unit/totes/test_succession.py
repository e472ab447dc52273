"""Positions in a source's log compare as PostgreSQL's do."""

import pytest

from totes.capture.source.succession import _is_behind


@pytest.mark.parametrize(
    ("earlier", "later"), [("0/F0000000", "1/00000010"), ("1/00000010", "1/00000011"), ("9/0", "10/0")]
)
def test_a_position_is_behind_every_later_one_also_of_the_next_four_gigabytes(earlier: str, later: str) -> None:
    assert _is_behind(earlier, later)
    assert not _is_behind(later, earlier)
