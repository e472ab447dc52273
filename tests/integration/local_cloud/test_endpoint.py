"""The endpoint does what AWS does where the stacks count on it."""

import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from command_line.execution import events_since
from local_cloud.account import ACCOUNT, REGION
from tests.support.executions import ended

Clients = Callable[[str], Any]

_numbers = itertools.count(1)


@pytest.fixture
def stack(client: Clients) -> Iterator["Stack"]:
    stack = Stack(client("cloudformation"))
    yield stack
    stack.delete()


class Stack:
    """A stack, deployed as the cdk CLI does it."""

    def __init__(self, client: Any) -> None:
        self.name = f"stack-{next(_numbers)}"
        self._client = client
        self._exists = False

    def deploy(self, resources: dict[str, Any], **others: Any) -> dict[str, str]:
        change = {"StackName": self.name, "ChangeSetName": "cdk-deploy-change-set"}
        self._client.delete_change_set(**change)
        self._client.create_change_set(
            **change,
            ChangeSetType="UPDATE" if self._exists else "CREATE",
            TemplateBody=json.dumps({"Resources": resources, **others}),
        )
        self._exists = True
        self._client.execute_change_set(**change)
        [stack] = self._client.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def delete(self) -> None:
        if self._exists:
            self._client.delete_stack(StackName=self.name)


