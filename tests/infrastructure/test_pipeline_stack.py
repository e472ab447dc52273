import dataclasses
from pathlib import Path
from typing import Any

import pytest

from command_line import logins
from stacks import config
from stacks.packages import PAGE
from stacks.settings.databases import GivenDatabase
from tests.support.templates import Resource, Synthesised, synthesise

STEPS = (
    "raw_data_to_ingestion_bucket",
    "ingestion_to_processed_bucket",
    "processed_bucket_to_warehouse",
    "verify_warehouse",
)
FUNCTIONS = (
    *STEPS,
    "publish_snapshot",
    "sweep_ingestion_bucket",
    "audit_lake",
    "fetch_exchange_rates",
    "rotate_database_login",
    "answer_questions",
)


def lake(bucket: str, *actions: str) -> set[tuple[str, str]]:
    return {("s3:ListBucket", arn(bucket)), *((action, f"{arn(bucket)}/*") for action in actions)}


def arn(bucket: str) -> str:
    return f"arn:<AWS::Partition>:s3:::<{bucket}>"


def logs(part: str) -> set[tuple[str, str]]:
    return {(action, f"<{part}Logs.Arn>") for action in ("logs:CreateLogStream", "logs:PutLogEvents")}


ALLOWED = {
    "raw_data_to_ingestion_bucket": {
        *lake("IngestionBucket", "s3:GetObject", "s3:PutObject"),
        ("secretsmanager:GetSecretValue", "<SourceSecret>"),
        *logs("Capture"),
    },
    "ingestion_to_processed_bucket": {
        *lake("IngestionBucket", "s3:GetObject"),
        *lake("ProcessedBucket", "s3:GetObject", "s3:PutObject"),
        *logs("Transform"),
    },
    "processed_bucket_to_warehouse": {
        *lake("IngestionBucket"),
        *lake("ProcessedBucket", "s3:GetObject"),
        ("secretsmanager:GetSecretValue", "<WarehouseSecret>"),
        *logs("Load"),
    },
    "verify_warehouse": {
        *lake("IngestionBucket", "s3:GetObject"),
        ("secretsmanager:GetSecretValue", "<SourceSecret>"),
        ("secretsmanager:GetSecretValue", "<WarehouseSecret>"),
        *(("secretsmanager:DescribeSecret", f"<{secret}Secret>") for secret in ("Source", "Warehouse", "Dashboard")),
        ("sqs:SendMessage", "<DeadLettersQueue.Arn>"),
        *logs("Verify"),
    },
    "publish_snapshot": {
        *lake("SnapshotsBucket", "s3:GetObject", "s3:PutObject"),
        ("secretsmanager:GetSecretValue", "<DashboardSecret>"),
        *logs("Publish"),
    },
    "answer_questions": {
        ("secretsmanager:GetSecretValue", "<SourceSecret>"),
        ("secretsmanager:GetSecretValue", "<WarehouseSecret>"),
        *logs("Answer"),
    },
    "sweep_ingestion_bucket": {
        *lake("IngestionBucket", "s3:GetObject"),
        *lake("ProcessedBucket"),
        ("s3:GetObject", f"{arn('ProcessedBucket')}/manifests/*"),
        ("s3:GetObject", f"{arn('ProcessedBucket')}/editions/*"),
        ("s3:PutObject", f"{arn('IngestionBucket')}/sweeps/*"),
        ("s3:DeleteObject", f"{arn('IngestionBucket')}/batches/*"),
        ("s3:DeleteObject", f"{arn('IngestionBucket')}/holdings/*"),
        ("sqs:SendMessage", "<DeadLettersQueue.Arn>"),
        *logs("Sweep"),
    },
    "audit_lake": {
        *lake("IngestionBucket", "s3:GetObject"),
        *lake("ProcessedBucket", "s3:GetObject"),
        ("sqs:SendMessage", "<DeadLettersQueue.Arn>"),
        *logs("Audit"),
    },
    "fetch_exchange_rates": {
        *lake("IngestionBucket"),
        ("s3:GetObject", f"{arn('IngestionBucket')}/rates/*"),
        ("s3:PutObject", f"{arn('IngestionBucket')}/rates/*"),
        *lake("ProcessedBucket"),
        ("s3:PutObject", f"{arn('ProcessedBucket')}/rates/*"),
        ("sqs:SendMessage", "<DeadLettersQueue.Arn>"),
        *logs("Fetch"),
    },
    "rotate_database_login": {
        *(
            (f"secretsmanager:{action}", f"<{secret}Secret>")
            for action in ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
            for secret in ("Source", "Warehouse", "Dashboard")
        ),
        ("secretsmanager:GetRandomPassword", "*"),
        *logs("Rotate"),
    },
}

