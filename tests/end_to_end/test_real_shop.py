"""The real shop's content, where the machine has it, through a cloud whose databases are somebody else's."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Deployed
from tests.support.databases import value
from tests.support.oracle import assert_warehouse_mirrors
from workbench import cloud
from workbench.cloud.postgres import EmbeddedPostgres

CONTENT = Path(__file__).parents[3] / "shared" / "data" / "totesys-2024-11-15"

pytestmark = pytest.mark.skipif(not CONTENT.exists(), reason=f"the real shop's content is not here ({CONTENT.name})")


@pytest.fixture(scope="module")
def real(databases: EmbeddedPostgres, folder: Path) -> Iterator[Deployed]:
    for name in ("totesys", "warehouse"):
        databases.create_database(name)
    subprocess.run(
        [
            *(databases.binaries / "psql", "-qv", "ON_ERROR_STOP=1", "-o", folder / "out"),
            *(databases.uri("totesys"), "-f", "schema.sql", "-f", "load.sql"),
        ],
        cwd=CONTENT,
        check=True,
    )
    state = folder / "real"
    running = cloud.up(
        state, source=databases.uri("totesys"), warehouse=databases.uri("warehouse"), progress=lambda _: None
    )
    yield Deployed(running, state)
    cloud.down(state)


def test_one_run_brings_the_whole_shop_cell_by_cell(real: Deployed, databases: EmbeddedPostgres) -> None:
    tables = real.run()["tables"]
    assert {name: tally["versions"] for name, tally in tables.items() if name.startswith("fact_")} == {
        "fact_sales_order": 11_187,
        "fact_purchase_order": 4_649,
        "fact_payment": 15_836,
    }
    assert all(tally["quarantined"] == 0 for tally in tables.values())
    assert_warehouse_mirrors(databases.uri("totesys"), databases.uri("warehouse"))
    assert real.run()["batch"] is None
    assert value(databases.uri("warehouse"), "SELECT count(*) FROM fact_payment") == 15_836
