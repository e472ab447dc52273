"""A function of the local cloud may do what its own role's policies allow, and nothing else."""

import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import local_cloud
from command_line.bootstrapping import boundary
from command_line.deployment import Deployment
from command_line.doctor import examine
from command_line.execution import run
from command_line.functions import ask
from command_line.logins import Logins
from command_line.rebuilding import replay
from local_cloud import LocalCloud
from local_cloud.endpoint.authority import RECORD
from local_cloud.folder import StateFolder
from simulator import build
from tests.support.daemons import forks
from tests.support.databases import execute, rows

Clients = Callable[[str], Any]
Deployed = tuple[LocalCloud, list[dict[str, Any]]]

_numbers = itertools.count(1)

# A worker sees nothing of this environment; boto3 is shown to it here, as Lambda's own runtime has one.
HANDLER = f"""
import sys
sys.path.append({str(Path(boto3.__file__).parents[1])!r})
import boto3, botocore.exceptions
def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["call"])(**event["parameters"])
    except botocore.exceptions.ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return ["done", ""]
"""

DONE = ("done", "")
LAKE, OTHER = "arn:aws:s3:::lake-of-mine", "arn:aws:s3:::lake-of-others"
OBJECT = {"Bucket": "lake-of-mine", "Key": "a/b c"}


@pytest.fixture(scope="module")
def secrets(client: Clients) -> dict[str, str]:
    """Two secrets, ARNs by names; there are two buckets with an object each as well."""
    for name in ("lake-of-mine", "lake-of-others"):
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        client("s3").put_object(**{**OBJECT, "Bucket": name}, Body=b"x")
    return {
        name: client("secretsmanager").create_secret(Name=name, SecretString="{}")["ARN"]
        for name in ("login/mine", "login/theirs")
    }