A_NETWORK_INTERFACE = {
    (f"ec2:{action}", "*")
    for action in (
        *("AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface"),
        *("DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses"),
    )
}


OUTSIDE = {"fetch_exchange_rates"}
"""Functions that speak to the internet and are in no network of ours."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_what_it_does_and_nothing_else(synthesised: Synthesised, name: str) -> None:
    network = A_NETWORK_INTERFACE if synthesised.name != "local" and name not in OUTSIDE else set()
    assert synthesised.permissions(synthesised.function(name)["Role"]) == ALLOWED[name] | network


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_functions_own_code_touches_no_network_interface(request: pytest.FixtureRequest, environment: str) -> None:
    synthesised: Synthesised = request.getfixturevalue(environment)
    functions = synthesised.resources("AWS::Lambda::Function").values()
    outside = {f"totes-{environment}-{name}" for name in OUTSIDE}
    assert outside == {
        each["Properties"]["FunctionName"] for each in functions if "VpcConfig" not in each["Properties"]
    }
    for function in (each for each in functions if each["Properties"]["FunctionName"] not in outside):
        [policy] = synthesised.role(function["Properties"]["Role"])["Policies"]
        [denied] = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert {(action, denied["Resource"]) for action in denied["Action"]} == A_NETWORK_INTERFACE
        name = function["Properties"]["FunctionName"]
        own = f"arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:{name}"
        assert {key: synthesised.said(arn) for key, arn in denied["Condition"]["ArnEquals"].items()} == {
            "lambda:SourceFunctionArn": own
        }


def test_one_function_alone_may_delete_and_nothing_but_what_runs_write_to_the_first_bucket(
    synthesised: Synthesised,
) -> None:
    deleting = {
        (name, resource)
        for name in FUNCTIONS
        for action, resource in synthesised.permissions(synthesised.function(name)["Role"])
        if "Delete" in action and action.startswith("s3:")
    }
    places = {f"{arn('IngestionBucket')}/{folder}/*" for folder in ("batches", "holdings")}
    assert deleting == {("sweep_ingestion_bucket", place) for place in places}


def test_the_function_that_makes_roles_reads_three_secrets(dev: Synthesised, prod: Synthesised) -> None:
    for environment in (dev, prod):
        allowed = environment.permissions(environment.function("prepare_warehouse")["Role"])
        assert allowed == A_NETWORK_INTERFACE | logs("Prepare") | {
            ("secretsmanager:GetSecretValue", "<OwnWarehouseInstance.MasterUserSecret.SecretArn>"),
            ("secretsmanager:GetSecretValue", "<WarehouseSecret>"),
            ("secretsmanager:GetSecretValue", "<DashboardSecret>"),
        }


def test_every_role_belongs_to_one_thing_and_holds_only_policies_of_its_own(synthesised: Synthesised) -> None:
    functions = [
        each["Properties"]["Role"]["Fn::GetAtt"][0] for each in synthesised.resources("AWS::Lambda::Function").values()
    ]
    flow_logs = synthesised.resources("AWS::EC2::FlowLog").values()
    [machine] = synthesised.resources("AWS::StepFunctions::StateMachine").values()
    schedules = synthesised.resources("AWS::Scheduler::Schedule").values()
    profiles = synthesised.resources("AWS::IAM::InstanceProfile").values()
    attached = synthesised.resources("AWS::Cognito::IdentityPoolRoleAttachment").values()
    users = [
        *functions,
        machine["Properties"]["RoleArn"]["Fn::GetAtt"][0],
        *(schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0] for schedule in schedules),
        *(each["Properties"]["DeliverLogsPermissionArn"]["Fn::GetAtt"][0] for each in flow_logs),
        *(role["Ref"] for each in profiles for role in each["Properties"]["Roles"]),
        *(role["Fn::GetAtt"][0] for each in attached for role in each["Properties"]["Roles"].values()),
    ]
    assert sorted(users) == sorted(synthesised.resources("AWS::IAM::Role"))
    assert not synthesised.resources("AWS::IAM::Policy")
    for role in synthesised.resources("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_the_state_machine_may_invoke_its_four_functions_and_see_its_own_executions(
    synthesised: Synthesised,
) -> None:
    [machine] = synthesised.resources("AWS::StepFunctions::StateMachine").values()
    allowed = synthesised.permissions(machine["Properties"]["RoleArn"])
    own = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:totes-{synthesised.name}"
    assert {(action, resource) for action, resource in allowed if resource != "*"} == {
        ("lambda:InvokeFunction", "<CaptureFunction.Arn>"),
        ("lambda:InvokeFunction", "<TransformFunction.Arn>"),
        ("lambda:InvokeFunction", "<LoadFunction.Arn>"),
        ("lambda:InvokeFunction", "<PublishFunction.Arn>"),
        ("states:ListExecutions", own),
        ("states:StartExecution", own),
        ("states:DescribeExecution", f"{own.replace('stateMachine', 'execution')}:*"),
        ("states:StopExecution", f"{own.replace('stateMachine', 'execution')}:*"),
    }
    assert {action.split(":")[0] for action, resource in allowed if resource == "*"} == {"logs", "xray"}


def test_no_action_is_a_wildcard(synthesised: Synthesised) -> None:
    for role in synthesised.resources("AWS::IAM::Role"):
        assert not [action for action, _ in synthesised.permissions({"Fn::GetAtt": [role, "Arn"]}) if "*" in action]


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        (
            "raw_data_to_ingestion_bucket",
            {
                "INGESTION_BUCKET": "<IngestionBucket>",
                "SOURCE_SECRET": "<SourceSecret>",
                "MASS_DELETION_PERCENT": "20",
                "ROWS_IN_ONE_FUNCTION": "10000000",
            },
        ),
        (
            "ingestion_to_processed_bucket",
            {
                "INGESTION_BUCKET": "<IngestionBucket>",
                "PROCESSED_BUCKET": "<ProcessedBucket>",
                "ROWS_IN_ONE_FUNCTION": "10000000",
            },
        ),
        (
            "processed_bucket_to_warehouse",
            {
                "INGESTION_BUCKET": "<IngestionBucket>",
                "PROCESSED_BUCKET": "<ProcessedBucket>",
                "WAREHOUSE_SECRET": "<WarehouseSecret>",
                "REPORTING_CURRENCY": "GBP",
            },
        ),
        (
            "publish_snapshot",
            {
                "DASHBOARD_BUCKET": "<SnapshotsBucket>",
                "DASHBOARD_SECRET": "<DashboardSecret>",
                "USER_POOL": "<SignInUsers>",
                "USER_POOL_CLIENT": "<SignInClient>",
                "IDENTITY_POOL": "<SignInIdentities>",
                "SHOP": "Terrific Totes",
            },
        ),
        (
            "sweep_ingestion_bucket",
            {"INGESTION_BUCKET": "<IngestionBucket>", "PROCESSED_BUCKET": "<ProcessedBucket>"},
        ),
        ("audit_lake", {"INGESTION_BUCKET": "<IngestionBucket>", "PROCESSED_BUCKET": "<ProcessedBucket>"}),
        ("answer_questions", {"SOURCE_SECRET": "<SourceSecret>", "WAREHOUSE_SECRET": "<WarehouseSecret>"}),
        (
            "verify_warehouse",
            {
                "SOURCE_SECRET": "<SourceSecret>",
                "INGESTION_BUCKET": "<IngestionBucket>",
                "WAREHOUSE_SECRET": "<WarehouseSecret>",
                "MASS_DELETION_PERCENT": "20",
                "ROTATED_SECRETS": "<SourceSecret> <WarehouseSecret> <DashboardSecret>",
                "ROTATION_DAYS": "30",
            },
        ),
    ],
)
def test_a_function_knows_its_buckets_and_its_secret(
    synthesised: Synthesised, name: str, variables: dict[str, str]
) -> None:
    told = synthesised.function(name)["Environment"]["Variables"]
    assert {key: synthesised.said(value) for key, value in told.items()} == {
        **variables,
        "POWERTOOLS_SERVICE_NAME": f"totes-{synthesised.name}",
    }


def test_rates_are_asked_for_over_https_and_in_the_local_cloud_of_itself(dev: Synthesised, local: Synthesised) -> None:
    told = dev.function("fetch_exchange_rates")["Environment"]["Variables"]
    assert (told["REPORTING_CURRENCY"], told["RATES_SINCE"]) == ("GBP", "2024-03-02")
    assert all(site.startswith("https://") for site in told["RATE_SITES"].split())
    [site] = local.function("fetch_exchange_rates")["Environment"]["Variables"]["RATE_SITES"].split()
    assert site.startswith("{endpoint}/")


def test_rates_are_fetched_four_times_a_day(dev: Synthesised) -> None:
    rule = schedule(dev, "totes-dev-rates")
    assert rule["ScheduleExpression"] == "cron(22 1,7,13,19 * * ? *)"
    assert dev.said(rule["Target"]["Arn"]) == "<FetchFunction.Arn>"


def test_without_rates_there_is_no_function_no_schedule_and_no_alarm(store: Path) -> None:
    plain = synthesise(dataclasses.replace(config.named("dev"), rates=None), store)
    said = str(plain.templates)
    assert "fetch_exchange_rates" not in said
    assert "totes-dev-rates" not in said
    assert "REPORTING_CURRENCY" not in said


@pytest.mark.parametrize("name", STEPS)
def test_a_function_has_the_promised_memory_and_lambdas_longest_time(synthesised: Synthesised, name: str) -> None:
    function = synthesised.function(name)
    assert function["MemorySize"] == 1536
    assert function["Timeout"] == 900
    assert "EphemeralStorage" not in function


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_its_folders_handler_on_both_layers(synthesised: Synthesised, name: str, root: Path) -> None:
    function = synthesised.function(name)
    assert function["Handler"] == "handler.handler"
    assert (root / "lambdas" / name / "handler.py").is_file()
    assert [synthesised.said(layer) for layer in function["Layers"]] == [
        "<LayersCertificates>",
        "<LayersDependencies>",
        "<LayersLibrary>",
    ]
    asset = synthesised.folder / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"
    beside = {"page"} if name == "publish_snapshot" and (PAGE / "index.html").is_file() else set()
    assert {path.name for path in asset.iterdir()} == {"handler.py", *beside}


def test_runtime_and_architecture_are_the_environments(synthesised: Synthesised) -> None:
    target = config.named(synthesised.name).target
    for name in FUNCTIONS:
        function = synthesised.function(name)
        assert function["Runtime"] == f"python{target.python}"
        assert function["Architectures"] == [target.machine]
    for layer in synthesised.resources("AWS::Lambda::LayerVersion").values():
        assert layer["Properties"]["CompatibleRuntimes"] == [f"python{target.python}"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_json_into_its_own_group(synthesised: Synthesised, name: str) -> None:
    config = synthesised.function(name)["LoggingConfig"]
    group = synthesised.pipeline["Resources"][config["LogGroup"]["Ref"]]["Properties"]
    assert config["LogFormat"] == "JSON"
    assert group["LogGroupName"] == f"/aws/lambda/totes-{synthesised.name}-{name}"


def test_logs_are_kept_as_long_as_the_environment_says_and_go_with_their_stack(synthesised: Synthesised) -> None:
    told = {"dev": {30}, "prod": {365}, "local": {7}}
    groups = synthesised.resources("AWS::Logs::LogGroup").values()
    functions = synthesised.resources("AWS::Lambda::Function")
    assert len(groups) == len(functions) + len(["runs"]) + len(synthesised.resources("AWS::EC2::FlowLog"))
    kept = {group["Properties"]["RetentionInDays"] for group in groups}
    assert len(kept) == 1
    assert kept == told.get(synthesised.name, kept)
    for group in groups:
        assert group["DeletionPolicy"] == "Delete"


def test_the_state_machine_logs_what_happened_but_no_data(synthesised: Synthesised) -> None:
    [machine] = synthesised.resources("AWS::StepFunctions::StateMachine").values()
    logging = machine["Properties"]["LoggingConfiguration"]
    assert logging["Level"] == "ALL"
    assert logging["IncludeExecutionData"] is False
    assert machine["Properties"]["TracingConfiguration"] == {"Enabled": True}
    assert machine["Properties"]["StateMachineName"] == f"totes-{synthesised.name}"


def schedule(synthesised: Synthesised, name: str) -> Resource:
    """The properties of a schedule, by its own name."""
    [found] = [
        each["Properties"]
        for each in synthesised.resources("AWS::Scheduler::Schedule").values()
        if each["Properties"]["Name"] == name
    ]
    return dict(found)


def test_a_schedule_hands_over_nothing(synthesised: Synthesised) -> None:
    """Where it says no input, Scheduler hands over a notification, in whose keys totes' own words would be lost."""
    for each in synthesised.resources("AWS::Scheduler::Schedule").values():
        assert each["Properties"]["Target"]["Input"] == "{}"


