"""The real shop's content, where the machine has it, through a cloud whose databases are somebody else's."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import local_cloud
from local_cloud.postgres import EmbeddedPostgres
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute, rows, value
from tests.support.oracle import assert_warehouse_mirrors

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
    running = local_cloud.up(
        state, source=databases.uri("totesys"), warehouse=databases.uri("warehouse"), say=lambda _: None
    )
    yield Deployed(running, state)
    local_cloud.down(state)


def test_one_run_brings_the_whole_shop_cell_by_cell(real: Deployed, databases: EmbeddedPostgres) -> None:
    tables = real.run()["tables"]
    assert {name: counts["versions"] for name, counts in tables.items() if name.startswith("fact_")} == {
        "fact_sales_order": 11_187,
        "fact_purchase_order": 4_649,
        "fact_payment": 15_836,
    }
    assert all(counts["quarantined"] == 0 for counts in tables.values())
    assert_warehouse_mirrors(databases.uri("totesys"), databases.uri("warehouse"))
    assert real.run()["batch"] is None
    assert value(databases.uri("warehouse"), "SELECT count(*) FROM fact_payment") == 15_836


# What the real application's raw SQL has been seen to change without a stamp (a silent edit), and its one stamped edit.
EDITS = (
    "UPDATE design SET file_location = '/moved' WHERE design_id = 3",
    "UPDATE sales_order SET design_id = 7 WHERE sales_order_id = 100",
    "UPDATE sales_order SET staff_id = 5 WHERE sales_order_id = 100",
    "UPDATE purchase_order SET item_code = 'EDITED1' WHERE purchase_order_id = 40",
    "UPDATE sales_order SET agreed_delivery_date = '2026-07-30' WHERE sales_order_id = 100",
    "UPDATE sales_order SET agreed_delivery_location_id = 9 WHERE sales_order_id = 100",
    "UPDATE payment SET paid = NOT paid, last_updated = '2024-11-18 07:55:00' WHERE payment_id = 15000",
)


def test_every_edit_of_the_kinds_that_the_shop_makes_is_a_version_and_verify_says_equal(
    real: Deployed, databases: EmbeddedPostgres
) -> None:
    real.run()
    source, warehouse = databases.uri("totesys"), databases.uri("warehouse")
    for edit in EDITS:
        execute(source, edit)
        tables = real.run()["tables"]
        assert sum(counts["versions"] for name, counts in tables.items() if name != "dim_date") == 1, edit
    states = rows(
        warehouse,
        "SELECT design_id, sales_staff_id, agreed_delivery_date::text, agreed_delivery_location_id "
        "FROM fact_sales_order WHERE sales_order_id = 100 ORDER BY batch_id",
    )
    assert len(states) == 5
    assert states[-1] == (7, 5, "2026-07-30", 9)
    execute(source, "DELETE FROM payment WHERE payment_id = 15001")
    assert real.run()["tables"]["fact_payment"]["deleted"] == 1
    assert_warehouse_mirrors(source, warehouse)
    assert real.totes("verify", "--json").json()["equal"]
