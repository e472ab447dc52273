"""A local cloud that stays up for days does not grow: it forgets what is oldest, by number."""

import gc
import json
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.logs.models import LogStream
from moto.s3.utils import _VersionedKeyStore
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local_cloud.endpoint import forgetting, state_machines
from local_cloud.endpoint.forgetting import newest_of_each
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _remembers_little(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of each three, and moto as it was afterwards."""
    for name in ("_EXECUTIONS", "_VALUES", "_EVENTS", "_VERSIONS"):
        monkeypatch.setattr(forgetting, name, 3)
    monkeypatch.setattr(forgetting, "_MORE", 2)
    monkeypatch.setattr(forgetting, "_AT_ONCE", 2)
    for owner, name in (
        (CloudWatchBackend, "put_metric_data"),
        (LogStream, "put_log_events"),
        (_VersionedKeyStore, "setlist"),
        (StepFunctionsParserBackend, "start_execution"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    state_machines.install()
    forgetting.install()
    with mock_aws():
        yield


def run(backend: StepFunctionsParserBackend, machine: Any, given: str) -> str:
    execution = backend.start_execution(machine.arn, None, given)
    until(lambda: execution.status != "RUNNING", pause=0.002)
    return str(execution.exec_arn)


def are_gone(executions: Sequence[weakref.ref[Any]]) -> bool:
    """Whether they take up no memory; a thread that has told the end of one may be on its way out for a moment."""
    gc.collect()
    return all(each() is None for each in executions)


def test_the_newest_of_each_kind_stay_in_their_order() -> None:
    assert newest_of_each("abacaada", str, 2) == list("bcada")


def test_the_newest_executions_of_each_way_to_end_are_remembered() -> None:
    """However many have failed since, the last success is found."""
    ways = [{"Variable": "$.to", "StringEquals": state, "Next": state} for state in ("Wait", "Fail", "End")]
    states = {
        "Which": {"Type": "Choice", "Choices": ways},
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Fail"},
        "Fail": {"Type": "Fail"},
        "End": {"Type": "Succeed"},
    }
    definition = json.dumps({"StartAt": "Which", "States": states})
    backend = StepFunctionsParserBackend("eu-west-2", "123456789012")
    machine = backend.create_state_machine("runs", definition, "arn:aws:iam::123456789012:role/any", [])
    good = [run(backend, machine, '{"to": "End"}') for _ in range(4)]
    bad = [run(backend, machine, '{"to": "Fail"}') for _ in range(3)]
    oldest = [weakref.ref(each) for each in (machine.executions[0], machine.executions[4])]
    bad += [run(backend, machine, f'{{"to": "{state}"}}') for state in ("Fail", "Wait")]
    assert [each.exec_arn for each in machine.executions] == [*good[1:], *bad[1:]], (
        "the one that began last was running"
    )
    until(lambda: are_gone(oldest))


def test_the_newest_values_of_each_metric_are_remembered() -> None:
    cloudwatch = boto3.client("cloudwatch", region_name="eu-west-2")
    for number in range(20):
        names = ("Lag", "Findings") if number == 0 else ("Lag",)
        cloudwatch.put_metric_data(
            Namespace="totes", MetricData=[{"MetricName": name, "Value": number} for name in names]
        )
    kept = cloudwatch_backends["123456789012"]["eu-west-2"].metric_data
    assert 3 <= sum(each.name == "Lag" for each in kept) <= 5
    assert [each.value for each in kept if each.name == "Lag"][-3:] == [17, 18, 19]
    assert sum(each.name == "Findings" for each in kept) == 1, "a metric of the night outlasts those of the runs"


def test_the_newest_events_of_a_log_are_remembered() -> None:
    logs = boto3.client("logs", region_name="eu-west-2")
    logs.create_log_group(logGroupName="runs")
    logs.create_log_stream(logGroupName="runs", logStreamName="one")
    now = int(time.time() * 1000)
    for number in range(20):
        logs.put_log_events(
            logGroupName="runs",
            logStreamName="one",
            logEvents=[{"timestamp": now + number, "message": str(number)}],
        )
    said = [each["message"] for each in logs.filter_log_events(logGroupName="runs")["events"]]
    assert said[-3:] == ["17", "18", "19"]
    assert len(said) <= 5


def test_the_newest_versions_of_an_object_are_remembered() -> None:
    s3 = boto3.client("s3", region_name="eu-west-2")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="lake", Key="once", Body=b"kept")
    for number in range(20):
        s3.put_object(Bucket="lake", Key="latest", Body=str(number).encode())
    versions = [each for each in s3.list_object_versions(Bucket="lake")["Versions"] if each["Key"] == "latest"]
    of_each = [s3.get_object(Bucket="lake", Key="latest", VersionId=each["VersionId"])["Body"] for each in versions]
    assert sorted(body.read() for body in of_each) == [b"17", b"18", b"19"]
    assert s3.get_object(Bucket="lake", Key="once")["Body"].read() == b"kept"
