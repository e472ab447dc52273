"""`make bench-old` measures what it says; how long anything takes is asserted nowhere."""

import pytest

from local_cloud.postgres import EmbeddedPostgres
from tests.benchmark.old_lake import measure
from tests.support.databases import rows


def test_a_lake_of_many_batches_is_measured_beside_the_limits(
    postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    measure(postgres, 20)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["seconds", "at", "most", "requests", "memory", "at", "most"]
    assert [line[:40].rstrip() for line in lines] == [
        "first load of 21 batches",
        "rebuild of all",
        "capture of a tick without changes",
        "whole tick without changes",
    ]
    assert [line[49:58].strip() for line in lines] == ["0.1", "0.1", "", ""], "six milliseconds a batch"
    assert rows(postgres.uri("old_warehouse"), "SELECT count(*) FROM etl.batch") == [(21,)]
