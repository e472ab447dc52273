"""Each alarm goes off by what the deployed functions and state machine really emit when that very fault is made.

What the local cloud cannot come to by itself (a queue that EventBridge Scheduler fills, a run held back, a function at
its limit of fifteen minutes, a rotation that is late) reaches the alarm as in AWS.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from command_line.deployment import Deployment
from costs.assumptions import METRIC_MONTHS
from local_cloud.alarm_states import alarms_on
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.databases import execute, value
from totes import telemetry

AN_HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)
AS_IN_AWS = Path(__file__).parents[1] / "infrastructure" / "snapshots" / "prod" / "watch.json"
NO_MANIFEST = "manifests/of-somebody-else.txt"


@pytest.fixture(scope="module")
def deployed(production: Deployed) -> Deployed:
    """Production's stacks, with a shop in the source and a run done."""
    build(production.cloud.source_uri, orders=30, seed=4)
    production.run()
    assert invoke(production, "verify_warehouse")["equal"]
    audited = invoke(production, "audit_lake", {"day": 0})
    assert (audited["batches"], audited["found"]) == (1, 0)
    assert "errorType" not in (invoke(production, "sweep_ingestion_bucket") or {})
    return production


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


def hand(deployed: Deployed, function: str) -> None:
    """Hand a function an event, as EventBridge Scheduler does; nobody waits for what comes of it."""
    deployed.cloud.client("lambda").invoke(FunctionName=f"totes-prod-{function}", InvocationType="Event", Payload=b"{}")


def dead_letters(deployed: Deployed) -> str:
    [queue] = deployed.cloud.client("sqs").list_queues()["QueueUrls"]
    return str(queue)


def failed_at_each_attempt(deployed: Deployed, count: int) -> set[str]:
    """The functions of so many dead letters; they stay where they are."""
    sqs, functions = deployed.cloud.client("sqs"), set[str]()
    deadline = time.monotonic() + 60
    while len(functions) < count and time.monotonic() < deadline:
        messages = sqs.receive_message(
            QueueUrl=dead_letters(deployed), WaitTimeSeconds=1, VisibilityTimeout=0, MaxNumberOfMessages=10
        )
        for message in messages.get("Messages", []):
            record = json.loads(message["Body"])
            assert record["requestContext"]["approximateInvokeCount"] == 3
            functions.add(record["requestContext"]["functionArn"].rpartition("totes-prod-")[2])
    return functions


def secret_of(deployed: Deployed, role: str) -> str:
    return Deployment.local(deployed.state).outputs[f"{role}SecretArn"]


def _rotate_in_vain(deployed: Deployed) -> None:
    for step in ("createSecret", "setSecret"):
        invoke(
            deployed,
            "rotate_database_login",
            {"Step": step, "SecretId": secret_of(deployed, "Warehouse"), "ClientRequestToken": "0" * 32},
        )


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

    # Two days of 2024 are all that the local cloud has, so rates that are late wake nobody there.
    assert invoke(deployed, "fetch_exchange_rates") == {"days": 2, "newest": "2024-03-05", "failed": ""}

    # A row that cannot become a star row; the alarm stays while it waits, and goes when it is fixed.
    execute(source, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 3")
    deployed.run()
    expect("quarantine")

    # Somebody writes to the warehouse by hand.
    execute(warehouse, "UPDATE fact_payment SET payment_amount = 0 WHERE payment_id = 5")
    assert not invoke(deployed, "verify_warehouse")["equal"]
    expect("verify-difference")

    # Something of the lake is not what was written.
    with other_bytes_in_the_lake(deployed) as place:
        [finding] = invoke(deployed, "audit_lake", {"day": 0, "every": 1})["findings"]
        assert finding.startswith(f"{place} is not the object that its manifest names")
    expect("lake-audit")

    # The source no longer has the shape that totes reads.
    execute(source, "ALTER TABLE design RENAME TO drawing")
    assert deployed.totes("run").code == 1
    expect("run-failed")
    execute(source, "ALTER TABLE drawing RENAME TO design")

    # An error alone wakes nobody, for what ends in one is tried again; a night that fails at each attempt does.
    execute(warehouse, "REVOKE CONNECT ON DATABASE warehouse FROM PUBLIC, totes_warehouse")
    assert "errorType" in invoke(deployed, "processed_bucket_to_warehouse")
    expect()
    hand(deployed, "verify_warehouse")
    _put_what_is_no_manifest(deployed)
    hand(deployed, "sweep_ingestion_bucket")
    assert failed_at_each_attempt(deployed, 2) == {"verify_warehouse", "sweep_ingestion_bucket"}
    execute(warehouse, "GRANT CONNECT ON DATABASE warehouse TO totes_warehouse")

    # A password that the database does not know cannot be rotated; who asks whether it does gets an answer.
    execute(warehouse, "ALTER ROLE totes_warehouse PASSWORD 'changed by hand'")
    assert deployed.totes("secrets", "test", "warehouse").code == 1
    expect()
    _rotate_in_vain(deployed)
    expect("rotation-failed")

    _as_aws_tells(deployed, watch.cloudwatch)
    of_aws = [name for name in every if name.startswith(("function-", "warehouse-", "nat-"))]
    expect("dead-letters", "run-throttled", "run-timed-out", "rotation-overdue", *of_aws)

    # An hour in which nothing happens at all: what was found and not cured is still told.
    uncured = {"quarantine", "verify-difference", "rotation-failed", "rotation-overdue", "lake-audit"}
    assert watch.on(later=AN_HOUR) == {*uncured, "no-success", "lag", "snapshot-late"}
    silent = {"no-success", "lag", "snapshot-late", "no-verification", "no-lake-audit", "no-sweep"}
    assert watch.on(later=27 * AN_HOUR) == {*uncured, *silent}
    assert seen | silent == every
    _heal(deployed)


def test_rates_that_are_late_set_off_the_alarm_of_aws(deployed: Deployed) -> None:
    """The local cloud has rates of 2024 alone, so its stacks are without this alarm: the one of AWS is put there."""
    watch = Watch(deployed)
    resources = json.loads(AS_IN_AWS.read_text(encoding="utf-8"))["Resources"].values()
    [alarm] = [
        each["Properties"] for each in resources if each["Properties"].get("AlarmName") == "totes-prod-rates-late"
    ]
    of_it = {name: said for name, said in alarm.items() if not name.endswith("Actions")}
    watch.cloudwatch.put_metric_alarm(**of_it)
    try:
        assert "rates-late" in watch.on(later=27 * AN_HOUR), "of no rates nobody knows how old they are"
        invoke(deployed, "fetch_exchange_rates")
        deployed.run()
        assert "rates-late" in watch.on()
        said = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}
        now = datetime.now(UTC)
        [day] = watch.cloudwatch.get_metric_statistics(
            **said, StartTime=now - 24 * AN_HOUR, EndTime=now + AN_HOUR, Period=86_400 * 2, Statistics=["Maximum"]
        )["Datapoints"]
        assert day["Maximum"] > alarm["Threshold"]
        before = [datetime.now(UTC) - 7 * AN_HOUR]
        metric = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        tell(watch.cloudwatch, alarm["Namespace"], alarm["MetricName"], metric, alarm["Threshold"], before)
        assert "rates-late" not in watch.on(), "for a day they were not"
    finally:
        watch.cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"]])