class Function:
    """A function that makes the call that its event names, under a role of its own or one that is there.

    Attributes:
        name: the function's and the role's.
    """

    def __init__(self, client: Clients, *statements: dict[str, Any], role: str | None = None) -> None:
        self.name = f"caller-{next(_numbers)}"
        self._client = client
        if role is None:
            role = client("iam").create_role(RoleName=self.name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
            self.policy(*statements)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", HANDLER)
        client("lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=role,
            Handler="handler.handler",
            Code={"ZipFile": buffer.getvalue()},
            Timeout=60,
            MemorySize=512,
        )

    def policy(self, *statements: dict[str, Any]) -> None:
        """Make these all that the role's policy says."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self._client("iam").put_role_policy(RoleName=self.name, PolicyName="work", PolicyDocument=document)

    def call(self, service: str, call: str, **parameters: Any) -> tuple[str, str]:
        """Make a call; return "done", or the error's code, and its message."""
        event = json.dumps({"service": service, "call": call, "parameters": parameters})
        answer = self._client("lambda").invoke(FunctionName=self.name, Payload=event)
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        code, message = payload
        return code, message

    def refused(self, action: str, resource: str) -> tuple[str, str]:
        """The refusal of a call that the role's policies do not allow."""
        code = "AccessDenied" if action.startswith("s3:") else "AccessDeniedException"
        user = f"arn:aws:sts::123456789012:assumed-role/{self.name}/{self.name}"
        return code, (
            f"User: {user} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action"
        )


def allow(actions: str | list[str], resources: str | list[str], **others: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **others}


@pytest.fixture(scope="module")
def reader(client: Clients, secrets: dict[str, str]) -> Function:
    """It may list its bucket and read its objects and its secret."""
    return Function(
        client,
        allow("s3:ListBucket", LAKE),
        allow("s3:GetObject", f"{LAKE}/*"),
        allow("secretsmanager:GetSecretValue", secrets["login/mine"]),
    )


def test_what_the_role_allows_is_done(reader: Function, secrets: dict[str, str]) -> None:
    assert reader.call("s3", "get_object", **OBJECT) == DONE
    assert reader.call("s3", "list_objects_v2", Bucket="lake-of-mine") == DONE
    assert reader.call("s3", "head_bucket", Bucket="lake-of-mine") == DONE
    for name in ("login/mine", secrets["login/mine"]):
        assert reader.call("secretsmanager", "get_secret_value", SecretId=name) == DONE
    assert reader.call("sts", "get_caller_identity") == DONE


@pytest.mark.parametrize(
    ("call", "parameters", "action", "resource"),
    [
        ("get_object", {**OBJECT, "Bucket": "lake-of-others"}, "s3:GetObject", f"{OTHER}/a/b c"),
        ("get_object", {**OBJECT, "VersionId": "null"}, "s3:GetObjectVersion", f"{LAKE}/a/b c"),
        ("list_objects_v2", {"Bucket": "lake-of-others"}, "s3:ListBucket", OTHER),
        ("list_buckets", {}, "s3:ListAllMyBuckets", "*"),
        ("get_bucket_encryption", {"Bucket": "lake-of-mine"}, "s3:GetBucketEncryption", LAKE),
        ("put_object", {**OBJECT, "Body": "y"}, "s3:PutObject", f"{LAKE}/a/b c"),
        ("create_multipart_upload", OBJECT, "s3:PutObject", f"{LAKE}/a/b c"),
        ("delete_object", OBJECT, "s3:DeleteObject", f"{LAKE}/a/b c"),
        ("delete_bucket", {"Bucket": "lake-of-mine"}, "s3:DeleteBucket", LAKE),
    ],
)
def test_another_bucket_or_another_action_is_refused_by_name(
    reader: Function, client: Clients, call: str, parameters: dict[str, Any], action: str, resource: str
) -> None:
    assert reader.call("s3", call, **parameters) == reader.refused(action, resource)
    assert client("s3").get_object(**OBJECT)["Body"].read() == b"x"


def test_another_secret_is_refused_by_name(reader: Function, secrets: dict[str, str]) -> None:
    refused = reader.refused("secretsmanager:GetSecretValue", secrets["login/theirs"])
    for name in ("login/theirs", secrets["login/theirs"]):
        assert reader.call("secretsmanager", "get_secret_value", SecretId=name) == refused
    refused = reader.refused("secretsmanager:PutSecretValue", secrets["login/mine"])
    assert reader.call("secretsmanager", "put_secret_value", SecretId="login/mine", SecretString="{}") == refused


def test_services_without_a_statement_are_refused(reader: Function) -> None:
    machine = "arn:aws:states:eu-west-2:123456789012:stateMachine:m"
    group = "arn:aws:logs:eu-west-2:123456789012:log-group:/a:log-stream:"
    assert reader.call("stepfunctions", "start_execution", stateMachineArn=machine) == reader.refused(
        "states:StartExecution", machine
    )
    assert reader.call("logs", "create_log_stream", logGroupName="/a", logStreamName="s") == reader.refused(
        "logs:CreateLogStream", f"{group}s"
    )
    assert reader.call("logs", "delete_log_group", logGroupName="/a") == reader.refused("logs:DeleteLogGroup", group)
    assert reader.call("iam", "list_roles")[0] == "AccessDenied"


def test_log_groups_are_meant_with_their_streams(client: Clients) -> None:
    client("logs").create_log_group(logGroupName="/sewing")
    group = "arn:aws:logs:eu-west-2:123456789012:log-group:/sewing:*"
    writer = Function(client, allow("logs:CreateLogStream", group))
    assert writer.call("logs", "create_log_stream", logGroupName="/sewing", logStreamName="s") == DONE


@pytest.mark.usefixtures("secrets")
def test_who_replaces_what_an_object_was_may_read_it_too(client: Clients) -> None:
    writer = Function(client, allow("s3:PutObject", f"{LAKE}/marks/*"))
    mark = {"Bucket": "lake-of-mine", "Key": "marks/1"}
    assert writer.call("s3", "put_object", **mark, IfNoneMatch="*") == DONE
    replaced = {**mark, "IfMatch": client("s3").head_object(**mark)["ETag"]}
    assert writer.call("s3", "put_object", **replaced) == writer.refused("s3:GetObject", f"{LAKE}/marks/1")
    writer.policy(allow(["s3:PutObject", "s3:GetObject"], f"{LAKE}/marks/*"))
    assert writer.call("s3", "put_object", **replaced) == DONE
    client("s3").delete_object(**mark)


@pytest.mark.usefixtures("secrets")
def test_a_copy_reads_its_source_and_many_deletions_are_single_ones(client: Clients) -> None:
    writer = Function(client, allow(["s3:PutObject", "s3:DeleteObject"], f"{LAKE}/copies/*"))
    target, source = {"Bucket": "lake-of-mine", "Key": "copies/1"}, {**OBJECT, "Bucket": "lake-of-others"}
    assert writer.call("s3", "copy_object", **target, CopySource=source) == writer.refused(
        "s3:GetObject", f"{OTHER}/a/b c"
    )
    assert writer.call("s3", "put_object", **target) == DONE
    keys = [{"Key": OBJECT["Key"]}, {"Key": target["Key"]}]
    assert writer.call("s3", "delete_objects", Bucket="lake-of-mine", Delete={"Objects": keys}) == DONE
    listed = client("s3").list_objects_v2(Bucket="lake-of-mine")["Contents"]
    assert {each["Key"] for each in listed} == {OBJECT["Key"], target["Key"]}
    assert writer.call("s3", "delete_objects", Bucket="lake-of-mine", Delete={"Objects": keys[1:]}) == DONE
    assert [each["Key"] for each in client("s3").list_objects_v2(Bucket="lake-of-mine")["Contents"]] == ["a/b c"]


@pytest.mark.usefixtures("secrets")
def test_only_who_may_list_learns_that_an_object_is_missing(client: Clients, reader: Function) -> None:
    blind = Function(client, allow("s3:GetObject", f"{LAKE}/*"))
    missing = {"Bucket": "lake-of-mine", "Key": "none"}
    assert reader.call("s3", "get_object", **missing)[0] == "NoSuchKey"
    assert blind.call("s3", "get_object", **missing) == blind.refused("s3:ListBucket", LAKE)


@pytest.mark.usefixtures("secrets")
def test_a_change_of_policy_counts_at_once(client: Clients) -> None:
    function = Function(client, allow("s3:GetObject", f"{LAKE}/*"))
    assert function.call("s3", "get_object", **OBJECT) == DONE
    function.policy(allow("s3:*", "*"), {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{LAKE}/a/*"})
    code, message = function.call("s3", "get_object", **OBJECT)
    assert code == "AccessDenied"
    assert message.endswith("s3:GetObject on resource: arn:aws:s3:::lake-of-mine/a/b c with an explicit deny in an "
                            "identity-based policy")  # fmt: skip
    client("iam").delete_role_policy(RoleName=function.name, PolicyName="work")
    assert function.call("s3", "get_object", **OBJECT) == function.refused("s3:GetObject", f"{LAKE}/a/b c")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:Get*", "*")]})
    policy = client("iam").create_policy(PolicyName=function.name, PolicyDocument=document)["Policy"]["Arn"]
    client("iam").attach_role_policy(RoleName=function.name, PolicyArn=policy)
    assert function.call("s3", "get_object", **OBJECT) == DONE


def test_a_role_may_do_no_more_than_its_permissions_boundary(client: Clients, secrets: dict[str, str]) -> None:
    function = Function(client, allow(["s3:GetObject", "s3:ListBucket", "secretsmanager:GetSecretValue"], "*"))
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*", [LAKE, f"{LAKE}/*"])]})
    policy = client("iam").create_policy(PolicyName=f"{function.name}-boundary", PolicyDocument=document)["Policy"]
    client("iam").put_role_permissions_boundary(RoleName=function.name, PermissionsBoundary=policy["Arn"])
    assert function.call("s3", "get_object", **OBJECT) == DONE
    code, message = function.call("secretsmanager", "get_secret_value", SecretId="login/mine")
    assert code == "AccessDeniedException"
    assert message.endswith(
        f"secretsmanager:GetSecretValue on resource: {secrets['login/mine']} because no permissions boundary allows "
        "the secretsmanager:GetSecretValue action"
    )
    assert function.call("s3", "delete_object", **OBJECT) == function.refused("s3:DeleteObject", f"{LAKE}/a/b c")
    client("iam").delete_role_permissions_boundary(RoleName=function.name)
    assert function.call("secretsmanager", "get_secret_value", SecretId="login/mine") == DONE


# The deployed functions, each under its role

FUNCTIONS = {
    "raw_data_to_ingestion_bucket",
    "ingestion_to_processed_bucket",
    "processed_bucket_to_warehouse",
    "publish_snapshot",
    "verify_warehouse",
    "sweep_ingestion_bucket",
    "audit_lake",
    "fetch_exchange_rates",
    "rotate_database_login",
    "prepare_warehouse",
    "answer_questions",
}

NOT_ASKED_OF_THE_ENDPOINT = {
    "sqs:SendMessage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
"""Lambda itself does this with a function's role: writes its output, puts it into a network, keeps what has failed."""


@pytest.fixture(scope="module")
def deployed(folder: Path) -> Iterator[LocalCloud]:
    """Production's stacks after a first load, a replay by a person, a change, a night's work and rotations.

    All this is done within the boundary that `totes bootstrap-policy` writes.
    """
    with forks():
        running = local_cloud.up(folder / "cloud", source=None, warehouse=None, say=lambda _: None, environment="prod")
    try:
        _put_within_boundary(running)
        build(running.source_uri, orders=20, seed=1)
        deployment = Deployment.local(folder / "cloud")
        assert run(deployment, lambda _: None).batch == 1
        replay(deployment, 1, lambda _: None, lambda *_: None)
        assert ask(deployment, "RatesFunction", {}) == {"days": 2, "newest": "2024-03-05", "failed": ""}
        execute(running.source_uri, "UPDATE design SET design_name = 'plain', last_updated = now() WHERE design_id = 1")
        assert run(deployment, lambda _: None).batch == 2
        _load_from_fewer_batches(running)
        assert run(deployment, lambda _: None).batch is None
        answer = running.client("lambda").invoke(FunctionName="totes-prod-verify_warehouse", Payload=b"{}")
        assert "FunctionError" not in answer
        assert all(finding.good for finding in examine(deployment, None))
        _sweep(running)
        audited = running.client("lambda").invoke(FunctionName="totes-prod-audit_lake", Payload=b'{"day": 0}')
        assert json.loads(audited["Payload"].read())["found"] == 0
        login = json.loads(
            deployment.secrets.get_secret_value(SecretId=deployment.outputs["SourceSecretArn"])["SecretString"]
        )
        logins = Logins(deployment)
        logins.store("source", login)
        for role in ("source", "warehouse", "dashboard"):
            logins.rotate(role)
        yield running
    finally:
        local_cloud.down(folder / "cloud")


def _put_within_boundary(running: LocalCloud) -> None:
    iam, written = running.client("iam"), boundary(StateFolder(running.state).assembly, "prod")
    policy = iam.create_policy(PolicyName=written.name, PolicyDocument=written.document)["Policy"]["Arn"]
    names = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("totes-prod-")]
    assert len(names) > len(FUNCTIONS)
    for name in names:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)


def _load_from_fewer_batches(running: LocalCloud) -> None:
    """The newest star manifest is lost, so that the loader asks whether its batch is in the ingestion bucket still."""
    s3, bucket = running.client("s3"), Deployment.local(running.state).outputs["ProcessedBucket"]
    [newest] = s3.list_objects_v2(Bucket=bucket, Prefix="manifests/edition-0002/", MaxKeys=1)["Contents"]
    s3.delete_object(Bucket=bucket, Key=newest["Key"])
    answer = running.client("lambda").invoke(FunctionName="totes-prod-processed_bucket_to_warehouse", Payload=b"{}")
    assert "FunctionError" not in answer


def _sweep(running: LocalCloud) -> None:
    """Two objects that a killed run left, and the function that deletes them."""
    orphans = [f"{place}0000000001{rest}" for place, rest in (("batches/", "/design/x"), ("holdings/design/", "-x"))]
    bucket = Deployment.local(running.state).outputs["IngestionBucket"]
    for key in orphans:
        running.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    answer = running.client("lambda").invoke(
        FunctionName="totes-prod-sweep_ingestion_bucket", Payload=json.dumps({"grace_hours": 0}).encode()
    )
    assert json.loads(answer["Payload"].read()) == {"batch": 2, "last": 2, "deleted": 2}


@pytest.fixture(scope="module")
def roles(deployed: LocalCloud) -> dict[str, str]:
    """The deployed functions' roles: ARNs by the functions' names."""
    found = deployed.client("lambda").list_functions()["Functions"]
    return {each["FunctionName"].removeprefix("totes-prod-"): each["Role"] for each in found}


@pytest.fixture(scope="module")
def record(deployed: LocalCloud) -> list[dict[str, Any]]:
    """Every different question that a role has asked of the endpoint."""
    pages = deployed.client("logs").get_paginator("filter_log_events").paginate(logGroupName=RECORD)
    return [json.loads(event["message"]) for page in pages for event in page["events"]]


def test_every_call_of_a_function_is_allowed_by_its_own_role(
    roles: dict[str, str], record: list[dict[str, Any]]
) -> None:
    assert set(roles) == FUNCTIONS
    assert len(set(roles.values())) == len(FUNCTIONS)
    assert {question["role"] for question in record} >= set(roles.values())
    assert [question for question in record if not question["allowed"]] == []


def test_a_function_uses_all_that_its_role_allows(
    deployed: LocalCloud, roles: dict[str, str], record: list[dict[str, Any]]
) -> None:
    used = {(each["role"], each["action"], each["resource"]) for each in record if each["allowed"]}
    granted = {
        (role, action, resource)
        for role in roles.values()
        for statement in _statements(deployed, role)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if action not in NOT_ASKED_OF_THE_ENDPOINT
    }
    assert granted - used == set()


def test_the_fetcher_of_rates_writes_and_reads_below_its_own_folder_alone(
    deployed: LocalCloud, roles: dict[str, str]
) -> None:
    fetcher = Function(deployed.client, role=roles["fetch_exchange_rates"])
    outputs = Deployment.local(deployed.state).outputs
    for bucket in (outputs["IngestionBucket"], outputs["ProcessedBucket"]):
        assert fetcher.call("s3", "put_object", Bucket=bucket, Key="batches/x", Body="")[0] == "AccessDenied"
        assert fetcher.call("s3", "get_object", Bucket=bucket, Key="manifests/x")[0] == "AccessDenied"
    for secret in ("SourceSecretArn", "WarehouseSecretArn"):
        assert (
            fetcher.call("secretsmanager", "get_secret_value", SecretId=outputs[secret])[0] == "AccessDeniedException"
        )


def test_rates_that_the_local_cloud_serves_convert_the_shops_money(deployed: LocalCloud) -> None:
    """By the function's role, through the lake, by a run: the days of the two packages that npm has installed."""
    days = rows(deployed.warehouse_uri, "SELECT DISTINCT rate_date::text FROM fact_exchange_rate ORDER BY 1")
    assert days == [("2024-03-04",), ("2024-03-05",)]
    [[unconverted]] = rows(deployed.warehouse_uri, "SELECT count(*) FROM report.sales_orders WHERE converted IS NULL")
    assert unconverted == 0


def test_the_publisher_may_not_read_the_lake(deployed: LocalCloud, roles: dict[str, str]) -> None:
    publisher = Function(deployed.client, role=roles["publish_snapshot"])
    outputs = Deployment.local(deployed.state).outputs
    for bucket in (outputs["IngestionBucket"], outputs["ProcessedBucket"]):
        said, why = publisher.call("s3", "list_objects_v2", Bucket=bucket)
        assert (said, "s3:ListBucket" in why) == ("AccessDenied", True)
    for secret in ("SourceSecretArn", "WarehouseSecretArn"):
        assert (
            publisher.call("secretsmanager", "get_secret_value", SecretId=outputs[secret])[0] == "AccessDeniedException"
        )


def _statements(deployed: LocalCloud, role: str) -> Iterator[dict[str, Any]]:
    name, iam = role.rpartition("/")[2], deployed.client("iam")
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        yield from document["Statement"]


def _listed(words: str | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else words