def put(client: Clients, files: dict[str, str]) -> dict[str, str]:
    """Store a zip; return its place in CloudFormation's words."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    key = f"{next(_numbers)}.zip"
    client("s3").put_object(Bucket="code", Key=key, Body=buffer.getvalue())
    return {"S3Bucket": "code", "S3Key": key}


ROLE: dict[str, Any] = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


def function(code: dict[str, str], **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": code,
            "Handler": "handler.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Runtime": "python3.13",
            "Timeout": 20,
            **properties,
        },
    }


def invoke(client: Clients, name: str, event: Any = None) -> Any:
    answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.load(answer["Payload"])


# Buckets


def test_of_conditional_puts_at_once_one_wins(client: Clients, store: str) -> None:
    s3 = client("s3")

    def attempt(number: int) -> bool:
        try:
            s3.put_object(Bucket=store, Key="manifest", Body=str(number), IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        won = [number for number, success in enumerate(threads.map(attempt, range(64))) if success]
    assert len(won) == 1
    assert s3.get_object(Bucket=store, Key="manifest")["Body"].read() == str(won[0]).encode()


def test_a_bucket_is_listed_while_it_is_written(client: Clients, store: str) -> None:
    s3 = client("s3")

    def write_and_list(number: int) -> int:
        s3.put_object(Bucket=store, Key=f"listed/{number:03}", Body=b"")
        return len(s3.list_objects_v2(Bucket=store, Prefix="listed/", MaxKeys=1)["Contents"])

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(write_and_list, range(100))) == {1}
    assert s3.list_objects_v2(Bucket=store, Prefix="listed/", MaxKeys=1)["Contents"][0]["Key"] == "listed/000"


def test_a_bucket_that_a_template_has_versioned_gives_back_what_was_deleted(client: Clients, stack: Stack) -> None:
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}}
    template = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": versioned}}
    bucket = stack.deploy(template, Outputs={"Name": {"Value": {"Ref": "Bucket"}}})["Name"]
    s3 = client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    written = s3.put_object(Bucket=bucket, Key="a", Body=b"of value")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="a")
    assert s3.get_object(Bucket=bucket, Key="a", VersionId=written)["Body"].read() == b"of value"


def test_a_policy_that_wants_tls_does_not_shut_the_bucket(client: Clients, stack: Stack) -> None:
    policy = {
        "Statement": [
            {
                "Action": "s3:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Resource": "*",
            }
        ]
    }
    outputs = stack.deploy(
        {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy},
            },
        },
        Outputs={"Bucket": {"Value": {"Ref": "Bucket"}}},
    )
    s3 = client("s3")
    assert json.loads(s3.get_bucket_policy(Bucket=outputs["Bucket"])["Policy"]) == policy
    s3.put_object(Bucket=outputs["Bucket"], Key="key", Body=b"tote")
    assert s3.get_object(Bucket=outputs["Bucket"], Key="key")["Body"].read() == b"tote"


# Resources that moto's CloudFormation does not know


def secret(description: str, length: int = 40) -> dict[str, Any]:
    return {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "Name": "shop/login",
            "Description": description,
            "GenerateSecretString": {
                "SecretStringTemplate": '{"username": "me"}',
                "GenerateStringKey": "password",
                "ExcludePunctuation": True,
                "PasswordLength": length,
            },
        },
    }


def test_a_secret_is_generated_and_keeps_its_value(client: Clients, stack: Stack) -> None:
    output = {"Arn": {"Value": {"Ref": "Secret"}}}
    arn = stack.deploy({"Secret": secret("first")}, Outputs=output)["Arn"]
    secrets = client("secretsmanager")
    login = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert login["username"] == "me"
    assert len(login["password"]) == 40
    assert login["password"].isalnum()
    secrets.put_secret_value(SecretId=arn, SecretString="filled in")
    assert stack.deploy({"Secret": secret("second")}, Outputs=output)["Arn"] == arn
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "filled in"
    assert secrets.describe_secret(SecretId=arn)["Description"] == "second"
    stack.deploy({"Secret": secret("second", length=32)})
    assert len(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["password"]) == 32


def schedule(rate: str) -> dict[str, Any]:
    return {
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": "tick",
                "ScheduleExpression": rate,
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": "arn:aws:states:eu-west-2:123456789012:stateMachine:totes",
                    "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
                    "RetryPolicy": {"MaximumRetryAttempts": "2", "MaximumEventAgeInSeconds": 300},
                },
            },
        },
    }


def test_a_roles_policies_are_those_of_its_template(client: Clients, stack: Stack) -> None:
    def policy(action: str) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}

    def role(**actions: str) -> dict[str, Any]:
        written = [{"PolicyName": name, "PolicyDocument": policy(action)} for name, action in actions.items()]
        return {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": "sewer", "Policies": written}}

    iam = client("iam")
    stack.deploy({"Role": role(work="s3:GetObject", logs="logs:*")})
    assert iam.get_role_policy(RoleName="sewer", PolicyName="work")["PolicyDocument"] == policy("s3:GetObject")
    iam.put_role_policy(RoleName="sewer", PolicyName="another's", PolicyDocument=json.dumps(policy("sns:Publish")))
    stack.deploy({"Role": role(work="s3:PutObject")})
    assert iam.get_role_policy(RoleName="sewer", PolicyName="work")["PolicyDocument"] == policy("s3:PutObject")
    assert set(iam.list_role_policies(RoleName="sewer")["PolicyNames"]) == {"work", "another's"}
    for name in ("work", "another's"):
        iam.delete_role_policy(RoleName="sewer", PolicyName=name)


def test_a_schedule_is_made_and_changed(client: Clients, stack: Stack) -> None:
    stack.deploy(schedule("rate(5 minutes)"))
    stack.deploy(schedule("rate(9 minutes)"))
    found = client("scheduler").get_schedule(Name="tick")
    assert found["ScheduleExpression"] == "rate(9 minutes)"
    assert found["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 300}


def test_an_alarm_tells_who_has_subscribed(client: Clients, stack: Stack) -> None:
    stack.deploy(
        {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "shop@example.com"},
            },
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmName": "failed runs",
                    "Namespace": "AWS/States",
                    "MetricName": "ExecutionsFailed",
                    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                    "EvaluationPeriods": "1",
                    "Period": 300,
                    "Threshold": 1,
                    "Statistic": "Sum",
                    "AlarmActions": [{"Ref": "Topic"}],
                },
            },
        }
    )
    [alarm] = client("cloudwatch").describe_alarms(AlarmNames=["failed runs"])["MetricAlarms"]
    [subscription] = client("sns").list_subscriptions_by_topic(TopicArn=alarm["AlarmActions"][0])["Subscriptions"]
    assert subscription["Endpoint"] == "shop@example.com"
    assert alarm["EvaluationPeriods"] == 1


class Groups:
    """A stack with a security group and, beside it, rules for members of another; what they say by now."""

    def __init__(self, client: Clients, stack: Stack) -> None:
        self._ec2, self._stack = client("ec2"), stack

    def deploy(self, *own: dict[str, Any], lets_in: int | None = None) -> str:
        """Deploy with rules out of the group, and one that lets others in at a port; return the group's id."""
        network = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}
        group = {"VpcId": {"Ref": "Network"}, "GroupDescription": "members", "SecurityGroupEgress": list(own)}
        resources = {
            "Network": network,
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
            "Others": {"Type": "AWS::EC2::SecurityGroup", "Properties": {**group, "GroupDescription": "others"}},
        }
        if lets_in is not None:
            there, whom = ({"Fn::GetAtt": [name, "GroupId"]} for name in ("Group", "Others"))
            rule = {"IpProtocol": "tcp", "FromPort": lets_in, "ToPort": lets_in, "GroupId": there}
            resources[f"From{lets_in}"] = {
                "Type": "AWS::EC2::SecurityGroupIngress",
                "Properties": {**rule, "SourceSecurityGroupId": whom},
            }
        told = self._stack.deploy(resources, Outputs={"Id": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}}})
        return told["Id"]

    def rules(self, group: str, way: str = "IpPermissionsEgress") -> list[tuple[Any, ...]]:
        [found] = self._ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [
            (rule["IpProtocol"], rule.get("FromPort"), [each["CidrIp"] for each in rule["IpRanges"]])
            for rule in found[way]
        ]