def test_functions_emit_the_metrics_that_are_priced_and_no_more(deployed: Deployed) -> None:
    """After all of them have run: each metric in each of its dimensions is paid for."""
    emitted = deployed.cloud.client("cloudwatch").list_metrics(Namespace=telemetry.NAMESPACE)["Metrics"]
    found = {(each["MetricName"], *((one["Name"], one["Value"]) for one in each["Dimensions"])) for each in emitted}
    assert found == {(name, (telemetry.SERVICE, "totes-prod")) for name in METRIC_MONTHS}


def test_the_loaders_log_says_how_many_rows_came_to_which_end_as_the_operations_dashboard_asks(
    deployed: Deployed,
) -> None:
    lines = deployed.totes("local", "logs", "processed_bucket_to_warehouse", "--json").out.splitlines()
    logged = [json.loads(line) for line in lines if telemetry.ROWS_LOADED in line]
    assert "fact_sales_order" in {line["table"] for line in logged if line["message"] == telemetry.ROWS_LOADED}
    for line in logged:
        assert sum(line[outcome] for outcome in telemetry.OUTCOMES) > 0


def test_runs_that_step_back_for_one_that_hangs_are_no_success(deployed: Deployed) -> None:
    """Step Functions counts them as succeeded, three ticks long."""
    watch = Watch(deployed)
    machine = {"StateMachineArn": Deployment.local(deployed.state).outputs["StateMachineArn"]}
    later = 3 * FIVE_MINUTES
    moments = [datetime.now(UTC) + number * FIVE_MINUTES for number in (1, 2, 3)]
    tell(watch.cloudwatch, "AWS/States", "ExecutionsSucceeded", machine, 1, moments)
    assert "no-success" in watch.on(later + timedelta(seconds=30))


