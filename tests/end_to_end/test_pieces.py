"""A first batch that many functions read and transform, by the state machine as it is deployed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from command_line.deployment import Deployment
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute
from tests.support.oracle import assert_warehouse_mirrors

FUNCTIONS = ("totes-local-raw_data_to_ingestion_bucket", "totes-local-ingestion_to_processed_bucket")


@pytest.fixture(autouse=True)
def _small_functions(deployed: Deployed) -> Iterator[None]:
    """Functions that read or transform no more than a hundred rows each."""
    client = deployed.cloud.client("lambda")
    before = {name: client.get_function_configuration(FunctionName=name)["Environment"] for name in FUNCTIONS}
    for name, environment in before.items():
        small = {**environment["Variables"], "ROWS_IN_ONE_FUNCTION": "100"}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": small})
    yield
    for name, environment in before.items():
        client.update_function_configuration(FunctionName=name, Environment=environment)


def plans(deployed: Deployed) -> list[str]:
    bucket = Deployment.local(deployed.state).outputs["IngestionBucket"]
    listed = deployed.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix="batches/0000000001/plans/")
    return [found["Key"] for found in listed.get("Contents", [])]


def states_of(deployed: Deployed, execution: dict[str, Any]) -> list[str]:
    client = deployed.cloud.client("stepfunctions")
    history = client.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
    return [
        event["stateEnteredEventDetails"]["name"] for event in history["events"] if "stateEnteredEventDetails" in event
    ]


def newest_execution(deployed: Deployed) -> dict[str, Any]:
    client, machine = (
        deployed.cloud.client("stepfunctions"),
        Deployment.local(deployed.state).outputs["StateMachineArn"],
    )
    executions = client.list_executions(stateMachineArn=machine)["executions"]
    newest = max(executions, key=lambda execution: execution["startDate"])
    found: dict[str, Any] = client.describe_execution(executionArn=newest["executionArn"])
    return found


def test_a_piece_that_cannot_be_read_fails_the_run_with_its_name_and_the_next_reads_what_is_missing(
    deployed: Deployed,
) -> None:
    source = deployed.cloud.source_uri
    build(source, orders=100, seed=1)
    # No index forbids it across tables that inherit, so the piece that has both rows refuses to bring either.
    execute(
        source,
        "CREATE TABLE more_payments () INHERITS (payment); "
        "INSERT INTO more_payments SELECT * FROM payment WHERE payment_id = 3",
    )
    failed = deployed.totes("run", "--json")
    assert failed.code != 0
    execution = newest_execution(deployed)
    assert execution["error"] == "Capture.PieceFailed"
    said = json.loads(execution["cause"])["errorMessage"]
    assert said.startswith("1 of 49 pieces of plan 1 could not be read: piece ")
    assert "(payment from key -9223372036854775808 to " in said
    assert "): ContractError; " in said

    execute(source, "DELETE FROM more_payments")
    execute(source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 7")
    deployed.run()
    assert_warehouse_mirrors(source, deployed.cloud.warehouse_uri)
    assert len(plans(deployed)) == 1
    states = states_of(deployed, newest_execution(deployed))
    assert [states.count(name) for name in ("Capture", "Read the pieces", "Read a piece")] == [2, 1, 0]
    assert [states.count(name) for name in ("Transform", "Transform the pieces", "Load")] == [2, 1, 2]


def test_an_ordinary_tick_has_no_pieces(deployed: Deployed) -> None:
    execute(deployed.cloud.source_uri, "DELETE FROM payment WHERE payment_id = 5")
    deployed.run()
    states = states_of(deployed, newest_execution(deployed))
    assert not {"Read the pieces", "Transform the pieces"} & set(states)
    assert [states.count(name) for name in ("Capture", "Transform", "Load")] == [1, 1, 1]
    assert_warehouse_mirrors(deployed.cloud.source_uri, deployed.cloud.warehouse_uri)


def test_a_migration_of_many_rows_is_read_in_pieces_too(deployed: Deployed) -> None:
    execute(deployed.cloud.source_uri, "ALTER TABLE payment ADD COLUMN note text DEFAULT 'none'")
    execute(deployed.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
    deployed.run()
    states = states_of(deployed, newest_execution(deployed))
    assert [states.count(name) for name in ("Capture", "Read the pieces")] == [2, 1]
    assert_warehouse_mirrors(deployed.cloud.source_uri, deployed.cloud.warehouse_uri)