@pytest.fixture
def groups(client: Clients, stack: Stack) -> Groups:
    return Groups(client, stack)


TO_AWS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}


def test_a_group_speaks_to_whom_its_template_says_and_to_nobody_else(groups: Groups) -> None:
    group = groups.deploy(TO_AWS)
    assert groups.rules(group) == [("tcp", 443, ["0.0.0.0/0"])]
    assert groups.deploy({**TO_AWS, "FromPort": 5432, "ToPort": 5432}) == group, "its rules change, and it stays"
    assert groups.rules(group) == [("tcp", 5432, ["0.0.0.0/0"])]


def test_a_rule_that_leaves_its_template_lets_nobody_in_any_more(groups: Groups) -> None:
    group = groups.deploy(TO_AWS, lets_in=5432)
    for port in (5433, 5432):
        assert groups.deploy(TO_AWS, lets_in=port) == group
        assert groups.rules(group, "IpPermissions") == [("tcp", port, [])]
    groups.deploy(TO_AWS)
    assert groups.rules(group, "IpPermissions") == []


def test_what_cannot_be_made_is_named(stack: Stack) -> None:
    with pytest.raises(ClientError, match=r"the local cloud cannot make Cache \(AWS::ElastiCache::CacheCluster\)"):
        stack.deploy({"Topic": {"Type": "AWS::SNS::Topic"}, "Cache": {"Type": "AWS::ElastiCache::CacheCluster"}})


def test_what_cannot_be_updated_is_named(stack: Stack) -> None:
    def group(days: int) -> dict[str, Any]:
        return {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}}

    stack.deploy(group(7))
    with pytest.raises(ClientError, match=r"the local cloud cannot update Logs \(AWS::Logs::LogGroup\)"):
        stack.deploy(group(30))


def test_what_goes_wrong_in_a_deployment_is_reported(stack: Stack) -> None:
    nowhere = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "nowhere", "PolicyDocument": {}}}
    with pytest.raises(ClientError, match="NoSuchBucket"):
        stack.deploy({"Policy": nowhere})


# Stacks


def test_a_stack_imports_what_another_exports(client: Clients, stack: Stack) -> None:
    exporting = Stack(client("cloudformation"))
    exporting.deploy(
        {"Topic": {"Type": "AWS::SNS::Topic"}},
        Outputs={"Topic": {"Value": {"Ref": "Topic"}, "Export": {"Name": "the-topic"}}},
    )
    outputs = stack.deploy(
        {"Own": {"Type": "AWS::SNS::Topic"}},
        Outputs={"Topic": {"Value": {"Fn::ImportValue": "the-topic"}}},
    )
    assert outputs["Topic"].startswith("arn:aws:sns:")
    stack.delete()
    stack._exists = False
    exporting.delete()


