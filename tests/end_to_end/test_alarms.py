"""Each alarm goes off by what the deployed functions and state machine really emit when that very fault is made.

What the local cloud cannot come to by itself (a queue that EventBridge Scheduler fills, a run held back, a function at
its limit of fifteen minutes) is told to the alarm as AWS tells it.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Deployed
from tests.support.alarms import alarms_on
from tests.support.databases import execute, value
from workbench import cloud
from workbench.simulator import build

AN_HOUR = timedelta(hours=1)


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    """Production's stacks, with a shop in the source and a run done."""
    state = tmp_path / "state"
    running = Deployed(
        cloud.up(state, source=None, warehouse=None, progress=lambda _step: None, environment="prod"), state
    )
    try:
        build(running.cloud.source_uri, orders=30, seed=4)
        running.run()
        yield running
    finally:
        cloud.down(state)


class Watch:
    """The alarms of a cloud; each look leaves out what happened before."""

    def __init__(self, deployed: Deployed) -> None:
        self.cloudwatch = deployed.cloud.client("cloudwatch")

    def on(self, later: timedelta = timedelta()) -> set[str]:
        return {name.removeprefix("totes-prod-") for name in alarms_on(self.cloudwatch, later)}


def invoke(deployed: Deployed, function: str, event: dict[str, Any] | None = None) -> Any:
    answer = deployed.cloud.client("lambda").invoke(
        FunctionName=f"totes-prod-{function}", Payload=json.dumps(event or {}).encode()
    )
    return json.loads(answer["Payload"].read())