def test_a_run_starts_every_five_minutes_on_time_or_not_at_all(dev: Synthesised, prod: Synthesised) -> None:
    for environment in (dev, prod):
        ticks = schedule(environment, f"totes-{environment.name}")
        assert ticks["ScheduleExpression"] == "rate(5 minutes)"
        assert ticks["State"] == "ENABLED"
        assert ticks["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert ticks["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 300}
        assert environment.said(ticks["Target"]["Arn"]) == "<PipelineStateMachine>"


def test_the_warehouse_is_compared_with_the_source_every_night(dev: Synthesised, prod: Synthesised) -> None:
    for environment in (dev, prod):
        nights = schedule(environment, f"totes-{environment.name}-verify")
        assert nights["ScheduleExpression"] == "cron(7 3 * * ? *)"
        assert nights["ScheduleExpressionTimezone"] == "Etc/UTC"
        assert nights["State"] == "ENABLED"
        assert nights["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}
        assert environment.said(nights["Target"]["Arn"]) == "<VerifyFunction.Arn>"


def test_the_lake_is_swept_every_night(dev: Synthesised, prod: Synthesised) -> None:
    for environment in (dev, prod):
        nights = schedule(environment, f"totes-{environment.name}-sweep")
        assert nights["ScheduleExpression"] == "cron(37 3 * * ? *)"
        assert nights["State"] == "ENABLED"
        assert environment.said(nights["Target"]["Arn"]) == "<SweepFunction.Arn>"


def test_the_lake_is_audited_every_night(dev: Synthesised, prod: Synthesised) -> None:
    for environment in (dev, prod):
        nights = schedule(environment, f"totes-{environment.name}-audit")
        assert nights["ScheduleExpression"] == "cron(52 3 * * ? *)"
        assert nights["State"] == "ENABLED"
        assert environment.said(nights["Target"]["Arn"]) == "<AuditFunction.Arn>"


def test_the_local_schedules_start_nothing(local: Synthesised) -> None:
    states = [each["Properties"]["State"] for each in local.resources("AWS::Scheduler::Schedule").values()]
    assert states == ["DISABLED"] * 5


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("totes-{}", ("states:StartExecution", "<PipelineStateMachine>")),
        ("totes-{}-rates", ("lambda:InvokeFunction", "<FetchFunction.Arn>")),
        ("totes-{}-verify", ("lambda:InvokeFunction", "<VerifyFunction.Arn>")),
        ("totes-{}-sweep", ("lambda:InvokeFunction", "<SweepFunction.Arn>")),
        ("totes-{}-audit", ("lambda:InvokeFunction", "<AuditFunction.Arn>")),
    ],
)
def test_a_schedule_may_start_its_own_target_for_this_account_only(
    synthesised: Synthesised, name: str, allowed: tuple[str, str]
) -> None:
    role_arn = schedule(synthesised, name.format(synthesised.name))["Target"]["RoleArn"]
    assert synthesised.permissions(role_arn) == {allowed, ("sqs:SendMessage", "<DeadLettersQueue.Arn>")}
    [trust] = synthesised.role(role_arn)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_outputs_are_what_the_command_line_reads(synthesised: Synthesised) -> None:
    outputs = {
        key: synthesised.said(each["Value"])
        for template in synthesised.templates.values()
        for key, each in template.get("Outputs", {}).items()
        if "Export" not in each
    }
    assert outputs == {
        "AnswerFunction": "<AnswerFunction>",
        "RatesFunction": "<FetchFunction>",
        "VerifyFunction": "<VerifyFunction>",
        "StateMachineArn": "<PipelineStateMachine>",
        "DashboardBucket": "<SnapshotsBucket>",
        "DashboardAddress": "https://<SiteDistribution.DomainName>/",
        "DashboardDistribution": "<SiteDistribution.DomainName>",
        "IdentityPool": "<SignInIdentities>",
        "UserPool": "<SignInUsers>",
        "UserPoolClient": "<SignInClient>",
        "IngestionBucket": "<IngestionBucket>",
        "ProcessedBucket": "<ProcessedBucket>",
        "SourceSecretArn": "<SourceSecret>",
        "WarehouseSecretArn": "<WarehouseSecret>",
        "DashboardSecretArn": "<DashboardSecret>",
        "AlarmTopicArn": "<Topic>",
        "RotationFunction": "<RotateFunction>",
        "RotatedLogins": "source,warehouse,dashboard",
        **(
            {
                "PrepareFunction": "<PrepareFunction>",
                "SourceClientsGroup": "<NetworkSourceClients.GroupId>",
                "NatAddress": "<NetworkVpcpublicSubnet1EIP>",
                **({"NatAddress2": "<NetworkVpcpublicSubnet2EIP>"} if synthesised.name == "prod" else {}),
                "NetworkStack": f"totes-{synthesised.name}-network",
                "TunnelTemplate": "<TunnelTemplate>",
                "WarehouseLogGroup": "/aws/rds/instance/<OwnWarehouseInstance>/postgresql",
            }
            if synthesised.name != "local"
            else {}
        ),
    }