def test_an_unchanged_template_makes_an_empty_change_set(client: Clients, stack: Stack) -> None:
    resources = {"Topic": {"Type": "AWS::SNS::Topic"}}
    stack.deploy(resources)
    cloudformation = client("cloudformation")
    name = {"StackName": stack.name, "ChangeSetName": "again"}
    cloudformation.create_change_set(**name, ChangeSetType="UPDATE", TemplateBody=json.dumps({"Resources": resources}))
    described = cloudformation.describe_change_set(**name)
    assert described["Status"] == "FAILED"
    assert "didn't contain changes" in described["StatusReason"]


def test_a_change_set_that_is_not_there_cannot_be_described(client: Clients, stack: Stack) -> None:
    stack.deploy({"Topic": {"Type": "AWS::SNS::Topic"}})
    with pytest.raises(ClientError, match="there is no change set never-made"):
        client("cloudformation").describe_change_set(StackName=stack.name, ChangeSetName="never-made")


# Functions


def test_a_function_runs_with_the_layers_of_its_stack_and_new_ones_reach_it(
    client: Clients, stack: Stack, store: str
) -> None:
    assert store

    def deploy(handler: str, shade: str) -> None:
        stack.deploy(
            {
                "Role": ROLE,
                "Function": function(
                    put(client, {"handler.py": handler}),
                    FunctionName="dyeing",
                    Layers=[{"Ref": "Layer"}],
                    LoggingConfig={"LogGroup": "/dyeing"},
                    Environment={"Variables": {"SHADE": "deep"}},
                ),
                "Layer": {
                    "Type": "AWS::Lambda::LayerVersion",
                    "Properties": {"Content": put(client, {"python/shade.py": f"of = '{shade}'"})},
                },
            }
        )

    first = "import os, shade\ndef handler(event, context): print('dyed'); return [os.environ['SHADE'], shade.of]"
    second = "import shade\ndef handler(event, context): return shade.of"
    deploy(first, "red")
    assert invoke(client, "dyeing") == ["deep", "red"]
    messages = [event["message"] for event in client("logs").filter_log_events(logGroupName="/dyeing")["events"]]
    assert "dyed" in messages
    deploy(first, "blue")
    assert invoke(client, "dyeing") == ["deep", "blue"]
    deploy(second, "blue")
    assert invoke(client, "dyeing") == "blue"


def test_a_failed_invocation_is_marked(client: Clients, stack: Stack, store: str) -> None:
    assert store
    raising = "def handler(event, context): raise KeyError('order')"
    stack.deploy({"Role": ROLE, "Function": function(put(client, {"handler.py": raising}), FunctionName="failing")})
    answer = client("lambda").invoke(FunctionName="failing")
    assert answer["FunctionError"] == "Unhandled"
    error = json.load(answer["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'order'")


def test_a_function_that_is_not_there_is_an_error(client: Clients) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client("lambda").invoke(FunctionName="nowhere")


def test_a_function_of_another_language_is_refused_by_name(client: Clients, stack: Stack, store: str) -> None:
    assert store
    code = put(client, {"index.js": "exports.handler = async () => 1"})
    stack.deploy({"Role": ROLE, "Function": function(code, FunctionName="knitting", Runtime="nodejs22.x")})
    with pytest.raises(ClientError, match=r"the local cloud runs Python; knitting is nodejs22\.x"):
        client("lambda").invoke(FunctionName="knitting")


@pytest.mark.parametrize(
    ("property_", "value", "refusal"),
    [
        ("MemorySize", 127, "'127' at 'memorySize' .* greater than or equal to 128"),
        ("MemorySize", 10_241, "'10241' at 'memorySize' .* less than or equal to 10240"),
        ("Timeout", 0, "'0' at 'timeout' .* greater than or equal to 1"),
        ("Timeout", "901", "'901' at 'timeout' .* less than or equal to 900"),
    ],
)
def test_a_function_has_as_much_memory_and_time_as_lambda_gives(
    client: Clients, stack: Stack, store: str, property_: str, value: Any, refusal: str
) -> None:
    assert store

    def deploy(**properties: Any) -> None:
        code = put(client, {"handler.py": "def handler(event, context): pass"})
        stack.deploy({"Role": ROLE, "Function": function(code, FunctionName=stack.name, **properties)})

    refused = f"1 validation error detected: Value {refusal}"
    with pytest.raises(ClientError, match=refused):
        deploy(**{property_: value})
    stack.delete()
    stack._exists = False
    deploy(MemorySize=10_240, Timeout=900)
    with pytest.raises(ClientError, match=refused):
        deploy(**{"MemorySize": 128, "Timeout": 1, property_: value})
    kept = client("lambda").get_function_configuration(FunctionName=stack.name)
    assert (kept["MemorySize"], kept["Timeout"]) == (10_240, 900)


def test_a_function_answers_with_6_291_556_bytes_at_most(client: Clients, stack: Stack, store: str) -> None:
    assert store
    answering = "def handler(event, context): return 'x' * (event - 2)"
    code = put(client, {"handler.py": answering})
    stack.deploy({"Role": ROLE, "Function": function(code, FunctionName=stack.name)})
    assert len(invoke(client, stack.name, 6_291_556)) == 6_291_554
    answer = client("lambda").invoke(FunctionName=stack.name, Payload="6291557")
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"]) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


# State machines


def machine(name: str, states: dict[str, Any], **substitutions: Any) -> dict[str, Any]:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": name,
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DefinitionString": definition,
            "DefinitionSubstitutions": substitutions,
        },
    }