def test_a_quarantine_that_is_empty_again_is_quiet_again(deployed: Deployed) -> None:
    watch = Watch(deployed)
    execute(deployed.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 3")
    deployed.run()
    execute(
        deployed.cloud.source_uri, "UPDATE sales_order SET agreed_delivery_date = '2024-11-20' WHERE sales_order_id = 3"
    )
    deployed.run()
    assert value(deployed.cloud.warehouse_uri, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 0
    assert newest(watch, "quarantine") == 0


def test_a_rotation_is_overdue_until_a_comparison_finds_that_none_is(deployed: Deployed) -> None:
    """The function that compares may look at every secret that is rotated; neither a trial nor another login cures."""
    watch = Watch(deployed)
    service = {telemetry.SERVICE: "totes-prod"}
    tell(watch.cloudwatch, telemetry.NAMESPACE, telemetry.ROTATIONS_OVERDUE, service, 2, [datetime.now(UTC)])
    assert deployed.totes("secrets", "test", "source").code == 0
    assert deployed.totes("secrets", "rotate", "dashboard").code == 0
    assert newest(watch, "rotation-overdue") == 2
    execute(deployed.cloud.warehouse_uri, "REVOKE CONNECT ON DATABASE warehouse FROM PUBLIC, totes_warehouse")
    assert "errorType" in invoke(deployed, "verify_warehouse")
    assert newest(watch, "rotation-overdue") == 0, "a rotation is looked at whatever the comparison comes to"
    execute(deployed.cloud.warehouse_uri, "GRANT CONNECT ON DATABASE warehouse TO totes_warehouse")


def newest(watch: Watch, name: str) -> float:
    """What an alarm's metric has said last."""
    [alarm] = watch.cloudwatch.describe_alarms(AlarmNames=[f"totes-prod-{name}"])["MetricAlarms"]
    points = watch.cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=datetime.now(UTC) - AN_HOUR,
        EndTime=datetime.now(UTC) + timedelta(seconds=1),
        Period=1,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"])


@contextmanager
def other_bytes_in_the_lake(deployed: Deployed) -> Iterator[str]:
    """An object of the lake with as many other bytes; say which, and write it again as it was."""
    client, bucket = _ingestion(deployed)
    key = client.list_objects_v2(Bucket=bucket, Prefix="batches/0000000001/")["Contents"][0]["Key"]
    written = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.put_object(Bucket=bucket, Key=key, Body=bytes(len(written)))
    yield f"s3://{bucket}/{key}"
    client.put_object(Bucket=bucket, Key=key, Body=written)


def _put_what_is_no_manifest(deployed: Deployed) -> None:
    client, bucket = _ingestion(deployed)
    client.put_object(Bucket=bucket, Key=NO_MANIFEST, Body=b"?")


def _heal(deployed: Deployed) -> None:
    """Undo what keeps the next run from its end."""
    client, bucket = _ingestion(deployed)
    client.delete_object(Bucket=bucket, Key=NO_MANIFEST)
    secrets = deployed.cloud.client("secretsmanager")
    login = json.loads(secrets.get_secret_value(SecretId=secret_of(deployed, "Warehouse"))["SecretString"])
    execute(deployed.cloud.warehouse_uri, "ALTER ROLE totes_warehouse PASSWORD %s", [login["password"]])


def _ingestion(deployed: Deployed) -> tuple[Any, str]:
    client = deployed.cloud.client("s3")
    [bucket] = [each["Name"] for each in client.list_buckets()["Buckets"] if "ingestion" in each["Name"]]
    return client, bucket


def _as_aws_tells(deployed: Deployed, cloudwatch: Any) -> None:
    """What EventBridge Scheduler, Step Functions, Lambda, SQS and RDS say of faults that cannot be made here.

    And what a night says of a password that has not been rotated for a month.
    """
    queue = {"QueueName": dead_letters(deployed).rpartition("/")[2]}
    machine = {"StateMachineArn": Deployment.local(deployed.state).outputs["StateMachineArn"]}
    reservations = deployed.cloud.client("ec2").describe_instances()["Reservations"]
    ways_out = [each["InstanceId"] for reservation in reservations for each in reservation["Instances"]]
    instances = deployed.cloud.client("rds").describe_db_instances()["DBInstances"]
    [instance] = [each["DBInstanceIdentifier"] for each in instances]
    now = datetime.now(UTC)
    moments = [now - number * FIVE_MINUTES for number in range(3)]
    tell(cloudwatch, "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, 2, moments)
    tell(cloudwatch, "AWS/States", "ExecutionThrottled", machine, 1, moments)
    tell(cloudwatch, "AWS/States", "ExecutionsTimedOut", machine, 1, moments)
    tell(cloudwatch, telemetry.NAMESPACE, telemetry.ROTATIONS_OVERDUE, {telemetry.SERVICE: "totes-prod"}, 1, moments)
    for each in deployed.cloud.client("lambda").list_functions()["Functions"]:
        function = {"FunctionName": each["FunctionName"]}
        began = now - timedelta(seconds=each["Timeout"])  # it has just ended
        tell(cloudwatch, "AWS/Lambda", "Duration", function, each["Timeout"] * 1000 - 1, [began])
        tell(cloudwatch, "AWS/Lambda", "Throttles", function, 1, moments)
    for way_out in ways_out:
        each_minute = [now - number * timedelta(minutes=1) for number in range(6)]
        tell(cloudwatch, "AWS/EC2", "StatusCheckFailed_Instance", {"InstanceId": way_out}, 1, each_minute)
    bad = {"FreeStorageSpace": 10, "FreeableMemory": 10, "DatabaseConnections": 1000, "CPUCreditBalance": 0}
    for name, number in bad.items():
        tell(cloudwatch, "AWS/RDS", name, {"DBInstanceIdentifier": instance}, number, moments)


def tell(
    cloudwatch: Any, namespace: str, name: str, dimensions: Mapping[str, str], value: float, moments: Iterable[datetime]
) -> None:
    listed = [{"Name": each, "Value": said} for each, said in dimensions.items()]
    data = [{"MetricName": name, "Value": value, "Timestamp": moment, "Dimensions": listed} for moment in moments]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
