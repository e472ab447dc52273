"""What is made of what was measured: ratios beside their limits, and two results compared."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmark.suite.comparison import comparison, differences, limits
from tests.benchmark.suite.folder_store import FolderStore
from tests.benchmark.suite.limits import LIMITS, LimitResult, verdicts
from tests.benchmark.suite.results import Result, Sample
from tests.benchmark.suite.subjects import BATCHES, GROUPS, SUBJECTS, chosen
from tests.benchmark.suite.table import tables
from totes.errors import LakeCorrupted

MILLION = 1_000_000


def result(seconds: dict[str, list[float]], *, orders: int = MILLION, megabytes: float = 300) -> Result:
    """A result in which subjects took so many seconds, and as many of the processor in all."""
    made = Result(began="2026-01-01T00:00:00+00:00", machine={}, repeats=3)
    for subject, times in seconds.items():
        for time in times:
            half, peak = time / 2, round(megabytes * 1_000_000)
            made.add(subject, "orders", orders, Sample(seconds=time, cpu=half, server_cpu=half, peak=peak))
    return made


def judged(made: Result, subject: str, against: str) -> LimitResult:
    [verdict] = [each for each in verdicts(made) if (each.limit.subject, each.limit.against) == (subject, against)]
    return verdict


def shown(renderable: object) -> str:
    screen = Console(width=200, file=io.StringIO())
    screen.print(renderable)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_limit_is_held_against_the_ratio_of_medians() -> None:
    load = judged(result({"load": [5, 4, 90], "copy in, binary": [2, 2.5, 3]}), "load", "copy in, binary")
    assert (load.value, load.by_processor, load.limit.most) == (2, 2, 2)
    assert load.reached
    load = judged(result({"load": [5.1], "copy in, binary": [2.5]}), "load", "copy in, binary")
    assert not load.reached


def test_memory_is_held_against_megabytes() -> None:
    made = result({"extract": [1]}, orders=5 * MILLION, megabytes=350.1)
    assert not judged(made, "extract", "").reached
    assert judged(result({"extract": [1]}, megabytes=349), "extract", "").reached


def test_a_limit_counts_from_the_size_on_that_it_is_set_for() -> None:
    times: dict[str, list[float]] = {"initial load": [1], "reload": [1]}
    assert judged(result(times), "initial load", "reload").counts
    small = judged(result(times, orders=999_999), "initial load", "reload")
    assert not small.counts
    assert "(reached)" in shown(tables(result(times, orders=999_999)))


def test_what_was_not_measured_is_not_judged() -> None:
    assert [each.limit.subject for each in verdicts(result({"load": [1], "reload": [1]}))] == []


def test_every_limit_is_of_subjects_that_there_are() -> None:
    names = {subject.name for subject in SUBJECTS}
    assert {name for limit in LIMITS for name in (limit.subject, limit.against or limit.subject)} <= names


def test_a_difference_is_more_than_chance_where_no_repeat_of_one_reaches_into_the_others() -> None:
    before = result({"load": [2.0, 2.2, 2.4], "transform": [1, 2, 3], "reload": [5], "extract": [4]})
    after = result({"load": [2.5, 2.6, 9.0], "transform": [2, 3, 4], "reload": [4], "rebuild": [1]})
    found = {each.before.subject: each for each in differences(before, after, "seconds")}
    assert {name: each.word for name, each in found.items()} == {"load": "more", "transform": "same", "reload": "less"}
    assert found["transform"].factor == 1.5
    assert [each.word for each in differences(result({"load": [2.0]}), result({"load": [2.09]}), "peak")] == ["same"]
    assert [each.word for each in differences(result({"load": [2.0]}), result({"load": [2.09]}), "cpu")] == ["same"]
    assert "2.20 > 2.60 x1.18 more" in shown(comparison(before, after))


def test_limits_of_two_results_are_shown_beside_each_other() -> None:
    before, after = (result({"initial load": [time], "reload": [2.0]}) for time in (4.0, 3.0))
    [line] = [line for line in shown(limits(before, after)).splitlines() if "initial load" in line]
    assert line.split()[-3:] == ["1.80", "2.00", "1.50"]


def test_growth_is_shown_from_size_to_size() -> None:
    made = result({"extract": [2.0]}, orders=100_000)
    made.series += result({"extract": [18.0]}, megabytes=330).series
    told = shown(tables(made))
    assert "18.00 (x9.0)" in told
    assert "330.00 (x1.1)" in told


def test_a_group_brings_what_it_needs_and_is_held_against() -> None:
    names = [subject.name for subject in chosen(SUBJECTS, ["ticks"])]
    assert names[:4] == ["extract", "transform", "load", "reload"]
    assert all(name.startswith("tick") for name in names[4:])
    assert chosen(BATCHES, ["ticks"]) == []
    assert chosen(SUBJECTS, GROUPS) == list(SUBJECTS)


def test_a_document_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="a result of format 0"):
        Result.from_json('{"format": 0}')


def test_the_lake_in_a_folder_keeps_what_a_bucket_promises(tmp_path: Path) -> None:
    bucket = FolderStore(tmp_path).bucket("lake")
    keys = [f"a/{number:04d}" for number in range(1001)]
    assert all(bucket.put_new(key, key.encode()) for key in (*keys, "b/1"))
    assert not bucket.put_new("b/1", b"another")
    assert bucket.get("b/1") == b"b/1"
    assert [found.key for found in bucket.listed("a/", after=keys[0])] == keys[1:]
    assert bucket.first_key("b") == "b/1"
    with pytest.raises(LakeCorrupted):
        bucket.get("c")
