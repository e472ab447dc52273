"""Each resource type is charged for what its template says; what cannot be told is named, never zero."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs import Estimate, TemplateResource, estimate, read_resources
from costs.assumptions import A_SMALL_SHOP, METRIC_MONTHS
from costs.prices import CUSTOM_METRIC
from totes import telemetry
from totes.errors import UserError

NIGHTS = Decimal(730) / 24


def of(*resources: TemplateResource, **use: Any) -> Estimate:
    """What these cost, used as a small shop uses them but for what is said."""
    return estimate(resources, replace(A_SMALL_SHOP, **use))


def usd(found: Estimate, kind: str) -> dict[str, Decimal]:
    """What a resource type costs, by unit."""
    return {line.charge.price.unit: round(line.charge.usd, 4) for line in found.lines if line.kind == kind}


def quantities(found: Estimate, kind: str) -> dict[str, Decimal | int]:
    """What a resource type uses, by unit."""
    return {line.charge.price.unit: line.charge.quantity for line in found.lines if line.kind == kind}


def schedule(target: str, expression: str = "rate(5 minutes)", state: str = "ENABLED") -> TemplateResource:
    return TemplateResource(
        f"ScheduleOf{target}",
        "AWS::Scheduler::Schedule",
        {"ScheduleExpression": expression, "State": state, "Target": {"Arn": {"Fn::GetAtt": [target, "Arn"]}}},
    )


def machine(*functions: str, **properties: Any) -> TemplateResource:
    definition = {"Fn::Join": ["", ["{...", *({"Fn::GetAtt": [each, "Arn"]} for each in functions), "...}"]]}
    return TemplateResource(
        "MachineAB12", "AWS::StepFunctions::StateMachine", {"DefinitionString": definition, **properties}
    )


def function(logical_id: str, name: str, **properties: Any) -> TemplateResource:
    return TemplateResource(
        logical_id,
        "AWS::Lambda::Function",
        {"FunctionName": f"totes-dev-{name}", "MemorySize": 1024, "Architectures": ["arm64"], **properties},
    )


def database(**properties: Any) -> TemplateResource:
    return TemplateResource(
        "Database",
        "AWS::RDS::DBInstance",
        {
            "Engine": "postgres",
            "DBInstanceClass": "db.t4g.micro",
            "StorageType": "gp3",
            "AllocatedStorage": "20",
            **properties,
        },
    )


def test_a_function_that_the_machine_calls_runs_as_often_as_the_machine_and_holds_its_memory() -> None:
    found = of(schedule("MachineAB12"), machine("CaptureCD34"), function("CaptureCD34", "raw_data_to_ingestion_bucket"))
    assert quantities(found, "AWS::Lambda::Function") == {"requests": 8760, "GB-seconds (arm64)": 4380}


def test_a_function_with_half_the_memory_on_x86_is_charged_for_half_the_gigabytes_at_the_price_of_x86() -> None:
    small = function("VerifyEF56", "verify_warehouse", MemorySize=512, Architectures=["x86_64"])
    found = of(schedule("VerifyEF56", "cron(7 3 * * ? *)"), small)
    used = quantities(found, "AWS::Lambda::Function")
    assert used == {"requests": NIGHTS, "GB-seconds (x86_64)": NIGHTS * 60 / 2}


def test_a_rotation_calls_its_function_four_times() -> None:
    rotation = TemplateResource(
        "Rotation",
        "AWS::SecretsManager::RotationSchedule",
        {
            "RotationLambdaARN": {"Fn::GetAtt": ["RotateGH78", "Arn"]},
            "RotationRules": {"ScheduleExpression": "rate(10 days)"},
        },
    )
    found = of(rotation, function("RotateGH78", "rotate_database_login"))
    assert quantities(found, "AWS::Lambda::Function")["requests"] == NIGHTS * 4 / 10
    assert found.free == {"AWS::SecretsManager::RotationSchedule": 1}


def test_a_function_of_which_the_seconds_are_not_assumed_is_named() -> None:
    [unknown] = of(schedule("NewIJ90"), function("NewIJ90", "new_idea")).unknown
    assert unknown.logical_id == "NewIJ90"
    assert "costs/assumptions.py has no seconds a run for totes-dev-new_idea" in unknown.reason


def test_a_function_that_nothing_is_seen_to_call_is_named() -> None:
    [unknown] = of(function("VerifyEF56", "verify_warehouse")).unknown
    assert (unknown.kind, unknown.reason) == (
        "AWS::Lambda::Function",
        "nothing in the templates is seen to call it",
    )


def test_state_transitions_follow_the_schedule_and_traces_only_if_the_machine_is_traced() -> None:
    found = of(schedule("MachineAB12", "rate(10 minutes)"), machine(TracingConfiguration={"Enabled": True}))
    assert usd(found, "AWS::StepFunctions::StateMachine") == {
        "state transitions": Decimal("1.3140"),
        "traces": Decimal("0.0219"),
    }
    assert "traces" not in usd(of(schedule("MachineAB12"), machine()), "AWS::StepFunctions::StateMachine")


def test_a_disabled_schedule_starts_nothing() -> None:
    found = of(schedule("MachineAB12", state="DISABLED"), machine())
    assert usd(found, "AWS::StepFunctions::StateMachine") == {"state transitions": 0}
    assert found.unknown == []


def test_a_schedule_that_cannot_be_counted_leaves_what_it_starts_unknown_too() -> None:
    found = of(schedule("MachineAB12", "cron(0 0 L * ? *)"), machine(), TemplateResource("Lake", "AWS::S3::Bucket", {}))
    assert {each.logical_id for each in found.unknown} == {"ScheduleOfMachineAB12", "MachineAB12", "Lake"}


def test_an_express_workflow_is_named() -> None:
    [unknown] = of(schedule("MachineAB12"), machine(StateMachineType="EXPRESS")).unknown
    assert "standard workflow" in unknown.reason


def test_buckets_and_secrets_are_used_in_each_tick() -> None:
    resources = (
        TemplateResource("Lake", "AWS::S3::Bucket", {}),
        TemplateResource("Login", "AWS::SecretsManager::Secret", {}),
    )
    still = of(*resources)
    ticking = of(*resources, schedule("MachineAB12"), machine())
    assert usd(still, "AWS::S3::Bucket") == {
        "GB-months": Decimal("0.24"),
        "PUT and LIST requests": 0,
        "GET requests": 0,
    }
    assert usd(ticking, "AWS::S3::Bucket") == {
        "GB-months": Decimal("0.24"),
        "PUT and LIST requests": Decimal("0.2089"),
        "GET requests": Decimal("0.0074"),
    }
    assert usd(ticking, "AWS::SecretsManager::Secret") == {"secrets": Decimal("0.4"), "calls": Decimal("0.0438")}


LAKE = TemplateResource("Lake", "AWS::S3::Bucket", {})
SNAPSHOTS = TemplateResource("Snapshots", "AWS::S3::Bucket", {"CorsConfiguration": {}})


def requests(*resources: TemplateResource, **use: Any) -> tuple[Decimal | int, Decimal | int]:
    """Writes and reads of buckets in a month of 8,760 ticks."""
    found = quantities(of(*resources, schedule("MachineAB12"), machine(), **use), "AWS::S3::Bucket")
    return found["PUT and LIST requests"], found["GET requests"]


def test_both_buckets_of_the_lake_together_are_asked_what_a_tick_asks() -> None:
    assert requests(LAKE, LAKE) == (8760 * 9, 8760 * 4)


def test_a_tick_that_brings_a_batch_asks_the_lake_for_more() -> None:
    assert requests(LAKE, LAKE, changed=Decimal("0.5")) == (8760 * (9 + 20 / 2), 8760 * (4 + 30 / 2))


def test_a_seventh_of_the_batches_are_looked_at_every_night() -> None:
    writes, reads = requests(LAKE, LAKE, batches=Decimal(70_000))
    assert float(writes - 8760 * 9) == pytest.approx(float(NIGHTS) * 10_000 * 0.07)
    assert reads - 8760 * 4 == NIGHTS * 10_000 * Decimal("2.3")


def test_a_publication_asks_the_dashboards_bucket_for_more_than_a_tick_without() -> None:
    writes, reads = requests(SNAPSHOTS)
    assert writes == 8760
    more = requests(SNAPSHOTS, published=Decimal("0.5"))
    assert more == (writes + 8760 * 19 / Decimal(2), reads + 8760 / Decimal(2))
    assert requests(SNAPSHOTS, changed=Decimal(1)) == (writes, reads)


def test_a_log_group_costs_what_is_written_to_it_and_what_its_retention_keeps() -> None:
    logs = TemplateResource("LogsKL12", "AWS::Logs::LogGroup", {"RetentionInDays": 365})
    writer = function("VerifyEF56", "verify_warehouse", LoggingConfig={"LogGroup": {"Ref": "LogsKL12"}})
    used = quantities(of(logs, writer, schedule("VerifyEF56", "rate(1 minute)")), "AWS::Logs::LogGroup")
    assert round(used["GB ingested"], 4) == Decimal("0.6683")
    assert round(used["GB-months kept"] / used["GB ingested"], 6) == 12


def test_a_log_group_that_keeps_for_ever_or_that_nothing_is_seen_to_write_to_is_named() -> None:
    forever = TemplateResource("Forever", "AWS::Logs::LogGroup", {})
    lonely = TemplateResource("Lonely", "AWS::Logs::LogGroup", {"RetentionInDays": 7})
    reasons = {each.logical_id: each.reason for each in of(forever, lonely).unknown}
    assert "for ever" in reasons["Forever"]
    assert "seen to write to it" in reasons["Lonely"]


def test_an_alarm_costs_each_metric_that_it_watches_and_more_if_it_looks_more_often_than_every_minute() -> None:
    plain = TemplateResource("Plain", "AWS::CloudWatch::Alarm", {"MetricName": "Errors", "Period": 300})
    fast = TemplateResource("Fast", "AWS::CloudWatch::Alarm", {"MetricName": "Errors", "Period": 10})
    two = TemplateResource(
        "Two",
        "AWS::CloudWatch::Alarm",
        {"Metrics": [{"Expression": "a+b"}, {"MetricStat": {"Period": 60}}, {"MetricStat": {"Period": 60}}]},
    )
    assert usd(of(plain, fast, two), "AWS::CloudWatch::Alarm") == {
        "alarm metrics": Decimal("0.3"),
        "alarm metrics under a minute": Decimal("0.3"),
    }


def test_an_alarm_on_an_anomaly_is_named() -> None:
    band = {"Expression": "ANOMALY_DETECTION_BAND(m1, 2)"}
    [unknown] = of(TemplateResource("Odd", "AWS::CloudWatch::Alarm", {"Metrics": [band]})).unknown
    assert unknown.logical_id == "Odd"


@pytest.mark.parametrize(
    ("kind", "costs"),
    [
        ("AWS::CloudWatch::Dashboard", {"dashboards": "3"}),
        ("AWS::SNS::Topic", {"e-mails": "0.002"}),
        ("AWS::SQS::Queue", {"requests": "0.0004"}),
        ("AWS::EC2::NatGateway", {"hours": "36.5", "GB processed": "0.25"}),
        ("AWS::EC2::EIP", {"hours": "3.65"}),
    ],
)
def test_what_costs_the_same_whatever_its_properties(kind: str, costs: dict[str, str]) -> None:
    assert usd(of(TemplateResource("It", kind, {})), kind) == {unit: Decimal(cost) for unit, cost in costs.items()}


def instance(**properties: Any) -> TemplateResource:
    disk = {"Ebs": {"VolumeType": "gp3", "VolumeSize": 8}}
    return TemplateResource(
        "Nat", "AWS::EC2::Instance", {"InstanceType": "t4g.nano", "BlockDeviceMappings": [disk], **properties}
    )


def test_an_instance_costs_its_hours_its_disk_and_an_address_of_its_own() -> None:
    plain = {"hours of t4g.nano": Decimal("3.431"), "GB-months (gp3)": Decimal("0.7424")}
    assert usd(of(instance()), "AWS::EC2::Instance") == plain
    public = instance(NetworkInterfaces=[{"AssociatePublicIpAddress": True}])
    assert usd(of(public), "AWS::EC2::Instance") == {**plain, "hours": Decimal("3.65")}


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"InstanceType": "x9.huge"}, "no price of x9.huge"),
        ({"Monitoring": True}, "detailed monitoring"),
        ({"BlockDeviceMappings": []}, "stands in no template"),
        ({"BlockDeviceMappings": [{"Ebs": {"VolumeType": "io2", "VolumeSize": 8}}]}, "only a disk of gp3"),
        ({"BlockDeviceMappings": [{"Ebs": {"VolumeType": "gp3"}}]}, "VolumeSize is no number"),
    ],
)
def test_an_instance_without_a_price_is_named_with_the_reason(properties: dict[str, Any], reason: str) -> None:
    [unknown] = of(instance(**properties)).unknown
    assert reason in unknown.reason


def test_an_operations_dashboard_costs_what_its_queries_of_logs_scan() -> None:
    widgets = {"widgets": [{"type": "metric"}, {"type": "log"}, {"type": "log"}]}
    body = {"Fn::Join": ["", [json.dumps(widgets, separators=(",", ":")), {"Ref": "Alarm"}]]}
    board = TemplateResource("Board", "AWS::CloudWatch::Dashboard", {"DashboardBody": body})
    assert quantities(of(board), "AWS::CloudWatch::Dashboard") == {"dashboards": 1, "GB scanned": Decimal(2)}


def test_an_interface_endpoint_costs_its_hours_in_each_zone_and_a_gateway_nothing() -> None:
    interface = TemplateResource(
        "Secrets", "AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": [{"Ref": "A"}, {"Ref": "B"}]}
    )
    gateway = TemplateResource("S3", "AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})
    found = of(interface, gateway)
    assert usd(found, "AWS::EC2::VPCEndpoint") == {"hours in a zone": Decimal("16.06"), "GB processed": Decimal("0.01")}
    assert found.free == {"AWS::EC2::VPCEndpoint": 1}


def test_a_database_in_two_zones_costs_twice_its_instance_and_its_storage() -> None:
    one = usd(of(database()), "AWS::RDS::DBInstance")
    assert one == {"hours of db.t4g.micro": Decimal("13.14"), "GB-months (gp3)": Decimal("2.66")}
    assert usd(of(database(MultiAZ=True)), "AWS::RDS::DBInstance") == {unit: cost * 2 for unit, cost in one.items()}


def test_the_secret_that_rds_keeps_the_masters_password_in_costs_what_any_other_does() -> None:
    kept = usd(of(database(ManageMasterUserPassword=True, MultiAZ=True)), "AWS::RDS::DBInstance")
    assert kept["secrets"] == Decimal("0.4")
    assert "secrets" not in usd(of(database(ManageMasterUserPassword=False)), "AWS::RDS::DBInstance")


def test_the_source_goes_through_one_of_the_gateways_every_night() -> None:
    gateways = [TemplateResource(f"Nat{zone}", "AWS::EC2::NatGateway", {}) for zone in "AB"]
    used = [quantities(of(*gateways, gb_a_night=Decimal(night)), "AWS::EC2::NatGateway") for night in (0, 12)]
    assert used[1]["GB processed"] - used[0]["GB processed"] == NIGHTS * 12


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"DBInstanceClass": "db.r9z.huge"}, "no price of db.r9z.huge"),
        ({"Engine": "mysql"}, "only PostgreSQL on gp3"),
        ({"StorageType": "io2"}, "only PostgreSQL on gp3"),
        ({"Iops": 20000}, "only PostgreSQL on gp3"),
        ({"AllocatedStorage": {"Ref": "Size"}}, "AllocatedStorage is no number in the template"),
    ],
)
def test_a_database_without_a_price_is_named_with_the_reason(properties: dict[str, Any], reason: str) -> None:
    found = of(database(**properties))
    [unknown] = found.unknown
    assert reason in unknown.reason
    assert usd(found, "AWS::RDS::DBInstance") == {}


def test_an_unknown_type_is_named_and_not_counted_as_free() -> None:
    found = of(TemplateResource("Robot", "AWS::RoboMaker::Robot", {}), TemplateResource("Role", "AWS::IAM::Role", {}))
    [unknown] = found.unknown
    assert (unknown.kind, unknown.logical_id) == ("AWS::RoboMaker::Robot", "Robot")
    assert found.free == {"AWS::IAM::Role": 1}
    assert found.to_dict()["unknown"][0]["kind"] == "AWS::RoboMaker::Robot"


def graph_of(*metrics: str) -> TemplateResource:
    """An operations dashboard with a graph of these metrics."""
    said = [["totes", name, "service", "totes-dev"] for name in metrics]
    widgets = {"widgets": [{"type": "metric", "properties": {"title": "Drift", "metrics": said}}]}
    body = {"Fn::Join": ["", [json.dumps(widgets, separators=(",", ":")), {"Ref": "AWS::Region"}]]}
    return TemplateResource("Board", "AWS::CloudWatch::Dashboard", {"DashboardBody": body})


def test_the_total_is_the_sum_of_the_lines() -> None:
    found = of(database(), TemplateResource("Address", "AWS::EC2::EIP", {}), graph_of(telemetry.LAG))
    assert found.usd == Decimal("13.14") + Decimal("2.66") + Decimal("3.65") + Decimal(3) + CUSTOM_METRIC.usd


def test_a_metric_is_paid_for_by_the_hours_in_which_it_is_sent() -> None:
    [line] = [line for line in of(graph_of(*METRIC_MONTHS)).lines if line.kind == "custom metrics"]
    nightly = 3
    assert line.count == len(METRIC_MONTHS)
    assert 24 * line.charge.quantity == pytest.approx((len(METRIC_MONTHS) - nightly) * 24 + nightly)


def test_a_metric_that_no_alarm_and_no_graph_names_is_not_sent_and_not_paid_for() -> None:
    assert quantities(of(), "custom metrics") == {}
    alarm = TemplateResource("Late", "AWS::CloudWatch::Alarm", {"MetricName": telemetry.RATES_AGE, "Period": 300})
    found = of(alarm, graph_of(telemetry.LAG, telemetry.RATES_AGE))
    assert quantities(found, "custom metrics") == {"metrics": 2}


def test_the_resources_of_all_templates_in_a_folder_are_read(tmp_path: Path) -> None:
    for name in ("one", "two"):
        template = {"Resources": {name: {"Type": "AWS::EC2::VPC"}}}
        (tmp_path / f"{name}.template.json").write_text(json.dumps(template))
    (tmp_path / "manifest.json").write_text("{}")
    assert [each.logical_id for each in read_resources(tmp_path)] == ["one", "two"]


def test_a_folder_without_templates_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no template in .*dev"):
        read_resources(tmp_path / "dev")
