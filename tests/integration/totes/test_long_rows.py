"""A row that no function could hold stops no tick: its longest values are left out, and known by their digests."""

import dataclasses
import json
import logging
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.support.content import content_of
from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES
from totes.capture.rows.too_long import LONGEST_ROW
from totes.lake import RAW, CaptureManifest, Journal, read_part
from totes.star import STAR_TABLES, replay
from totes.verify import Verdict, verify

OVER = LONGEST_ROW + 1
"""Characters of one byte each, with which alone a row is too long."""

CAPTURE = """
import sys
from pathlib import Path
from tests.benchmark.suite.folder_store import FolderStore
from tests.benchmark.suite.worker import peak_of
from tests.support.databases import session
from totes.capture import SOURCE_TABLES, capture

with session(sys.argv[1]) as source:
    batch = capture(source, FolderStore(Path(sys.argv[2])).bucket("ingestion"), SOURCE_TABLES).batch
print(batch, peak_of("self"))
"""


def verdict_on(pipeline: Pipeline) -> Verdict:
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        return verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)


def captured_design(pipeline: Pipeline) -> pl.DataFrame:
    """The one row of a design that the newest batch has."""
    journal = Journal(pipeline.ingestion)
    [part] = CaptureManifest.from_json(journal.read(journal.newest())).tables["design"].changes
    assert part.rows == 1
    return read_part(pipeline.ingestion, part)


def left_out(pipeline: Pipeline) -> dict[str, dict[str, int | str]]:
    """What the newest batch knows of the values that were left out of its one design."""
    found: dict[str, dict[str, int | str]] = json.loads(captured_design(pipeline)[RAW][0] or "{}")
    return found


def digest(pipeline: Pipeline, column: str) -> str:
    """What PostgreSQL itself says of a value of design 1."""
    query = f"SELECT encode(sha256(convert_to({column}::text, 'UTF8')), 'hex') FROM design WHERE design_id = 1"
    return str(value(pipeline.source, query))


@pytest.mark.begun
def test_a_row_whose_long_values_the_star_does_not_need_arrives(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD note text, ADD picture bytea, ADD said jsonb")
    pipeline.tick()
    execute(
        pipeline.source,
        "UPDATE design SET design_name = 'Long', said = '1', note = 'not for a log ' || repeat('x', %(over)s), "
        "picture = decode(repeat('ab', %(over)s / 2 + 1), 'hex'), "
        "file_location = repeat('y', 1048576), file_name = repeat('z', 1048576) "
        "WHERE design_id = 1",
        {"over": OVER},
    )
    caplog.clear()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert value(pipeline.warehouse, "SELECT design_name FROM dim_design WHERE design_id = 1") == "Long"
    row = captured_design(pipeline)
    assert row.select("note", "picture", "said").row(0) == (None, None, "1")
    found = left_out(pipeline)
    for column in ("note", "picture"):
        length = f"SELECT octet_length({column}::text) FROM design WHERE design_id = 1"
        assert found[column]["bytes"] == value(pipeline.source, length)
        assert found[column]["sha256"] == digest(pipeline, column)
    assert str(found["note"]["begins"]).startswith("not for a log xxx")
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said[0] == (
        f"table design, design_id 1: column note has {OVER + 14} bytes and is left out, "
        f"for of a row {LONGEST_ROW} are read at most"
    )
    assert len(said) == 2
    assert "not for a log" not in caplog.text
    execute(pipeline.source, "UPDATE design SET note = note WHERE design_id = 1")
    assert pipeline.capture().batch is None, "read again, and what is known of it is the same"
    assert not verdict_on(pipeline).differences


@pytest.mark.begun
def test_a_change_of_what_is_left_out_alone_is_a_change(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD note text")
    execute(pipeline.source, "UPDATE design SET note = repeat('x', %s) WHERE design_id = 1", [OVER])
    pipeline.tick()
    execute(pipeline.source, "UPDATE design SET note = overlay(note PLACING 'y' FROM length(note)) WHERE design_id = 1")
    pipeline.tick()
    assert left_out(pipeline)["note"]["sha256"] == digest(pipeline, "note")
    execute(pipeline.source, "UPDATE design SET note = 'y' WHERE design_id = 1")
    pipeline.tick()
    assert captured_design(pipeline).select("note", RAW).row(0) == ("y", None)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_row_whose_long_value_the_star_needs_is_in_quarantine_until_it_is_shorter(
    pipeline: Pipeline, another_database: str
) -> None:
    last_good = value(pipeline.warehouse, "SELECT file_location FROM dim_design WHERE design_id = 1")
    execute(pipeline.source, "UPDATE design SET file_location = repeat('x', %s) WHERE design_id = 1", [OVER])
    execute(pipeline.source, "UPDATE design SET file_name = 'another' WHERE design_id = 2")
    pipeline.tick()
    held = "SELECT batch_id, star_table, key, reason, source_row, resolved_by FROM etl.quarantine ORDER BY batch_id"
    [(batch, star_table, key, reason, source_row, resolved_by)] = rows(pipeline.warehouse, held)
    assert (batch, star_table, key, resolved_by) == (2, "dim_design", 1, None)
    assert reason == (
        f"file_location is '{'x' * 100}…', {OVER} bytes in a row that is too long to be read whole; "
        "make it 1048576 bytes or less at the source, and the next run brings the row"
    )
    assert json.loads(source_row["_raw"])["file_location"]["sha256"] == digest(pipeline, "file_location")
    assert value(pipeline.warehouse, "SELECT file_location FROM dim_design WHERE design_id = 1") == last_good
    assert value(pipeline.warehouse, "SELECT file_name FROM dim_design WHERE design_id = 2") == "another"
    verdict = verdict_on(pipeline)
    assert verdict.differences == 0
    assert verdict.tables["dim_design"].quarantined == 1
    execute(pipeline.source, "UPDATE design SET file_location = repeat('y', %s) WHERE design_id = 1", [OVER])
    pipeline.tick()
    assert [each[-1] for each in rows(pipeline.warehouse, held)] == [3, None], "a change of it alone is noticed"
    execute(pipeline.source, "UPDATE design SET file_location = repeat('y', 1048576) WHERE design_id = 1")
    pipeline.tick()
    assert [each[-1] for each in rows(pipeline.warehouse, held)] == [3, 4]
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    before = content_of(pipeline.warehouse)
    dataclasses.replace(pipeline, warehouse=another_database).load()
    assert content_of(another_database) == before
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what memory a process had")
def test_a_long_row_is_in_memory_three_times_and_no_more(source: str, folder: Path) -> None:
    def peak(batch: int) -> int:
        run = [sys.executable, "-c", CAPTURE, source, str(folder)]
        said = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
        assert said[0] == str(batch)
        return int(said[1])

    length = 2 * OVER
    usual = peak(1)
    execute(source, "UPDATE design SET file_location = repeat('x', %s) WHERE design_id = 1", [length])
    # libpq, what it gives to psycopg2, and Python have the row once each: less than a fourth would be a copy more.
    assert peak(2) < usual + 4 * length
