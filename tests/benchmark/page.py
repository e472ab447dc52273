"""How quick the dashboard's page is: `python -m tests.benchmark.page 100000`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from simulator import move_to_yesterday
from tests.support.databases import quick_server
from tests.support.published import a_shop

ROOT = Path(__file__).parents[2]


def main(orders: int) -> None:
    """Publish a simulated shop with so many sales orders, and time its page in a browser."""
    with tempfile.TemporaryDirectory(prefix="totes-") as name, quick_server() as postgres:
        shop = a_shop(postgres, Path(name), "shop", orders)
        move_to_yesterday(shop.pipeline.source)
        shop.tick()
        shop.bring_rates()
        latest = json.loads((shop.folder / "latest.json").read_text())
        tables = json.loads((shop.folder / latest["manifest"]).read_text())["tables"]
        size = sum(part["bytes"] for table in tables.values() for part in table["parts"].values())
        print(f"{orders:,} sales orders: a snapshot of {size / 1e6:.1f} MB")
        subprocess.run([ROOT / ".venv/bin/node", ROOT / "dashboard/tools/bench.mjs", shop.folder], check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