def test_no_data_is_in_the_stack_that_may_be_deleted(synthesised: Synthesised) -> None:
    kinds = {each["Type"] for each in synthesised.pipeline["Resources"].values()}
    assert kinds == {
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Logs::LogGroup",
        "AWS::Scheduler::Schedule",
        "AWS::StepFunctions::StateMachine",
    }


def test_every_password_is_rotated_on_schedule_and_never_by_a_deployment(synthesised: Synthesised) -> None:
    rotated = {
        synthesised.said(each["Properties"]["SecretId"]): each["Properties"]
        for each in synthesised.resources("AWS::SecretsManager::RotationSchedule").values()
    }
    assert set(rotated) == {"<SourceSecret>", "<WarehouseSecret>", "<DashboardSecret>"}
    for schedule in rotated.values():
        assert schedule["RotationRules"] == {"AutomaticallyAfterDays": 30}
        assert schedule["RotateImmediatelyOnUpdate"] is False
        assert synthesised.said(schedule["RotationLambdaARN"]) == "<RotateFunction.Arn>"


GIVEN = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:shop-AbCdEf"
KEY = "arn:aws:kms:eu-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VIA_SECRETS_MANAGER = {
    "StringEquals": {
        "kms:ViaService": {
            "Fn::Join": ["", ["secretsmanager.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]]
        }
    }
}


def given_source(store: Path, **words: Any) -> Synthesised:
    source = GivenDatabase(secret_arn=GIVEN, **words)
    return synthesise(dataclasses.replace(config.named("local"), source=source), store)


def rotated(synthesised: Synthesised) -> set[str]:
    schedules = synthesised.resources("AWS::SecretsManager::RotationSchedule").values()
    return {synthesised.said(each["Properties"]["SecretId"]) for each in schedules}


def key_statements(synthesised: Synthesised) -> dict[str, list[dict[str, Any]]]:
    """What each function may do by keys, in the words of its policy."""
    return {
        name: found
        for name in FUNCTIONS
        if (
            found := [
                statement
                for policy in synthesised.role(synthesised.function(name)["Role"])["Policies"]
                for statement in policy["PolicyDocument"]["Statement"]
                if "kms:" in str(statement["Action"])
            ]
        )
    }


def test_a_secret_that_is_given_is_read_and_left_alone(store: Path) -> None:
    given = given_source(store)
    assert rotated(given) == {"<WarehouseSecret>", "<DashboardSecret>"}
    assert given.pipeline["Outputs"]["RotatedLogins"]["Value"] == "warehouse,dashboard"
    assert "rotates_secret=True" in given.pipeline["Outputs"]["RotatedLogins"]["Description"]
    allowed = given.permissions(given.function("rotate_database_login")["Role"])
    assert {action for action, resource in allowed if resource == GIVEN} == {"secretsmanager:GetSecretValue"}
    assert key_statements(given) == {}


def test_a_secret_that_is_given_is_rotated_where_the_configuration_says_so(store: Path) -> None:
    given = given_source(store, rotates_secret=True)
    assert rotated(given) == {GIVEN, "<WarehouseSecret>", "<DashboardSecret>"}
    allowed = given.permissions(given.function("rotate_database_login")["Role"])
    assert ("secretsmanager:PutSecretValue", GIVEN) in allowed


def looked_at(synthesised: Synthesised) -> set[str]:
    """The secrets of which the nightly function sees when they were rotated, by what it may do and by what it does."""
    function = synthesised.function("verify_warehouse")
    allowed = synthesised.permissions(function["Role"])
    found = {resource for action, resource in allowed if action == "secretsmanager:DescribeSecret"}
    assert set(synthesised.said(function["Environment"]["Variables"]["ROTATED_SECRETS"]).split()) == found
    return found


def test_of_exactly_the_secrets_that_are_rotated_somebody_sees_every_night_that_they_are(
    synthesised: Synthesised, store: Path
) -> None:
    assert looked_at(synthesised) == rotated(synthesised)
    variables = synthesised.function("verify_warehouse")["Environment"]["Variables"]
    assert variables["ROTATION_DAYS"] == str(config.named(synthesised.name).rotation_days)
    given = given_source(store)
    assert looked_at(given) == rotated(given) == {"<WarehouseSecret>", "<DashboardSecret>"}


def test_a_standbys_password_is_left_alone_where_the_configuration_says_so(store: Path) -> None:
    standby = dataclasses.replace(config.named("local"), source=GivenDatabase(rotates_secret=False))
    left = synthesise(standby, store)
    assert rotated(left) == looked_at(left) == {"<WarehouseSecret>", "<DashboardSecret>"}
    allowed = left.permissions(left.function("rotate_database_login")["Role"])
    assert {action for action, name in allowed if name == "<SourceSecret>"} == {"secretsmanager:GetSecretValue"}


@pytest.mark.parametrize("rotates", [False, True])
def test_a_customers_key_is_used_by_those_who_read_its_secret_and_through_secrets_manager_alone(
    store: Path,
    rotates: bool,  # noqa: FBT001 - pytest's parameter
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html: to write takes both."""
    decrypt = {"Action": "kms:Decrypt", "Condition": VIA_SECRETS_MANAGER, "Effect": "Allow", "Resource": KEY}
    both = {**decrypt, "Action": ["kms:Decrypt", "kms:GenerateDataKey"]}
    assert key_statements(given_source(store, secret_key_arn=KEY, rotates_secret=rotates)) == {
        "raw_data_to_ingestion_bucket": [decrypt],
        "verify_warehouse": [decrypt],
        "answer_questions": [decrypt],
        "rotate_database_login": [both if rotates else decrypt],
    }


def test_a_rotation_is_waited_for_as_long_as_its_four_steps_may_take(synthesised: Synthesised) -> None:
    step = synthesised.function("rotate_database_login")["Timeout"]
    assert step == logins._ROTATION_SECONDS / 4


def test_what_a_schedule_could_not_start_is_kept_for_two_weeks(synthesised: Synthesised) -> None:
    for each in synthesised.resources("AWS::Scheduler::Schedule").values():
        assert synthesised.said(each["Properties"]["Target"]["DeadLetterConfig"]["Arn"]) == "<DeadLettersQueue.Arn>"
    [queue] = synthesised.resources("AWS::SQS::Queue").values()
    assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_what_fails_at_night_is_tried_twice_more_and_then_kept(synthesised: Synthesised) -> None:
    """Scheduler only hands Lambda an event, so its own dead letters hold nothing that the function failed at."""
    configured = {
        synthesised.said(each["Properties"]["FunctionName"]): each["Properties"]
        for each in synthesised.resources("AWS::Lambda::EventInvokeConfig").values()
    }
    assert set(configured) == {"<AuditFunction>", "<FetchFunction>", "<VerifyFunction>", "<SweepFunction>"}
    for events in configured.values():
        assert events["MaximumRetryAttempts"] == 2
        assert synthesised.said(events["DestinationConfig"]["OnFailure"]["Destination"]) == "<DeadLettersQueue.Arn>"
