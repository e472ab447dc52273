"""Shops whose snapshots are published into a folder, for those who look at the page."""

from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import session, value
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.snapshots import write_snapshot
from totes.rates import DayOfRates, key_of
from totes.warehouse import load_rates

_SATURDAY = 5


class Published:
    """A pipeline, and the folder in which its snapshots are."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline = pipeline
        self.folder = folder

    def tick(self) -> None:
        """Bring what the shop has to the warehouse, and publish it."""
        self.pipeline.tick()
        write_snapshot(self.pipeline.warehouse, self.folder)

    def bring_rates(self) -> None:
        """Bring a rate of each day but the weekends', as a bank would have them: a Saturday's orders have Friday's."""
        first = value(self.pipeline.source, "SELECT min(created_at)::date FROM sales_order")
        days = [first + timedelta(days=number) for number in range((datetime.now(UTC).date() - first).days + 1)]
        for number, day in enumerate(days):
            if day.weekday() < _SATURDAY:
                rates = {"EUR": f"{1.16 + 0.02 * sin(number / 40):.4f}", "USD": f"{1.27 + 0.03 * sin(number / 55):.4f}"}
                said = DayOfRates(day=day, base="GBP", rates=rates)
                self.pipeline.processed.put_new(key_of("GBP", day), said.to_json())
        with session(self.pipeline.warehouse) as warehouse:
            load_rates(warehouse, self.pipeline.processed, "GBP")
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
