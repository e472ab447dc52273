import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from costs.prices import DATABASE_GIB
from stacks import config
from stacks.constructs.own_warehouse import Limits
from stacks.constructs.watched import WatchedPipeline
from stacks.settings.databases import OwnDatabase
from tests.support.templates import ADDRESS, Synthesised, production, synthesise, synthesise_foundations
from totes import telemetry
from totes.lake.audit import NIGHTS

FUNCTIONS = (
    *("raw_data_to_ingestion_bucket", "ingestion_to_processed_bucket", "processed_bucket_to_warehouse"),
    *("publish_snapshot", "verify_warehouse", "sweep_ingestion_bucket", "audit_lake", "fetch_exchange_rates"),
)
OF_THE_WAREHOUSE = ("warehouse-storage", "warehouse-memory", "warehouse-connections", "warehouse-cpu-credits")


def of_people(synthesised: Synthesised) -> dict[str, dict[str, Any]]:
    """The alarms that somebody gets, by logical id; one of the network stack's own reboots a NAT instance."""
    resources = synthesised.templates["watch"]["Resources"].items()
    return {logical_id: each for logical_id, each in resources if each["Type"] == "AWS::CloudWatch::Alarm"}


def alarms(synthesised: Synthesised) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by their names without the environment's."""
    found = [each["Properties"] for each in of_people(synthesised).values()]
    return {each["AlarmName"].removeprefix(f"totes-{synthesised.name}-"): each for each in found}


