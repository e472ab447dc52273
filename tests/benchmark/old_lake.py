"""How long a warehouse takes to be loaded and rebuilt from a lake of many small batches, and what a tick costs there.

    make bench-old BATCHES=10000

The lake is in memory, so that the figures are of totes and of PostgreSQL, both on this machine. Memory is what an act
has at most beside what this process held before, the lake among it. It needs Linux, whose `/proc` says so.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.benchmark.suite.worker import peak_of
from tests.support.databases import session
from tests.support.memory_store import MemoryStore
from tests.support.old_lake import grow_old
from tests.support.pipeline import Pipeline
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes.warehouse import load

_SECONDS_A_BATCH = 0.006
"""The limit of a load and of a rebuild: a minute for 10,000 batches, ten for 100,000."""

_MEMORY = 300_000_000
"""The limit of either, in bytes, however many batches there are."""


def main(batches: int) -> None:
    """Make a lake, load it, rebuild the warehouse, and print what each took."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            measure(server, batches)
        finally:
            server.stop()


def measure(server: EmbeddedPostgres, batches: int) -> None:
    """Print a line for the making of the lake, the load, the rebuild and the ticks, and whether the limits are kept."""
    for name in ("old_shop", "old_warehouse"):
        server.create_database(name)
    build(server.uri("old_shop"), orders=100, seed=1)
    store = MemoryStore()
    pipeline = Pipeline(
        source=server.uri("old_shop"),
        warehouse=server.uri("old_warehouse"),
        ingestion=Bucket("ingestion", store),  # type: ignore[arg-type]
        processed=Bucket("processed", store),  # type: ignore[arg-type]
    )
    newest = grow_old(pipeline, rounds=batches // 10)
    print(f"{'':40}{'seconds':>9}{'at most':>9}{'requests':>10}{'memory':>10}{'at most':>10}")
    limited: dict[str, Callable[[], object]] = {
        f"first load of {newest:,} batches": pipeline.load,
        "rebuild of all": lambda: rebuild(pipeline),
    }
    others: dict[str, Callable[[], object]] = {
        "capture of a tick without changes": pipeline.capture,
        "whole tick without changes": pipeline.tick,
    }
    for name, act in {**limited, **others}.items():
        store.asked.clear()
        seconds, memory = _spent(act)
        limits = (newest * _SECONDS_A_BATCH, _MEMORY) if name in limited else None
        print(_line(name, seconds, store.calls.total(), memory, limits))


def _spent(act: Callable[[], object]) -> tuple[float, int]:
    """The seconds that an act takes, and the bytes that it has at most beside what was there before."""
    before = psutil.Process().memory_info().rss
    # The peak begins again: https://docs.kernel.org/filesystems/proc.html
    Path("/proc/self/clear_refs").write_text("5")
    started = time.monotonic()
    act()
    return time.monotonic() - started, peak_of("self") - before


def _line(name: str, seconds: float, requests: int, memory: int, limits: tuple[float, int] | None) -> str:
    most_seconds, most_memory = (f"{limits[0]:.1f}", f"{limits[1] / 1e6:.0f} MB") if limits else ("", "")
    missed = "  missed" if limits and (seconds > limits[0] or memory > limits[1]) else ""
    return (
        f"{name:40}{seconds:9.1f}{most_seconds:>9}{requests:10,}{memory / 1e6:7,.0f} MB{most_memory:>10}{missed}"
    ).rstrip()


def rebuild(pipeline: Pipeline) -> None:
    """Build the warehouse again."""
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