def execute(client: Clients, arn: str) -> Any:
    step_functions = client("stepfunctions")
    return ended(step_functions, step_functions.start_execution(stateMachineArn=arn)["executionArn"])


def test_a_state_machine_runs_functions_and_catches_what_they_raise_by_name(
    client: Clients, stack: Stack, store: str
) -> None:
    assert store
    raising = "class LakeUnavailable(Exception): pass\ndef handler(event, context): raise LakeUnavailable('the lake')"
    states = {
        "Task": {
            "Type": "Task",
            "Resource": "${Function}",
            "Retry": [{"ErrorEquals": ["LakeUnavailable"], "IntervalSeconds": 1, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["LakeUnavailable"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Pass", "End": True},
    }
    resources = {
        "Role": ROLE,
        "Function": function(put(client, {"handler.py": raising}), FunctionName="drying"),
        "Machine": machine("catching", states, Function={"Fn::GetAtt": ["Function", "Arn"]}),
    }
    arn = stack.deploy(resources, Outputs={"Arn": {"Value": {"Ref": "Machine"}}})["Arn"]
    execution = execute(client, arn)
    assert execution["status"] == "SUCCEEDED"
    caught = json.loads(execution["output"])
    assert caught["Error"] == "LakeUnavailable"
    assert json.loads(caught["Cause"])["errorMessage"] == "the lake"
    events = client("logs").filter_log_events(logGroupName="/aws/lambda/drying")["events"]
    assert len([event for event in events if event["message"].startswith("START")]) == 2


def test_what_lambda_refuses_fails_a_state_by_its_name(client: Clients, stack: Stack) -> None:
    gone = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gone"
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    states = {"Task": {"Type": "Task", "Resource": gone, "End": True}}
    arn = stack.deploy({"Role": ROLE, "Machine": machine("asking", states)}, Outputs=outputs)["Arn"]
    assert execute(client, arn)["error"] == "Lambda.ResourceNotFoundException"


def test_an_invocation_is_measured_at_the_moment_when_it_began(client: Clients, stack: Stack, store: str) -> None:
    assert store
    slow = "import time\ndef handler(event, context): time.sleep(2)"
    stack.deploy({"Role": ROLE, "Function": function(put(client, {"handler.py": slow}), FunctionName="slow")})
    began = datetime.now(UTC)
    client("lambda").invoke(FunctionName="slow")
    [told] = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=[{"Name": "FunctionName", "Value": "slow"}],
        StartTime=began - timedelta(seconds=1),
        EndTime=began + timedelta(seconds=1.5),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert told["Maximum"] >= 2000


def test_a_state_machine_sees_its_own_executions_once_they_are_a_second_old(client: Clients, stack: Stack) -> None:
    look = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:listExecutions",
        "Parameters": {"StateMachineArn.$": "$$.StateMachine.Id", "StatusFilter": "RUNNING", "MaxResults": 2},
    }
    states = {
        "Young": {**look, "ResultPath": "$.young", "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Look"},
        "Look": {
            **look,
            "ResultSelector": {
                "running.$": "States.ArrayLength($.Executions)",
                "listed.$": "States.ArrayContains($.Executions[*].ExecutionArn, $$.Execution.Id)",
                "first.$": "$.Executions[0]",
            },
            "ResultPath": "$.seen",
            "End": True,
        },
    }
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    arn = stack.deploy({"Role": ROLE, "Machine": machine("looking", states)}, Outputs=outputs)["Arn"]
    told = json.loads(execute(client, arn)["output"])
    assert told["young"]["Executions"] == []
    seen = told["seen"]
    assert (seen["running"], seen["listed"]) == (1, True)
    assert seen["first"]["Status"] == "RUNNING"
    assert isinstance(seen["first"]["StartDate"], str)


def test_an_execution_tells_its_history_a_page_at_a_time_from_either_end(client: Clients, stack: Stack) -> None:
    names = [f"Step{number}" for number in range(8)]
    states: dict[str, Any] = {name: {"Type": "Pass", "Result": "seen by few", "Next": "End"} for name in names}
    for name, following in itertools.pairwise(names):
        states[name]["Next"] = following
    states["End"] = {"Type": "Succeed"}
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    arn = stack.deploy({"Role": ROLE, "Machine": machine("walking", states)}, Outputs=outputs)["Arn"]
    execution, step_functions = execute(client, arn)["executionArn"], client("stepfunctions")
    whole = step_functions.get_execution_history(executionArn=execution)
    assert "nextToken" not in whole
    assert "seen by few" in str(whole)
    first = step_functions.get_execution_history(executionArn=execution, maxResults=7)
    second = step_functions.get_execution_history(executionArn=execution, maxResults=7, nextToken=first["nextToken"])
    assert first["events"] + second["events"] == whole["events"][:14]
    newest = step_functions.get_execution_history(executionArn=execution, maxResults=3, reverseOrder=True)["events"]
    assert newest == whole["events"][:-4:-1]
    with pytest.raises(step_functions.exceptions.InvalidToken):
        step_functions.get_execution_history(executionArn=execution, nextToken="of another")
    for known in (0, 5, len(whole["events"])):
        news = events_since(step_functions, execution, known)
        assert [event["id"] for event in news] == [event["id"] for event in whole["events"][known:]]
        assert "seen by few" not in str(news)


def mapping(child: dict[str, Any], items: Any) -> dict[str, Any]:
    """The states of a machine that is a Distributed Map, with an end that keeps why it failed."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Child",
        "States": {"Child": child},
    }
    return {
        "Items": {"Type": "Pass", "Result": items, "Next": "Map"},
        "Map": {
            "Type": "Map",
            "MaxConcurrency": 2,
            "ItemProcessor": processor,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
            "End": True,
        },
        "Failed": {"Type": "Pass", "End": True},
    }


def starting(machine_name: str) -> dict[str, Any]:
    """A role that may start executions of a state machine."""
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine_name}"
    statement = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": arn}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {
        **ROLE,
        "Properties": {**ROLE["Properties"], "Policies": [{"PolicyName": "start", "PolicyDocument": document}]},
    }


def deploy_mapping(stack: Stack, name: str, role: dict[str, Any], child: dict[str, Any], items: Any) -> str:
    resources = {"Role": role, "Machine": machine(name, mapping(child, items))}
    arn: str = stack.deploy(resources, Outputs={"Arn": {"Value": {"Ref": "Machine"}}})["Arn"]
    return arn


AS_IT_IS = {"Type": "Pass", "End": True}


def test_a_distributed_map_has_its_results_in_the_order_of_its_items(client: Clients, stack: Stack) -> None:
    items = [*range(20)]
    arn = deploy_mapping(stack, "weaving", starting("weaving"), AS_IT_IS, items)
    assert json.loads(execute(client, arn)["output"]) == items


def test_a_distributed_map_needs_a_role_that_may_start_its_machine(client: Clients, stack: Stack) -> None:
    arn = deploy_mapping(stack, "forbidden", starting("another"), AS_IT_IS, [1])
    output = json.loads(execute(client, arn)["output"])
    assert output["Error"] == "States.Permissions"
    assert f"not authorized to perform: states:StartExecution on resource: {arn}" in output["Cause"]


def test_a_distributed_map_fails_with_one_of_its_items_and_does_not_say_which(client: Clients, stack: Stack) -> None:
    child = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericEquals": 3, "Next": "Fail"}],
        "Default": "Well",
    }
    states = mapping(child, [1, 2, 3, 4])
    states["Map"]["ItemProcessor"]["States"] |= {
        "Fail": {"Type": "Fail", "Error": "Torn", "Cause": "the thread of 3"},
        "Well": AS_IT_IS,
    }
    resources = {"Role": starting("tearing"), "Machine": machine("tearing", states)}
    arn = stack.deploy(resources, Outputs={"Arn": {"Value": {"Ref": "Machine"}}})["Arn"]
    output = json.loads(execute(client, arn)["output"])
    assert output["Error"] == "States.ExceedToleratedFailureThreshold"
    assert "Torn" not in output["Cause"]


def test_what_comes_of_a_distributed_map_is_at_most_256_kib(client: Clients, stack: Stack) -> None:
    much = {"Type": "Pass", "Result": "x" * 30_000, "End": True}
    arn = deploy_mapping(stack, "piling", starting("piling"), much, [*range(10)])
    assert json.loads(execute(client, arn)["output"])["Error"] == "States.DataLimitExceeded"


HALF = {"StartAt": "Half", "States": {"Half": {"Type": "Pass", "Result": "x" * 140_000, "End": True}}}


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Result": "x" * 262_144},
        {"Type": "Parallel", "Branches": [HALF, HALF]},
        {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": HALF},
        {"Type": "Task", "Resource": "${Function}"},
    ],
    ids=lambda state: str(state["Type"]),
)
def test_what_comes_of_a_state_is_at_most_256_kib(
    client: Clients, stack: Stack, store: str, state: dict[str, Any]
) -> None:
    assert store
    states = {"Begin": {"Type": "Pass", "Result": {"items": [1, 2]}, "Next": "Much"}, "Much": {**state, "End": True}}
    resources = {
        "Role": ROLE,
        "Function": function(put(client, {"handler.py": "def handler(event, context): return 'x' * 262_144"})),
        "Machine": machine(stack.name, states, Function={"Fn::GetAtt": ["Function", "Arn"]}),
    }
    arn = stack.deploy(resources, Outputs={"Arn": {"Value": {"Ref": "Machine"}}})["Arn"]
    execution = execute(client, arn)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_what_an_execution_begins_with_is_at_most_256_kib(client: Clients, stack: Stack) -> None:
    states = {"End": {"Type": "Pass", "Result": "well", "End": True}}
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    arn = stack.deploy({"Role": ROLE, "Machine": machine(stack.name, states)}, Outputs=outputs)["Arn"]
    step_functions = client("stepfunctions")
    step_functions.start_execution(stateMachineArn=arn, input=json.dumps("x" * 262_142))
    for too_much in ("x" * 262_143, "\N{EURO SIGN}" * 90_000):
        with pytest.raises(ClientError, match=r"ValidationException.*less than or equal to 262144"):
            step_functions.start_execution(stateMachineArn=arn, input=json.dumps(too_much, ensure_ascii=False))


def test_an_updated_state_machine_runs_what_is_new(client: Clients, stack: Stack) -> None:
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    for result in ("old", "new"):
        states = {"Say": {"Type": "Pass", "Result": {"said": result}, "End": True}}
        arn = stack.deploy({"Role": ROLE, "Machine": machine("saying", states)}, Outputs=outputs)["Arn"]
        assert json.loads(execute(client, arn)["output"]) == {"said": result}


def test_a_role_is_not_made_where_its_permissions_boundary_is_no_policy(client: Clients, stack: "Stack") -> None:
    arn = "arn:aws:iam::123456789012:policy/a-boundary"
    properties = {"AssumeRolePolicyDocument": {"Statement": []}, "PermissionsBoundary": arn}
    role = {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}
    with pytest.raises(ClientError, match="a-boundary does not exist or is not attachable"):
        stack.deploy(role)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    client("iam").create_policy(PolicyName="a-boundary", PolicyDocument=json.dumps(document))
    stack.delete()
    stack._exists = False
    stack.deploy(role)
