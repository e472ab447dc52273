"""How long a warehouse takes to be loaded and rebuilt from a lake of many small batches, and what a tick costs there.

    make bench-old BATCHES=10000

The lake is in memory, so that the figures are of totes and of PostgreSQL, both on this machine. Memory is this process'
own, the lake's bytes among it.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import session
from tests.support.memory_store import MemoryStore
from tests.support.old_lake import grow_old
from tests.support.pipeline import Pipeline
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes.warehouse import load


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
    """Print a line for the making of the lake, the load, the rebuild and the ticks."""
    for name in ("shop", "warehouse"):
        server.create_database(name)
    build(server.uri("shop"), orders=100, seed=1)
    store = MemoryStore()
    pipeline = Pipeline(
        source=server.uri("shop"),
        warehouse=server.uri("warehouse"),
        ingestion=Bucket("ingestion", store),  # type: ignore[arg-type]
        processed=Bucket("processed", store),  # type: ignore[arg-type]
    )
    newest = grow_old(pipeline, rounds=batches // 10)
    print(f"{'':40}{'seconds':>9}{'requests':>10}{'memory':>10}")
    lines: dict[str, Callable[[], object]] = {
        f"first load of {newest:,} batches": pipeline.load,
        "rebuild of all": lambda: rebuild(pipeline),
        "capture of a tick without changes": pipeline.capture,
        "whole tick without changes": pipeline.tick,
    }
    for name, act in lines.items():
        store.asked.clear()
        started = time.monotonic()
        act()
        seconds = time.monotonic() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{name:40}{seconds:9.1f}{store.calls.total():10,}{memory:7,} MB")


def rebuild(pipeline: Pipeline) -> None:
    """Build the warehouse again."""
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
