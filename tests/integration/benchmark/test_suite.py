"""`make bench` measures what it says, of a tiny shop; how long anything takes is asserted nowhere."""

from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from local_cloud.postgres import EmbeddedPostgres
from tests.benchmark.suite.__main__ import main
from tests.benchmark.suite.ground import SOURCES, STARS, Ground
from tests.benchmark.suite.measuring import ActFailedError, measure
from tests.benchmark.suite.picture import picture
from tests.benchmark.suite.repeats import Suite
from tests.benchmark.suite.results import Result, Sample
from tests.benchmark.suite.subjects import BATCHES, GROUPS, SUBJECTS
from tests.benchmark.suite.table import tables
from tests.benchmark.suite.where import Where
from tests.support.databases import value

ORDERS, LAKE = 20, 10

SMALL = Sample(seconds=2, cpu=1, server_cpu=0.5, peak=50_000_000)


class Measurer:
    """Runs each act in this process, which is quicker, and looks at what it has brought to where it goes.

    Attributes:
        brought: rows in what an act has filled.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.brought: dict[str, int] = {}
        self.stars = self.sources = self.batches = 0

    def __call__(self, act: str, where: Where, server: EmbeddedPostgres, *, in_baselines: bool = False) -> Sample:
        assert server is self._ground.server
        if in_baselines:
            raise ActFailedError("it has an environment of its own")
        module, _, name = act.rpartition(".")
        getattr(import_module(f"tests.benchmark.suite.acts.{module}"), name)(where)
        if act == "pipeline.load":
            self.stars, self.sources = self._count(where.target, STARS), self._count(where.source, SOURCES)
        if act == "pipeline.tick":
            self.batches = value(where.target, "SELECT max(batch_id) FROM etl.batch")
        if name.startswith("copy_in"):
            self.brought[act] = self._count(where.target, STARS) - self.stars
        if name in {"reload", "executemany"}:
            self.brought[act] = self._count(where.target, SOURCES) - self.sources
        return SMALL

    def _count(self, uri: str, tables: list[str]) -> int:
        return self._ground.count(uri, tables)


@pytest.fixture
def where(postgres_binaries: Path, source: str, empty_database: str, tmp_path: Path) -> Where:
    """A small shop, an empty warehouse and an empty lake."""
    return Where(
        source=source,
        target=empty_database,
        lake=str(tmp_path / "lake"),
        files=str(tmp_path),
        binaries=str(postgres_binaries),
        tables=SOURCES,
        stars=STARS,
    )


def a_result(repeats: int) -> Result:
    return Result(began="2026-01-01T00:00:00+00:00", machine={"cores": "2"}, repeats=repeats)


def test_all_of_it_is_measured_and_told_by_table_picture_and_document(
    postgres: EmbeddedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, measurer = a_result(1), Measurer(ground := Ground(postgres))
    saved: list[str] = []
    suite = Suite(ground, tmp_path, result, GROUPS, say=lambda _said: None, measure=measurer)
    suite.run([ORDERS], [LAKE], 1, lambda: saved.append(result.to_json()))

    # Each way to fill a database has brought all rows there are.
    assert measurer.brought == dict.fromkeys(
        ("programs.copy_in_csv", "programs.copy_in_binary", "programs.reload", "plain.executemany"), 0
    )
    assert measurer.batches == LAKE + 1
    for subject in (*SUBJECTS, *BATCHES):
        [series] = [each for each in result.series if each.subject == subject.name]
        assert len(series.samples) == (0 if subject.in_baselines else 1), subject.name
        assert bool(series.missing) is subject.in_baselines
    # Totes' whole initial load is its three parts.
    assert result.ratio("initial load", "load", "orders", ORDERS) == 3

    # What was stored is what there was to store, so it can be reckoned with.
    assert set(result.stored[f"{ORDERS} orders"]) == {"ingestion", "processed", "warehouse"}
    assert set(result.stored[f"{LAKE} batches"]) == {"ingestion", "processed"}
    assert all(size > 0 for stored in result.stored.values() for size in stored.values())

    again = Result.from_json(saved[-1])
    assert again == result
    screen = Console(width=400)  # where numbers are long, words are broken
    screen.print(tables(again))
    told = capsys.readouterr().out
    assert f"{ORDERS} sales orders" in told
    assert all(subject.says in told for subject in (*SUBJECTS, *BATCHES))
    words = "".join(ElementTree.fromstring(picture(again)).itertext())  # noqa: S314 - it is our own
    assert all(subject.says in words for subject in (*SUBJECTS, *BATCHES) if not subject.in_baselines)
    assert list(tmp_path.iterdir()) == []

    document = tmp_path / "result.json"
    document.write_text(saved[-1])
    main(["compare", str(document), str(document)])
    assert "x1.00 same" in capsys.readouterr().out


def test_repeats_are_interleaved_and_each_begins_as_the_first_did(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    result, measurer = a_result(2), Measurer(ground := Ground(postgres))
    order: list[tuple[str, bool]] = []

    def measured(act: str, where: Where, server: EmbeddedPostgres, *, in_baselines: bool = False) -> Sample:
        order.append((act, Path(where.lake).exists()))
        return measurer(act, where, server, in_baselines=in_baselines)

    saved: list[int] = []
    suite = Suite(ground, tmp_path, result, ["transform"], say=lambda _said: None, measure=measured)
    suite.run([ORDERS, ORDERS + 1], [LAKE], 2, lambda: saved.append(len(order)))
    assert order == [("pipeline.extract", False), ("pipeline.transform", True)] * 4
    assert saved == [4, 8]
    assert result.numbers("batches") == []


def test_an_act_is_measured_in_a_process_of_its_own(postgres: EmbeddedPostgres, where: Where) -> None:
    took = measure("pipeline.extract", where, postgres)
    assert list(Path(where.lake, "ingestion", "manifests").iterdir())
    assert took.seconds > 0
    assert took.cpu > 0
    # An interpreter with all that totes imports, and not this process with its tests.
    assert 40_000_000 < took.peak < 400_000_000


def test_of_programs_it_is_theirs_that_is_measured(postgres: EmbeddedPostgres, where: Where) -> None:
    took = measure("programs.reload", Where(**{**vars(where), "tables": []}), postgres)
    assert took.peak == 0


def test_an_act_that_fails_says_why(postgres: EmbeddedPostgres, where: Where) -> None:
    nowhere = Where(**{**vars(where), "source": postgres.uri("nowhere")})
    with pytest.raises(ActFailedError, match=r'plain\.fetchall failed: .*database "nowhere" does not exist'):
        measure("plain.fetchall", nowhere, postgres)