def test_every_alarm_goes_off_by_its_own_fault(deployed: Deployed) -> None:
    watch = Watch(deployed)
    every = {
        alarm["AlarmName"].removeprefix("totes-prod-") for alarm in watch.cloudwatch.describe_alarms()["MetricAlarms"]
    }
    assert watch.on() == set(), "after a good run all is quiet"
    seen: set[str] = set()

    def expect(*names: str, later: timedelta = timedelta()) -> None:
        now = watch.on(later)
        assert set(names) <= now, f"{names} are not among {now}"
        assert now - seen - set(names) == set(), f"{now - set(names)} are on without a fault of theirs"
        seen.update(names)

    source, warehouse = deployed.cloud.source_uri, deployed.cloud.warehouse_uri

    # A row that cannot become a star row; the alarm stays while it waits, and goes when it is mended.
    execute(source, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 3")
    deployed.run()
    expect("quarantine")

    # Somebody writes to the warehouse by hand.
    execute(warehouse, "UPDATE fact_payment SET payment_amount = 0 WHERE payment_id = 5")
    assert not invoke(deployed, "verify_warehouse")["equal"]
    expect("verify-difference")

    # The source no longer has the shape that totes reads.
    execute(source, "ALTER TABLE design RENAME TO drawing")
    assert deployed.totes("run").code == 1
    expect("run-failed", "function-error-raw_data_to_ingestion_bucket")
    execute(source, "ALTER TABLE drawing RENAME TO design")

    # Each of the other functions fails where what it needs is gone.
    execute(warehouse, "REVOKE CONNECT ON DATABASE warehouse FROM PUBLIC, totes_warehouse")
    for function in ("processed_bucket_to_warehouse", "verify_warehouse"):
        assert "errorType" in invoke(deployed, function)
        expect(f"function-error-{function}")
    execute(warehouse, "GRANT CONNECT ON DATABASE warehouse TO totes_warehouse")
    _take_away_what_transform_reads(deployed)
    assert "errorType" in invoke(deployed, "ingestion_to_processed_bucket")
    expect("function-error-ingestion_to_processed_bucket")
    _put_what_is_no_manifest(deployed)
    assert "errorType" in invoke(deployed, "sweep_ingestion_bucket")
    expect("function-error-sweep_ingestion_bucket")
    secrets = deployed.cloud.client("secretsmanager")
    [master] = [each["ARN"] for each in secrets.list_secrets()["SecretList"] if each["Name"].startswith("rds!")]
    secrets.put_secret_value(SecretId=master, SecretString='{"username": "nobody", "password": "nothing"}')
    assert "errorType" in invoke(deployed, "prepare_warehouse")
    expect("function-error-prepare_warehouse")

    # A password that the database does not know cannot be rotated.
    execute(warehouse, "ALTER ROLE totes_warehouse PASSWORD 'changed by hand'")
    for step in ("createSecret", "setSecret"):
        invoke(
            deployed,
            "rotate_database_login",
            {"Step": step, "SecretId": "totes/prod/warehouse", "ClientRequestToken": "0" * 32},
        )
    expect("rotation-failed")

    _as_aws_tells(deployed, watch.cloudwatch)
    expect(
        "dead-letters", "run-throttled", "run-timed-out", *(name for name in every if name.startswith("function-slow"))
    )

    # An hour in which nothing happens at all.
    assert watch.on(later=AN_HOUR) == {"no-success", "lag"}
    seen |= {"no-success", "lag"}
    assert seen == every


def test_a_quarantine_that_is_mended_is_quiet_again(deployed: Deployed) -> None:
    watch = Watch(deployed)
    execute(deployed.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 3")
    deployed.run()
    execute(
        deployed.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = '2024-11-20' WHERE sales_order_id = 3"
    )
    deployed.run()
    assert value(deployed.cloud.warehouse_uri, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 0
    [alarm] = watch.cloudwatch.describe_alarms(AlarmNames=["totes-prod-quarantine"])["MetricAlarms"]
    points = watch.cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=datetime.now(UTC) - AN_HOUR,
        EndTime=datetime.now(UTC) + timedelta(seconds=1),
        Period=1,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert max(points, key=lambda point: point["Timestamp"])["Maximum"] == 0


def _take_away_what_transform_reads(deployed: Deployed) -> None:
    """A batch that waits, and whose objects are gone."""
    execute(deployed.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 2")
    invoke(deployed, "raw_data_to_ingestion_bucket")
    client, bucket = _ingestion(deployed)
    newest = max(each["Key"] for each in client.list_objects_v2(Bucket=bucket, Prefix="batches/")["Contents"])
    client.delete_object(Bucket=bucket, Key=newest)


def _put_what_is_no_manifest(deployed: Deployed) -> None:
    client, bucket = _ingestion(deployed)
    client.put_object(Bucket=bucket, Key="manifests/of-somebody-else.txt", Body=b"?")


def _ingestion(deployed: Deployed) -> tuple[Any, str]:
    client = deployed.cloud.client("s3")
    [bucket] = [each["Name"] for each in client.list_buckets()["Buckets"] if "ingestion" in each["Name"]]
    return client, bucket


def _as_aws_tells(deployed: Deployed, cloudwatch: Any) -> None:
    """What EventBridge Scheduler, Step Functions and Lambda say of faults that cannot be made here."""
    queue = deployed.cloud.client("sqs").get_queue_url(QueueName="totes-prod-dead-letters")["QueueUrl"]
    deployed.cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    [machine] = deployed.cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    of_machine = {"StateMachineArn": machine["stateMachineArn"]}
    functions = deployed.cloud.client("lambda").list_functions()["Functions"]
    told = [
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "totes-prod-dead-letters"}, 1),
        ("AWS/States", "ExecutionThrottled", of_machine, 1),
        ("AWS/States", "ExecutionsTimedOut", of_machine, 1),
        *(
            ("AWS/Lambda", "Duration", {"FunctionName": each["FunctionName"]}, each["Timeout"] * 1000 - 1)
            for each in functions
        ),
    ]
    for namespace, name, dimensions, number in told:
        cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Value": number,
                    "Timestamp": datetime.now(UTC),
                    "Dimensions": [{"Name": each, "Value": said} for each, said in dimensions.items()],
                }
            ],
        )
