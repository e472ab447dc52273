"""Two runs that write Athena's lists at once, request by request in any order, leave lists that the next completes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Condition
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.memory_store import MemoryStore
from totes.athena import lists, write_lists
from totes.errors import LakeUnavailable
from totes.lake import Bucket, Part, StarJournal, StarManifest, StarParts

SPAN = 4
ALL = 100
"""More requests than a run has."""

EVERY = {"fact_payment": 1, "dim_design": 2}
"""The star tables, and every how many batches one brings something to each."""


@pytest.fixture(autouse=True, scope="module")
def _short_spans() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "SPAN", SPAN)
        patch.setattr(lists, "_READERS", 1)
        yield


def key_of(edition: int, batch: int, table: str) -> str:
    return f"batches/{batch:010d}/{table}/stars-00000-{edition}.parquet"


def manifest(edition: int, batch: int, tables: Mapping[str, int] = EVERY) -> bytes:
    part = {table: Part(key=key_of(edition, batch, table), rows=1, bytes=1, sha256="") for table in EVERY}
    return StarManifest(
        batch=batch,
        capture="",
        parent=None,
        captured_at=datetime(2026, 1, 1, tzinfo=UTC),
        horizon=1,
        drift=(),
        tables={
            table: StarParts(rows_in=1, parts=(part[table],)) for table, every in tables.items() if batch % every == 0
        },
    ).to_json()


def commit(bucket: Bucket) -> None:
    journal = StarJournal(bucket)
    batch = journal.newest() + 1
    journal.commit(batch, manifest(journal.edition, batch))


def replay(bucket: Bucket, tables: Mapping[str, int] = EVERY) -> None:
    journal = StarJournal(bucket)
    draft = journal.begin(1, "code")
    for batch in range(1, journal.newest() + 1):
        draft.commit(batch, manifest(draft.edition.number, batch, tables))
    draft.publish()


BEFORE: Mapping[str, Callable[[Bucket], None]] = {"commit": commit, "replay": replay}
"""What a run does before it writes lists, each as one request: their own races are told elsewhere."""


class Turns:
    """Whose request is next: as an order says while both runs go on, and then whoever is left."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = list(order)
        self._going_on = {0, 1}
        self._changed = Condition()

    @contextmanager
    def turn(self, run: int) -> Iterator[None]:
        """Wait until it is a run's turn, for one request."""
        with self._changed:
            self._changed.wait_for(lambda: self._next() == run)
            if self._order:
                self._order.pop(0)
            self._changed.notify_all()  # who wakes has to wait until this turn is over
            yield

    def end(self, run: int) -> None:
        """Say that a run has ended."""
        with self._changed:
            self._going_on.remove(run)
            self._changed.notify_all()

    def _next(self) -> int:
        return self._order[0] if self._order and self._order[0] in self._going_on else min(self._going_on)


class OneOfTwo:
    """The store as one of two runs has it, which dies after so many requests."""

    def __init__(self, store: MemoryStore, turns: Turns, run: int, requests: int) -> None:
        self._store, self._turns, self._run, self._left = store, turns, run, requests

    def __getattr__(self, name: str) -> Any:
        def ask(**request: Any) -> Any:
            with self._turns.turn(self._run):
                self._left -= 1
                if self._left < 0:
                    raise LakeUnavailable("the run was killed")
                return getattr(self._store, name)(**request)

        return ask


class Lake:
    """A processed bucket whose batches are listed."""

    def __init__(self, batches: int) -> None:
        self.store = MemoryStore()
        self.bucket = self.store.bucket("processed")
        for _ in range(batches):
            commit(self.bucket)
        self.complete()

    def complete(self) -> None:
        assert write_lists(self.bucket, list(EVERY)) is not None

    def run(self, turns: Turns, run: int, steps: Sequence[str], requests: int) -> None:
        """Go through the steps of a run, and write the lists."""
        client: Any = OneOfTwo(self.store, turns, run, requests)
        try:
            for step in steps:
                with turns.turn(run):
                    BEFORE[step](self.bucket)
            with suppress(LakeUnavailable):
                write_lists(Bucket("processed", client), list(EVERY))
        finally:
            turns.end(run)

    def catch_up(self) -> None:
        """Commit what an older edition has and the newest one not yet, as the next runs do."""
        while StarJournal(self.bucket).newest() < 12:
            commit(self.bucket)

    def named(self) -> list[str]:
        """The key of each part that the lists name."""
        keys = [key for key in self.store.keys if key.startswith("athena/") and not key.endswith(".json")]
        lines = [line for key in keys for line in self.bucket.get(key).decode().splitlines()]
        return sorted(line.removeprefix("s3://processed/") for line in lines)

    def in_manifests(self) -> list[str]:
        """The key of each part that the newest edition's manifests name."""
        journal = StarJournal(self.bucket)
        manifests = [StarManifest.from_json(journal.read(batch)) for batch in range(1, journal.newest() + 1)]
        return sorted(part.key for each in manifests for part in each.parts())


steps = st.lists(st.sampled_from(sorted(BEFORE)), min_size=1, max_size=3)
orders = st.tuples(st.integers(1, 12), st.integers(1, 30), st.integers(1, 12), st.integers(1, 30))
lives = st.integers(1, 60) | st.just(ALL)


@given(batches=st.integers(1, 7), slow=steps, quick=steps, order=orders, lives=st.tuples(lives, lives))
@example(batches=6, slow=["commit"], quick=["commit"] * 3, order=(5, ALL, 0, 0), lives=(ALL, ALL))
@example(batches=6, slow=["commit"], quick=["commit"] * 3, order=(4, 15, 6, ALL), lives=(ALL, ALL))
@example(batches=6, slow=["commit"], quick=["replay"], order=(5, ALL, 0, 0), lives=(ALL, ALL))
@example(batches=2, slow=["commit"], quick=["replay"], order=(4, 18, 6, ALL), lives=(ALL, ALL))
def test_in_whatever_order_two_runs_ask_the_store_the_next_run_completes_the_lists(
    batches: int, slow: list[str], quick: list[str], order: tuple[int, ...], lives: tuple[int, int]
) -> None:
    lake = Lake(batches)
    turns = Turns([place % 2 for place, requests in enumerate(order) for _ in range(requests)])
    with ThreadPoolExecutor(2) as runs:
        ended = [runs.submit(lake.run, turns, run, each, lives[run]) for run, each in enumerate((slow, quick))]
    for each in ended:
        each.result()
    lake.catch_up()
    lake.complete()
    assert lake.named() == lake.in_manifests()


@pytest.mark.parametrize("batches", [2, SPAN, SPAN + 2])
def test_what_a_new_edition_brings_no_more_is_listed_no_more(batches: int) -> None:
    lake = Lake(batches)
    replay(lake.bucket, {"fact_payment": 1})
    lake.complete()
    assert lake.named() == lake.in_manifests()
