"""A test that waits sees what it has waited for, or fails."""

import pytest

from tests.support.waiting import until


def test_what_has_come_is_returned() -> None:
    looks = iter([None, [], ["it"]])
    assert until(lambda: next(looks), pause=0) == ["it"]


@pytest.mark.parametrize("complaint", ["nobody came", lambda: "nobody came"])
def test_who_waits_in_vain_fails_with_the_complaint(complaint: str) -> None:
    with pytest.raises(AssertionError, match="nobody came"):
        until(lambda: False, complaint, seconds=0)
