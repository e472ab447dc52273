"""What docs/dbt says of the star is so, also while rows are in quarantine. `make dbt` installs dbt and runs this."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from local_cloud.cdk import PROJECT
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute, value

_DBT = PROJECT / "build" / "dbt" / "bin" / "dbt"

pytestmark = pytest.mark.skipif(not _DBT.exists(), reason="make dbt installs dbt, and runs this")


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    """A shop, one of whose staff has no name, and one of whose orders no date: both are in quarantine."""
    source = deployed.cloud.source_uri
    build(source, orders=40, seed=3)
    execute(source, "ALTER TABLE staff ALTER first_name DROP NOT NULL")
    execute(source, "UPDATE staff SET first_name = NULL WHERE staff_id = (SELECT min(staff_id) FROM sales_order)")
    execute(source, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 4")
    deployed.run()
    open_rows = "SELECT count(DISTINCT star_table) FROM etl.quarantine WHERE resolved_by IS NULL"
    assert value(deployed.cloud.warehouse_uri, open_rows) == 2
    return deployed


def dbt(shop: Deployed, folder: Path) -> tuple[int, str]:
    """Run the tests of the shipped project; return dbt's exit code and what it says."""
    done = subprocess.run(
        [_DBT, "test", "--profiles-dir", "."],
        cwd=PROJECT / "docs" / "dbt",
        env={
            **os.environ,
            **shop.cloud.variables(),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_shipped_tests_pass_with_rows_in_quarantine(shop: Deployed, tmp_path: Path) -> None:
    code, said = dbt(shop, tmp_path)
    assert code == 0, said[-3000:]
    [counted] = re.findall(r"PASS=(\d+) WARN=0 ERROR=0 SKIP=0", said)
    assert int(counted) > 150


def test_a_fact_whose_dimension_is_missing_fails_them(shop: Deployed, tmp_path: Path) -> None:
    execute(
        shop.cloud.warehouse_uri,
        "DELETE FROM dim_staff WHERE staff_id = (SELECT min(sales_staff_id) FROM fact_sales_order)",
    )
    code, said = dbt(shop, tmp_path)
    assert code == 1, said[-3000:]
    assert re.search(r"FAIL \d+ source_relationships_\w*current_sales_order_sales_staff_id", said), said[-3000:]