def anchors(root: Path) -> set[str]:
    headings = re.findall(r"^## (.+)$", (root / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)
    return {heading.lower().replace(" ", "-") for heading in headings}


def test_there_is_an_alarm_for_everything_that_somebody_must_know(prod: Synthesised) -> None:
    assert set(alarms(prod)) >= {
        *("run-failed", "run-timed-out", "run-throttled", "no-success", "dead-letters"),
        *("lag", "quarantine", "verify-difference", "no-verification", "rotation-failed", "rotation-overdue"),
        *("lake-audit", "no-lake-audit", "no-sweep", "snapshot-late", "rates-late"),
        *(f"function-{kind}-{function}" for kind in ("slow", "throttled") for function in FUNCTIONS),
        *OF_THE_WAREHOUSE,
    }


def test_a_warehouse_that_is_somebody_elses_is_watched_by_them(local: Synthesised) -> None:
    assert not set(OF_THE_WAREHOUSE) & set(alarms(local))


def test_the_warehouse_is_watched_at_its_own_size(dev: Synthesised, prod: Synthesised) -> None:
    gib = 1024**3
    for environment, memory, connections in ((dev, 1 * gib, 56), (prod, 2 * gib, 112)):
        found = {name: alarms(environment)[name] for name in OF_THE_WAREHOUSE}
        assert {name: alarm["Threshold"] for name, alarm in found.items()} == {
            "warehouse-storage": 20 * gib * 9 / 100,
            "warehouse-memory": memory / 20,
            "warehouse-connections": connections,
            "warehouse-cpu-credits": 1,
        }
        for alarm in found.values():
            [dimension] = alarm["Dimensions"]
            assert environment.said(dimension["Value"]) == "<OwnWarehouseInstance>"


@pytest.mark.parametrize(("instance_type", "connections"), [("m6g.2xlarge", 1_802), ("m6g.4xlarge", 3_333)])
def test_a_large_warehouse_is_told_of_before_the_most_connections_that_rds_gives(
    instance_type: str, connections: int
) -> None:
    database = OwnDatabase(instance_type=instance_type, multi_az=False, backup_days=1)
    assert Limits.of(database).connections == connections, "RDS gives 5,000 and no more, whatever the memory"


def test_rates_of_which_no_age_is_too_much_have_no_alarm(store: Path) -> None:
    environment = production()
    assert environment.rates is not None
    aged = dataclasses.replace(environment, rates=dataclasses.replace(environment.rates, late_days=None))
    assert "rates-late" not in alarms(synthesise(aged, store))


@pytest.mark.parametrize(
    ("storage_gib", "most_storage_gib", "free_gib"), [(20, 200, 1.8), (100, 200, 9), (180, 200, 10), (200, 200, 10)]
)
def test_a_disk_that_cannot_grow_is_told_of_while_there_is_room_and_one_that_can_is_not(
    storage_gib: int, most_storage_gib: int, free_gib: float
) -> None:
    database = OwnDatabase(
        instance_type="t4g.micro",
        multi_az=False,
        backup_days=1,
        storage_gib=storage_gib,
        most_storage_gib=most_storage_gib,
    )
    free = Limits.of(database).free_storage_bytes
    assert free == pytest.approx(free_gib * 1024**3)
    assert free < storage_gib * 1024**3 / 10, "RDS lets a disk grow that has less than a tenth free"


@pytest.mark.parametrize("unknown", ["t4g.nano", "x2g.large", "r6g"])
def test_a_warehouse_of_unknown_memory_is_refused(unknown: str, store: Path) -> None:
    odd = OwnDatabase(instance_type=unknown, multi_az=False, backup_days=1)
    with pytest.raises(ValueError, match=f"how much memory an instance_type '{unknown}' has"):
        synthesise_foundations(dataclasses.replace(config.named("dev"), warehouse=odd), store)


@pytest.mark.parametrize("priced", DATABASE_GIB)
def test_a_warehouse_may_be_any_that_the_table_of_costs_has_and_has_the_memory_that_stands_there(priced: str) -> None:
    database = OwnDatabase(instance_type=priced.removeprefix("db."), multi_az=False, backup_days=1)
    assert Limits.of(database).free_memory_bytes == DATABASE_GIB[priced] * 1024**3 / 20


def test_an_error_that_is_tried_again_wakes_nobody(prod: Synthesised) -> None:
    of_errors = {name for name, alarm in alarms(prod).items() if alarm["MetricName"] == "Errors"}
    assert of_errors == {"rotation-failed"}, "a run's failure and a night's have alarms of their own"


def test_a_run_that_steps_back_is_no_success(prod: Synthesised) -> None:
    alarm = alarms(prod)["no-success"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("totes", "QuarantinedRows"), "only a load that ends says it"
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("SampleCount", "LessThanThreshold")


def test_what_was_found_once_stays_until_it_is_measured_again(prod: Synthesised) -> None:
    kept = {name for name, alarm in alarms(prod).items() if alarm["TreatMissingData"] == "ignore"}
    assert kept == {"quarantine", "verify-difference", "rotation-failed", "rotation-overdue"}


def test_a_password_that_is_not_rotated_is_told_of_whatever_becomes_of_another(synthesised: Synthesised) -> None:
    """One function rotates all, so its errors are set back by the good rotation of another login."""
    alarm = alarms(synthesised)["rotation-overdue"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("totes", "RotationsOverdue", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["EvaluationPeriods"] == 1
    assert "whichever login" in alarms(synthesised)["rotation-failed"]["AlarmDescription"]


def test_a_night_without_its_work_is_noticed_within_what_cloudwatch_looks_at(prod: Synthesised) -> None:
    for name in ("no-verification", "no-lake-audit", "no-sweep"):
        alarm = alarms(prod)[name]
        seconds = alarm["Period"] * alarm["EvaluationPeriods"]
        assert 24 * 3600 < seconds <= 7 * 24 * 3600
        assert alarm["Period"] >= 3600, "of a shorter one CloudWatch looks at a day at most"


def test_what_one_night_in_seven_finds_is_reported_until_its_turn_comes_again(prod: Synthesised) -> None:
    """CloudWatch looks at a week at most where a period is an hour or longer.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    alarm = alarms(prod)["lake-audit"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == NIGHTS * 24 * 3600 == 7 * 24 * 3600
    assert (alarm["DatapointsToAlarm"], alarm["TreatMissingData"]) == (1, "notBreaching")


def test_every_alarm_ends_in_its_line_of_the_runbook(synthesised: Synthesised, root: Path) -> None:
    for alarm in (each["Properties"] for each in synthesised.resources("AWS::CloudWatch::Alarm").values()):
        name = alarm["AlarmName"]
        anchor = re.fullmatch(r".+ What to do: docs/runbook\.md#([a-z-]+)", alarm["AlarmDescription"])
        assert anchor, name
        assert anchor[1] in anchors(root), name


def test_every_line_of_the_runbook_is_some_alarms(prod: Synthesised, root: Path) -> None:
    every = [each["Properties"] for each in prod.resources("AWS::CloudWatch::Alarm").values()]
    named = {alarm["AlarmDescription"].rsplit("#", maxsplit=1)[1] for alarm in every}
    assert anchors(root) - named == {"into-the-warehouse", "schedules", "put-back-what-was-changed", "disasters"}


def test_every_alarm_tells_the_topic_when_it_goes_off_and_when_all_is_well(synthesised: Synthesised) -> None:
    for name, alarm in alarms(synthesised).items():
        for word in ("AlarmActions", "OKActions"):
            assert [synthesised.said(action) for action in alarm[word]] == ["<Topic>"], (name, word)


def test_where_silence_means_trouble_it_is_taken_for_trouble(prod: Synthesised) -> None:
    breaching = {name for name, alarm in alarms(prod).items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {
        "no-success",
        "lag",
        "snapshot-late",
        "no-verification",
        "no-lake-audit",
        "no-sweep",
        "rates-late",
    }
    for name in ("no-success", "lag", "snapshot-late"):
        assert alarms(prod)[name]["EvaluationPeriods"] == 3


def test_where_runs_are_rare_the_warehouse_may_lag_for_three_of_them(prod: Synthesised, store: Path) -> None:
    alarm = alarms(prod)["lag"]
    assert (alarm["Period"], alarm["Threshold"]) == (5 * 60, 15 * 60)

    rare = dataclasses.replace(config.named("dev"), tick_minutes=30)
    found = alarms(synthesise(rare, store))
    assert (found["lag"]["Period"], found["lag"]["Threshold"]) == (30 * 60, 90 * 60)
    assert "more than 90 minutes behind the source" in found["lag"]["AlarmDescription"]
    for name in ("no-success", "lag", "snapshot-late"):
        assert found[name]["Period"] == 30 * 60, f"{name} would take the time between two runs for silence"


def test_what_is_never_started_is_never_late(local: Synthesised) -> None:
    late = {"no-success", "lag", "snapshot-late", "no-verification", "no-lake-audit", "no-sweep", "rates-late"}
    assert not late & set(alarms(local))


def test_slow_is_four_fifths_of_the_time_that_a_function_may_take(prod: Synthesised) -> None:
    for function in FUNCTIONS:
        alarm = alarms(prod)[f"function-slow-{function}"]
        timeout = prod.function(function)["Timeout"]
        assert alarm["Threshold"] == timeout * 1000 * 0.8
        assert alarm["DatapointsToAlarm"] == 1
        assert alarm["Period"] * (alarm["EvaluationPeriods"] - 1) >= timeout, "what is told at its end is of its begin"


def test_a_run_that_fails_slowly_is_one_alarm_and_not_one_at_each_failure(prod: Synthesised) -> None:
    """Until a function is out of time or has waited for a lock five times, ticks step back and fail no more."""
    alarm = alarms(prod)["run-failed"]
    longest = max(prod.function(name)["Timeout"] for name in FUNCTIONS[:3])
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["Period"] * (alarm["EvaluationPeriods"] - 1) >= longest + 5 * 120, "and five times a lock's timeout"


def test_the_topic_tells_the_environments_address(prod: Synthesised) -> None:
    told = prod.resources("AWS::SNS::Subscription")
    assert [(each["Properties"]["Protocol"], each["Properties"]["Endpoint"]) for each in told.values()] == [
        ("email", ADDRESS)
    ]


def test_an_environment_that_tells_nobody_says_so_at_every_synth(dev: Synthesised) -> None:
    report = (dev.folder / "validation-report.json").read_text()
    assert "dev has no alarm_email: nobody would be told" in report


def test_the_topic_hears_the_alarms_of_its_own_account_and_all_others_by_tls_only(synthesised: Synthesised) -> None:
    [policy] = synthesised.resources("AWS::SNS::TopicPolicy").values()
    denial, alarms = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (alarms["Effect"], alarms["Action"]) == ("Allow", "sns:Publish")
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert synthesised.said(alarms["Resource"]) == "<Topic>"
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_operations_dashboard_shows_every_alarm_and_every_metric(prod: Synthesised) -> None:
    [dashboard] = prod.resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    for logical_id in of_people(prod):
        assert logical_id in body
    for metric in telemetry.METRICS:
        assert metric in body


def test_what_is_said_by_table_or_function_is_no_metric_of_ours_on_the_dashboard(prod: Synthesised) -> None:
    """The loader's log has the rows, and Lambda measures durations for nothing."""
    [dashboard] = prod.resources("AWS::CloudWatch::Dashboard").values()
    body = prod.said(dashboard["Properties"]["DashboardBody"])
    assert body.count('"totes","') == body.count(f'"{telemetry.SERVICE}","totes-prod"')
    assert "/aws/lambda/totes-prod-processed_bucket_to_warehouse" in body
    assert f"filter message = '{telemetry.ROWS_LOADED}'" in body
    for function in prod.resources("AWS::Lambda::Function").values():
        name = function["Properties"]["FunctionName"].removeprefix("totes-prod-")
        assert f"100 * {name} / {function['Properties']['Timeout'] * 1000}" in body


def test_a_function_that_the_pipeline_does_not_have_is_named() -> None:
    pipeline = WatchedPipeline(state_machine="totes-dev", dead_letters="totes-dev-dead-letters", functions=())
    with pytest.raises(ValueError, match="the pipeline has no function audit_lake"):
        pipeline.named("audit_lake")
