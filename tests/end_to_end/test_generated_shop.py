"""From the cdk CLI to the warehouse, all parts real, on a generated shop."""

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from command_line.deployment import Deployment
from simulator import Shop, build
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import totes
from tests.support.databases import execute, session
from tests.support.executions import ended
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.waiting import until
from totes.outcomes import ANOTHER_RUN
from totes.star import STAR_TABLES
from totes.warehouse.ledger import LOCK

NOTHING = {"rows_in": 0, "versions": 0, "unchanged": 0, "quarantined": 0, "deleted": 0}


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    build(deployed.cloud.source_uri, orders=300, seed=7)
    return deployed


def test_orders_reach_the_warehouse_through_the_deployed_stack(shop: Deployed) -> None:
    first = shop.run()
    assert set(first) == {"status", "batch", "seconds", "tables", "waiting"}
    assert (first["status"], first["batch"]) == ("SUCCEEDED", 1)
    assert set(first["tables"]) == {table.name for table in STAR_TABLES}
    assert first["tables"]["fact_sales_order"] == NOTHING | {"rows_in": 300, "versions": 300}
    assert shop.totes("doctor").code == 0
    assert_warehouse_mirrors(shop.cloud.source_uri, shop.cloud.warehouse_uri)


def test_a_second_run_changes_nothing(shop: Deployed) -> None:
    shop.run()
    second = shop.run()
    assert (second["status"], second["batch"]) == ("SUCCEEDED", None)
    assert all(counts == NOTHING for counts in second["tables"].values())
    assert "nothing changed" in shop.totes("run").out


def test_the_shops_life_reaches_the_warehouse(shop: Deployed) -> None:
    shop.run()
    for _ in range(3):
        Shop(shop.cloud.source_uri, seed=7).trade(80)
        result = shop.run()
        assert sum(counts["versions"] for counts in result["tables"].values()) > 0
        assert_warehouse_mirrors(shop.cloud.source_uri, shop.cloud.warehouse_uri)


def test_a_broken_contract_fails_the_run_in_one_sentence_and_heals(shop: Deployed) -> None:
    shop.run()
    execute(shop.cloud.source_uri, "ALTER TABLE staff RENAME COLUMN email_address TO mail")
    try:
        answer = shop.totes("run", "--json")
        assert answer.code == 1
        assert answer.json()["status"] == "FAILED"
        assert "column staff.email_address is missing" in answer.json()["error"]
        spoken = shop.totes("run")
        assert spoken.code == 1
        assert "column staff.email_address is missing" in " ".join(spoken.out.split())
        assert "Traceback" not in spoken.out + spoken.err
        told = shop.totes("status")
        assert told.code == 1, "a pipeline that has stopped does not look well"
        assert "✗ the last run failed" in told.out
        assert "column staff.email_address is missing" in " ".join(told.out.split())
        assert "column staff.email_address is missing" in shop.totes("status", "--json").json()["failure"]["why"]
    finally:
        execute(shop.cloud.source_uri, "ALTER TABLE staff RENAME COLUMN mail TO email_address")
    assert shop.run()["status"] == "SUCCEEDED"
    assert shop.totes("status", "--max-lag", "600").code == 0
    assert shop.totes("status", "--max-lag", "0").code == 1


def test_a_mass_deletion_stops_every_run_until_someone_says_go(shop: Deployed) -> None:
    shop.run()
    execute(shop.cloud.source_uri, "DELETE FROM payment WHERE payment_id % 2 = 0")
    commands = []
    for _ in range(2):
        stopped = shop.totes("run", "--json")
        assert stopped.code == 1
        assert stopped.json()["error"].startswith("Capture.MassDeletion")
        commands.append(stopped.json()["error"].partition("accept it: totes ")[2])
    assert commands == 2 * [f"run --state {shop.state} --accept-deletes payment"]
    compared = shop.totes("verify", "--json")
    assert (compared.code, compared.json()["equal"]) == (1, False)
    assert compared.json()["stopped"].endswith(f"totes {commands[0]}")
    gone = totes(*shlex.split(commands[0]), "--json").json()
    assert gone["status"] == "SUCCEEDED"
    assert gone["tables"]["fact_payment"]["deleted"] > 100
    assert_warehouse_mirrors(shop.cloud.source_uri, shop.cloud.warehouse_uri)


