"""Exactly as many rows as may go do go; one more stops the run."""

import pytest

from totes.capture.mass_deletion import Gone, check_deletes
from totes.errors import MassDeletion


def test_a_run_is_stopped_by_more_rows_than_may_be_gone_and_not_by_as_many() -> None:
    check_deletes({"staff": Gone(gone=40, held=200)}, percent=20, accepted=[])
    with pytest.raises(MassDeletion, match="41 of 200 rows of staff are gone"):
        check_deletes({"staff": Gone(gone=41, held=200)}, percent=20, accepted=[])
