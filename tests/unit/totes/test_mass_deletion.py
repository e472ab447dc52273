"""Exactly as many rows as may go do go; one more stops the run, and so do all that there are."""

import pytest

from totes.capture.mass_deletion import Gone, check_deletes
from totes.errors import MassDeletion


def test_a_run_is_stopped_by_more_rows_than_may_be_gone_and_not_by_as_many() -> None:
    check_deletes({"staff": Gone(gone=40, held=200)}, percent=20, accepted=[])
    with pytest.raises(MassDeletion, match="41 of 200 rows of staff are gone"):
        check_deletes({"staff": Gone(gone=41, held=200)}, percent=20, accepted=[])


def test_twenty_rows_of_a_small_table_may_go_and_twenty_one_stop_the_run() -> None:
    check_deletes({"staff": Gone(gone=20, held=24)}, percent=20, accepted=[])
    with pytest.raises(MassDeletion, match="21 of 24 rows of staff are gone"):
        check_deletes({"staff": Gone(gone=21, held=24)}, percent=20, accepted=[])


@pytest.mark.parametrize("held", [1, 3, 20])
def test_a_table_that_is_emptied_stops_the_run_however_small_it_is(held: int) -> None:
    check_deletes({"currency": Gone(gone=0, held=0)}, percent=20, accepted=[])
    with pytest.raises(MassDeletion, match=f"{held} of {held} rows of currency are gone"):
        check_deletes({"currency": Gone(gone=held, held=held)}, percent=100, accepted=["staff"])
