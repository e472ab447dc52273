"""A soak that is stopped goes on where it was, and never on what other code has shown."""

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.kept import Kept
from tests.faults.random_faults import Report

HEAD: dict[str, object] = {"ticks": 80, "seed": 1, "code": "abc"}
REPORT = Report(ticks=40, faults=Counter({"two captures at once": 2}), missed=1, rows_checked=7)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a soak that has played the seeds 1 and 3."""
    file = tmp_path / "build" / "soak.jsonl"
    kept = Kept(file, HEAD)
    assert kept.so_far() == {}
    kept.add(1, REPORT)
    kept.add(3, REPORT)
    return file


def test_a_soak_that_was_stopped_goes_on_with_the_reports_of_before(file: Path) -> None:
    assert Kept(file, HEAD).so_far() == {1: REPORT, 3: REPORT}


def test_a_report_that_was_cut_off_while_it_was_written_is_played_again(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8")[:-10], encoding="utf-8")
    kept = Kept(file, HEAD)
    assert kept.so_far() == {1: REPORT}
    kept.add(3, REPORT)
    assert Kept(file, HEAD).so_far() == {1: REPORT, 3: REPORT}


def test_what_other_code_has_shown_is_forgotten(file: Path) -> None:
    other = HEAD | {"code": "def"}
    assert Kept(file, other).so_far() == {}
    assert Kept(file, HEAD).so_far() == {}


def test_a_soak_that_has_ended_leaves_no_file(file: Path) -> None:
    Kept(file, HEAD).forget()
    assert not file.exists()
