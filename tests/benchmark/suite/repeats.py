"""Repeat by repeat, and in each all sizes and all subjects: what happens on the machine happens to all alike."""

import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmark.suite.acts.pipeline import pipeline
from tests.benchmark.suite.ground import SOURCES, STARS, Ground
from tests.benchmark.suite.measuring import BASELINES, ActFailedError, Measuring, measure
from tests.benchmark.suite.results import Of, Result, Sample
from tests.benchmark.suite.subjects import BATCHES, SUBJECTS, Subject, Target, chosen
from tests.benchmark.suite.where import Where
from tests.support.databases import execute, value
from tests.support.old_lake import grow_old

Progress = Callable[[str], None]

_ORDERS_OF_OLD_LAKE = 100
_BATCHES_OF_A_ROUND = 10
_NO_BASELINES = "no pandas and no dlt: make build/baselines/.ready installs them"


class Suite:
    """All that is measured, on one server."""

    def __init__(
        self,
        ground: Ground,
        folder: Path,
        result: Result,
        groups: Collection[str],
        *,
        say: Progress,
        measure: Measuring = measure,
    ) -> None:
        """Say what is to be measured.

        Args:
            ground: the server.
            folder: for lakes and files.
            result: takes what was measured.
            groups: of subjects.
            say: called with what comes next.
            measure: runs an act.
        """
        self._ground = ground
        self._folder = folder
        self._result = result
        self._of_shops = chosen(SUBJECTS, groups)
        self._of_lakes = chosen(BATCHES, groups)
        self._say = say
        self._measure = measure

    def run(self, orders: Sequence[int], batches: Sequence[int], repeats: int, save: Callable[[], None]) -> None:
        """Measure all of it, so many times; what each repeat took is saved at its end."""
        with ExitStack() as kept:
            shops = [(number, self._build(kept, number)) for number in orders if self._of_shops]
            lakes = [(number, self._grow(kept, number)) for number in batches if self._of_lakes]
            for repeat in range(1, repeats + 1):
                for number, shop in shops:
                    self._say(f"repeat {repeat} of {repeats}: {number:,} orders")
                    self._measure_shop(number, shop)
                for number, where in lakes:
                    self._say(f"repeat {repeat} of {repeats}: {number:,} batches")
                    self._measure_lake(number, where)
                save()

    def _build(self, kept: ExitStack, orders: int) -> str:
        """Build the shop that every repeat begins with; return its database."""
        self._say(f"building a shop with {orders:,} orders")
        name = f"shop_of_{orders}"
        uri = kept.enter_context(self._ground.shop(name, orders))
        self._result.sizes[f"{orders} orders"] = f"{self._ground.count(uri, SOURCES):,} rows of the source"
        return name

    def _grow(self, kept: ExitStack, batches: int) -> Where:
        """Grow the lake that every repeat reads."""
        self._say(f"growing a lake of {batches:,} batches")
        name = f"lake_of_{batches}"
        source = kept.enter_context(self._ground.shop(name, _ORDERS_OF_OLD_LAKE))
        folder = kept.enter_context(self._scratch(name))
        where = self._where(source, source, folder)
        newest = grow_old(pipeline(where), rounds=-(-batches // _BATCHES_OF_A_ROUND))
        self._result.sizes[f"{batches} batches"] = f"{newest:,} batches of some forty rows"
        self._result.stored[f"{batches} batches"] = _bytes_of_lake(where)
        return where

    def _measure_shop(self, orders: int, shop: str) -> None:
        """One repeat of one shop: all that it changes is gone afterwards."""
        with (
            self._ground.database("source", template=shop) as source,
            self._ground.database("warehouse") as warehouse,
            self._scratch("repeat") as folder,
        ):
            where = self._where(source, warehouse, folder / "lake", folder)
            self._measure_all(self._of_shops, "orders", orders, where)

    def _measure_lake(self, batches: int, where: Where) -> None:
        with self._ground.database("warehouse") as warehouse, self._scratch("repeat") as folder:
            here = self._where(where.source, warehouse, Path(where.lake), folder)
            self._measure_all(self._of_lakes, "batches", batches, here)

    def _measure_all(self, subjects: Sequence[Subject], of: Of, number: int, where: Where) -> None:
        repeat = _Repeat(self._ground, where, self._measure)
        for subject in subjects:
            self._say(f"{subject.group}: {subject.says}")
            sample, missing = None, _why_not(subject, number)
            if not missing:
                try:
                    sample = repeat.sample(subject)
                except ActFailedError as failure:
                    if subject.is_totes:
                        raise
                    missing = str(failure)
            self._result.add(subject.name, of, number, sample, missing)
            if subject.name == "load":
                stored = value(where.target, "SELECT pg_database_size(current_database())")
                self._result.stored[f"{number} {of}"] = {**_bytes_of_lake(where), "warehouse": int(stored)}

    def _where(self, source: str, target: str, lake: Path, files: Path | None = None) -> Where:
        return Where(
            source=source,
            target=target,
            lake=str(lake),
            files=str(files or lake),
            binaries=str(self._ground.server.binaries),
            tables=self._ground.largest_first(source),
            stars=STARS,
        )

    @contextmanager
    def _scratch(self, name: str) -> Iterator[Path]:
        folder = self._folder / name
        folder.mkdir()
        try:
            yield folder
        finally:
            subprocess.run(["rm", "-rf", folder], check=True)


class _Repeat:
    """One repeat of one size: a warehouse that fills, and a lake that grows."""

    def __init__(self, ground: Ground, where: Where, measure: Measuring) -> None:
        self._ground = ground
        self._where = where
        self._measure = measure
        self._samples: dict[str, Sample] = {}
        self._changed: set[str] = set()

    def sample(self, subject: Subject) -> Sample:
        """Run a subject and return what it took.

        Raises:
            ActFailedError: it ended without a result.
        """
        if not subject.act:
            sample = _sum([self._samples[name] for name in subject.after])
        else:
            with self._prepared(subject) as where:
                sample = self._measure(subject.act, where, self._ground.server, in_baselines=subject.in_baselines)
        self._samples[subject.name] = sample
        return sample

    @contextmanager
    def _prepared(self, subject: Subject) -> Iterator[Where]:
        where = self._where
        if subject.change:
            execute(where.source, subject.change)
            self._changed.add(where.source)
        with self._target(subject) as target:
            self._ground.settle(*self._changed)
            self._changed.clear()
            try:
                yield Where(**{**vars(where), "target": target})
            finally:
                self._forget_extracts()
        if subject.target is Target.WAREHOUSE:
            self._changed.add(where.target)

    @contextmanager
    def _target(self, subject: Subject) -> Iterator[str]:
        if subject.target in {Target.NONE, Target.WAREHOUSE}:
            yield self._where.target
            return
        with self._ground.database("filled") as target:
            if subject.target is Target.SAME_TABLES:
                self._ground.make_stars(target)
                self._ground.write_stars(self._where.target, Path(self._where.files))
            if subject.target in {Target.BARE_TABLES, Target.KEYED_TABLES}:
                self._ground.make_sources(target)
            if subject.target is Target.KEYED_TABLES:
                self._ground.add_keys_of(self._where.source, target)
            yield target

    def _forget_extracts(self) -> None:
        """Remove the files that a simple way has written: the next one writes its own."""
        for file in Path(self._where.files).iterdir():
            if file.suffix in {".out", ".parquet"}:
                file.unlink()


def _bytes_of_lake(where: Where) -> dict[str, int]:
    """What each bucket of a lake holds."""
    return {
        bucket.name: sum(file.stat().st_size for file in bucket.rglob("*") if file.is_file())
        for bucket in Path(where.lake).iterdir()
    }


def _why_not(subject: Subject, number: int) -> str:
    if subject.in_baselines and not BASELINES.exists():
        return _NO_BASELINES
    if subject.most_orders is not None and number > subject.most_orders:
        return f"takes too much memory or time with more than {subject.most_orders:,} orders"
    return ""


def _sum(samples: Sequence[Sample]) -> Sample:
    """What came one after the other: the times of all, the memory of the largest."""
    return Sample(
        seconds=sum(each.seconds for each in samples),
        cpu=sum(each.cpu for each in samples),
        server_cpu=sum(each.server_cpu for each in samples),
        peak=max(each.peak for each in samples),
    )
