"""How large the dashboard's snapshot is, and how long and in how much memory the deployed stack publishes it.

    make bench-snapshot ORDERS=100000

The figures are of whole invocations, as Lambda would bill them: the first publication, the one after some of a shop's
life, the one after ten thousand payments are paid at once, and one that finds nothing new.
"""

import json
import sys
import tempfile
from pathlib import Path

import local_cloud
from command_line.commands import display, run_view
from command_line.deployment import Deployment
from command_line.execution import run
from command_line.logs import log_lines
from local_cloud import LocalCloud
from simulator import Shop, build
from tests.support.databases import execute
from totes.errors import UserError
from totes.names import SITE

FUNCTION = "publish_snapshot"
EVENTS_OF_A_TICK = 5
"""Of a shop that has come to 100,000 orders in two years, in five minutes at its busiest."""


def main(orders: int) -> None:
    """Build a shop, publish it, let it live, and print what each publication took."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        running = local_cloud.up(state, source=None, warehouse=None, say=display.step)
        try:
            build(running.source_uri, orders=orders, seed=1)
            deployment = Deployment.local(state)
            figures = {"all of it": published(deployment, running)}
            Shop(running.source_uri, seed=1).trade(EVENTS_OF_A_TICK)
            figures[f"{EVENTS_OF_A_TICK} events of the shop"] = published(deployment, running)
            execute(running.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id <= 10000")
            figures["10,000 payments are paid"] = published(deployment, running)
            figures["nothing has changed"] = published(deployment, running)
        finally:
            local_cloud.down(state)
    print(f"\n{orders:,} sales orders\n\n{'':28}{'seconds':>9}{'memory':>10}{'objects':>9}{'written':>12}")
    for what, (seconds, memory, objects, written) in figures.items():
        print(f"{what:28}{seconds:9.1f}{memory:7} MB{objects:9}{written / 1e6:9.2f} MB")


def published(deployment: Deployment, running: LocalCloud) -> tuple[float, int, int, int]:
    """Seconds, megabytes, objects and bytes of the publication of one run."""
    before = objects(deployment, running)
    result = run(deployment, run_view.state)
    if not result.succeeded:
        raise UserError(f"the run failed: {result.error}")
    written = {key: size for key, size in objects(deployment, running).items() if before.get(key) != size}
    return *reported(deployment), len(written), sum(written.values())


def reported(deployment: Deployment) -> tuple[float, int]:
    """Seconds and megabytes of the function's last invocation."""
    lines = [json.loads(line) for line in log_lines(deployment, FUNCTION) if line.startswith("{")]
    metrics = [line["record"]["metrics"] for line in lines if line.get("type") == "platform.report"][-1]
    return metrics["durationMs"] / 1000, metrics["maxMemoryUsedMB"]


def objects(deployment: Deployment, running: LocalCloud) -> dict[str, int]:
    """The objects of the dashboard's bucket, but for the page, and the size of each."""
    bucket = deployment.dashboard_outputs["DashboardBucket"]
    pages = running.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {
        each["Key"]: each["Size"]
        for page in pages
        for each in page.get("Contents", [])
        if not each["Key"].startswith(SITE)
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
