"""Shops whose snapshots are published into a folder, for those who look at the page."""

from pathlib import Path

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.snapshots import write_snapshot


class Published:
    """A pipeline, and the folder in which its snapshots are."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline = pipeline
        self.folder = folder

    def tick(self) -> None:
        """Bring what the shop has to the warehouse, and publish it."""
        self.pipeline.tick()
        write_snapshot(self.pipeline.warehouse, self.folder)


def a_shop(postgres: EmbeddedPostgres, folder: Path, name: str, orders: int | None) -> Published:
    """A shop with so many orders, or with an empty database; and a warehouse for it."""
    for database in (source := f"{name}_source", warehouse := f"{name}_warehouse"):
        postgres.create_database(database)
    if orders is not None:
        build(postgres.uri(source), orders=orders, seed=1)
    store = MemoryStore()
    pipeline = Pipeline(
        source=postgres.uri(source),
        warehouse=postgres.uri(warehouse),
        ingestion=store.bucket("ingestion"),
        processed=store.bucket("processed"),
    )
    return Published(pipeline, folder / name)