def test_an_added_column_is_reported(shop: Deployed) -> None:
    shop.run()
    execute(shop.cloud.source_uri, "ALTER TABLE design ADD COLUMN colour varchar(20) DEFAULT 'blue'")
    shop.run()
    drift = shop.totes("status", "--json").json()["drift"]
    assert drift[0]["what"] == "column design.colour (character varying(20)) was added"
    assert "column design.colour" in shop.totes("status").out


def test_status_tells_what_the_warehouse_holds(shop: Deployed) -> None:
    shop.run()
    execute(shop.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 12")
    shop.run()
    status = shop.totes("status", "--json").json()
    assert status["pending"] == []
    assert 0 < status["lag_seconds"] < 600
    assert status["batches"][0]["quarantined"] == 1
    assert status["tables"]["dim_currency"]["rows"] == 3
    assert status["quarantine"][0]["reason"].startswith("agreed_delivery_date is 'TBC'")
    spoken = shop.totes("status").out
    assert all(table.name in spoken for table in STAR_TABLES)
    assert "no batch waits to be loaded" in spoken


def test_two_runs_at_once_both_succeed_one_after_the_other(shop: Deployed) -> None:
    shop.run()
    execute(shop.cloud.source_uri, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id < 9")
    with ThreadPoolExecutor(2) as both:
        results = list(both.map(lambda _: shop.totes("run", "--json").json(), range(2)))
    assert [result["status"] for result in results] == ["SUCCEEDED", "SUCCEEDED"]
    versions = sorted(result["tables"]["fact_sales_order"]["versions"] for result in results)
    assert versions == [0, 8]


def test_a_deployed_stack_is_served_by_the_ordinary_credentials(shop: Deployed) -> None:
    shop.run()
    credentials = {
        "AWS_ENDPOINT_URL": shop.cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "eu-west-2",
    }
    answer = totes("run", "--env", "local", "--json", credentials=credentials)
    assert answer.code == 0, answer.err
    assert answer.json()["batch"] is None
    assert totes("status", "--env", "local", "--json", credentials=credentials).json()["pending"] == []
    missing = totes("run", "--env", "prod", credentials=credentials)
    assert missing.code == 1
    assert (
        "there is no stack totes-prod-data in environment prod; deploy it first (cdk deploy --all -c env=prod)"
        in missing.err
    )


def test_a_run_steps_back_while_another_is_under_way_before_the_list_has_it(shop: Deployed) -> None:
    client, machine = shop.cloud.client("stepfunctions"), Deployment.local(shop.state).outputs["StateMachineArn"]
    shop.run()
    with session(shop.cloud.warehouse_uri) as loader, loader.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK,))  # so that the first waits in its load
        first = client.start_execution(stateMachineArn=machine)["executionArn"]
        until(lambda: first in running(client, machine))
        second = client.start_execution(stateMachineArn=machine)["executionArn"]
        stepped_back = ended(client, second)
        assert running(client, machine) == [first]
    assert json.loads(stepped_back["output"])["outcome"] == ANOTHER_RUN
    assert ended(client, first)["status"] == "SUCCEEDED"


def running(client: Any, machine: str) -> list[str]:
    listed = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    return [each["executionArn"] for each in listed]


def test_a_functions_logs_can_be_read(shop: Deployed) -> None:
    shop.run()
    logs = shop.totes("local", "logs", "raw_data_to_ingestion_bucket", "--json").out
    lines = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    assert "committed batch 1" in [line.get("message") for line in lines]
    ended = [line["record"]["status"] for line in lines if line.get("type") == "platform.report"]
    assert set(ended) == {"success"}
    assert " of 1536 MB" in shop.totes("local", "logs", "raw_data_to_ingestion_bucket").out


def test_no_password_is_in_any_log_or_execution(shop: Deployed) -> None:
    shop.run()
    password = json.loads(
        Deployment.local(shop.state).secrets.get_secret_value(
            SecretId=Deployment.local(shop.state).outputs["SourceSecretArn"]
        )["SecretString"]
    )["password"]
    for function in ("raw_data_to_ingestion_bucket", "processed_bucket_to_warehouse"):
        assert password not in shop.totes("local", "logs", function).out
    client = Deployment.local(shop.state).step_functions
    arn = Deployment.local(shop.state).outputs["StateMachineArn"]
    for execution in client.list_executions(stateMachineArn=arn)["executions"]:
        assert password not in str(client.get_execution_history(executionArn=execution["executionArn"]))
