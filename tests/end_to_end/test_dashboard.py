"""A run publishes what it has loaded; that it cannot makes no run fail, and a failed run is shown with the last one."""

import json
from pathlib import Path
from typing import Any

import pytest

from command_line.deployment import Deployment
from command_line.functions import ask
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute, rows
from totes.dashboard_snapshot.manifest import LATEST


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    build(deployed.cloud.source_uri, orders=30, seed=3)
    assert "there is no snapshot yet; run the pipeline first" in deployed.totes("dashboard", "--export", "out").err
    deployed.run()
    return deployed


def latest(shop: Deployed) -> dict[str, Any]:
    found = Deployment.local(shop.state).snapshots.find(LATEST)
    assert found is not None
    document: dict[str, Any] = json.loads(found.body)
    return document


def output_of_last_run(shop: Deployed) -> dict[str, Any]:
    deployment = Deployment.local(shop.state)
    client, machine = deployment.step_functions, deployment.outputs["StateMachineArn"]
    executions = client.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
    newest = max(executions, key=lambda one: one["startDate"])
    found: dict[str, Any] = json.loads(client.describe_execution(executionArn=newest["executionArn"])["output"])
    return found


def test_each_run_publishes_and_says_until_when_it_looked(shop: Deployed) -> None:
    first = latest(shop)
    assert (first["batch"], first["status"]["failed"]) == (1, None)
    shop.run()
    second = latest(shop)
    assert second["status"]["checked_at"] > first["status"]["checked_at"]
    assert (second["batch"], second["manifest"]) == (1, first["manifest"])
    assert output_of_last_run(shop)["publish"] == {"published": 1, "written": 0}
    assert shop.totes("verify").code == 0
    shop.run()
    verified = latest(shop)["status"]["verified"]
    assert (verified["equal"], verified["batch"], verified["differences"]) == (True, 1, 0)


def test_rates_that_came_convert_the_shops_money_with_the_next_run_and_need_no_batch(shop: Deployed) -> None:
    before = latest(shop)
    fetched = ask(Deployment.local(shop.state), "RatesFunction", {})
    assert fetched == {"days": 2, "newest": "2024-03-05", "failed": ""}
    shop.run()
    after = latest(shop)
    assert (after["batch"], after["manifest"] != before["manifest"]) == (before["batch"], True)
    found = Deployment.local(shop.state).snapshots.find(after["manifest"])
    assert found is not None
    said = json.loads(found.body)["rates"]
    assert said == {"currency": "GBP", "newest": "2024-03-05", "count": 4, "digest": said["digest"]}
    [[orders, converted]] = rows(shop.cloud.warehouse_uri, "SELECT count(*), count(converted) FROM report.sales_orders")
    assert orders == converted == 30


def test_a_run_that_cannot_publish_succeeds_and_the_next_publishes_what_is_missing(shop: Deployed) -> None:
    execute(shop.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    execute(shop.cloud.warehouse_uri, "ALTER ROLE totes_dashboard NOLOGIN")
    try:
        assert shop.run()["batch"] == 2
        assert output_of_last_run(shop)["publish"] == {"published": 0}
        assert latest(shop)["batch"] == 1
    finally:
        execute(shop.cloud.warehouse_uri, "ALTER ROLE totes_dashboard LOGIN")
    shop.run()
    assert latest(shop)["batch"] == 2


def test_a_run_that_fails_says_so_with_the_snapshot_of_before(shop: Deployed) -> None:
    execute(shop.cloud.source_uri, "ALTER TABLE design RENAME TO drawing")
    try:
        failed = shop.totes("run")
        assert failed.code == 1
        assert "Capture.ContractError" in failed.out + failed.err
    finally:
        execute(shop.cloud.source_uri, "ALTER TABLE drawing RENAME TO design")
    said = latest(shop)
    assert (said["batch"], said["status"]["failed"]["step"]) == (2, "Capture")
    shop.run()
    assert latest(shop)["status"]["failed"] is None


def test_what_is_not_served_is_said_and_what_is_exported_is_whole(shop: Deployed, folder: Path) -> None:
    answer = shop.totes("dashboard", "--export", str(folder / "out"))
    if answer.code:  # where the page is not built
        assert "The dashboard's page is not built yet: run make setup" in answer.err
        return
    manifest = json.loads((folder / "out" / "data" / latest(shop)["manifest"]).read_text())
    files = [
        folder / "out" / "data" / "files" / table / f"{part}-{file['sha']}.parquet"
        for table, held in manifest["tables"].items()
        for part, file in held["parts"].items()
    ]
    assert files
    assert all(file.is_file() for file in files)
