"""What a lake and a warehouse hold after some batches of every kind."""

from simulator import Shop
from tests.support.databases import execute
from tests.support.pipeline import Pipeline


def live(pipeline: Pipeline, ticks: int = 4) -> None:
    """Some batches with versions, deletes, quarantine and drift in them."""
    pipeline.tick()
    for tick in range(ticks):
        Shop(pipeline.source, seed=tick).trade(25)
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [tick + 1])
        execute(pipeline.source, "DELETE FROM payment WHERE payment_id = %s", [tick + 40])
        execute(
            pipeline.source,
            "UPDATE sales_order SET agreed_delivery_date = %s WHERE sales_order_id = 9",
            ["TBC" if tick % 2 == 0 else "2024-02-29"],
        )
        pipeline.tick()
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN colour text")
    pipeline.tick()
