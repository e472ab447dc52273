"""A stack whose creation fails is rolled back, and what is retained then keeps its name.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html:
RetainExceptOnCreate is for what should not outlive the operation that made it, when that is rolled back.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html: a name is free again when the
recovery window is over. CloudFormation itself deletes without one:
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1999
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from command_line.deployment import Deployment, NotDeployedError
from tests.integration.local_cloud.conftest import Hosted
from tests.integration.local_cloud.test_endpoint import Stack

Clients = Callable[[str], Any]

# What CloudFormation cannot make once it has made the secret: there is no such topic.
BROKEN = {
    "Type": "AWS::SNS::Subscription",
    "Properties": {
        "TopicArn": "arn:aws:sns:eu-west-2:123456789012:no-such-topic",
        "Protocol": "email",
        "Endpoint": {"Ref": "Secret"},
    },
}


def secret(name: str, policy: str) -> dict[str, Any]:
    return {
        "Type": "AWS::SecretsManager::Secret",
        "DeletionPolicy": policy,
        "Properties": {"Name": name, "SecretString": "x"},
    }


@pytest.fixture
def stack(client: Clients) -> Iterator[Stack]:
    stack = Stack(client("cloudformation"))
    stack.name = f"rolled-back-{stack.name}"
    yield stack
    stack.delete()


def fail(stack: Stack, resource: dict[str, Any]) -> None:
    """Deploy a resource and one that cannot be made, as the first deployment of a stack."""
    with pytest.raises(ClientError):
        stack.deploy({"Secret": resource, "Broken": BROKEN})


def names(client: Clients) -> set[str]:
    return {each["Name"] for each in client("secretsmanager").list_secrets()["SecretList"]}


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_of_a_first_deployment_that_came_to_nothing_the_command_line_says_so(
    hosted: Hosted, client: Clients, stack: Stack, status: str
) -> None:
    stack.name = f"totes-half{status[:3].lower()}-data"
    if status == "ROLLBACK_COMPLETE":
        fail(stack, secret(stack.name, "RetainExceptOnCreate"))
    else:
        body = json.dumps({"Resources": {"Secret": secret(stack.name, "Delete")}})
        client("cloudformation").create_change_set(
            StackName=stack.name, ChangeSetName="declined", ChangeSetType="CREATE", TemplateBody=body
        )
    environment = stack.name.split("-")[1]
    deployment = Deployment("an account", hosted.cloud.session(), hosted.cloud.endpoint, environment, "--env half")
    with pytest.raises(NotDeployedError, match=rf"is {status}: .*\(cdk deploy --all -c env=half\)"):
        _ = deployment.outputs
    client("cloudformation").delete_stack(StackName=stack.name)


def again(client: Clients, stack: Stack, resources: dict[str, Any]) -> None:
    """Deploy as the cdk CLI does where a creation has failed: the stack is deleted first."""
    [found] = client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    stack.delete()
    stack._exists = False
    stack.deploy(resources)


def test_what_a_failed_creation_has_made_is_gone_and_its_name_free(client: Clients, stack: Stack) -> None:
    name = f"{stack.name}-secret"
    for policy in ("Delete", "RetainExceptOnCreate"):
        fail(stack, secret(name, policy))
        assert name not in names(client)
        again(client, stack, {"Secret": secret(name, "Delete")})
        assert name in names(client)
        stack.delete()
        stack._exists = False


def test_what_is_retained_in_any_case_keeps_its_name_and_blocks_the_next_deployment(
    client: Clients, stack: Stack
) -> None:
    name = f"{stack.name}-secret"
    fail(stack, secret(name, "Retain"))
    assert name in names(client)
    with pytest.raises(ClientError, match="already exists"):
        again(client, stack, {"Secret": secret(name, "Retain")})


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_is_retained_outlives_its_stack(client: Clients, stack: Stack, policy: str) -> None:
    name = f"{stack.name}-{policy}"
    stack.deploy({"Secret": secret(name, policy), "Left": secret(f"{name}-left", policy)})
    stack.deploy({"Secret": secret(name, policy)})
    stack.delete()
    assert {name, f"{name}-left"} <= names(client), "what leaves its template is retained as well"


def test_a_secret_that_is_scheduled_for_deletion_keeps_its_name(client: Clients, stack: Stack) -> None:
    name = f"{stack.name}-secret"
    secrets = client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="x")
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=30)
    with pytest.raises(ClientError, match="already scheduled for deletion"):
        secrets.create_secret(Name=name, SecretString="x")
    with pytest.raises(ClientError, match="already scheduled for deletion"):
        stack.deploy({"Secret": secret(name, "Delete")})
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=name, SecretString="x")


def test_a_stack_that_is_created_without_a_change_set_is_rolled_back_too(client: Clients, stack: Stack) -> None:
    name, cloudformation = f"{stack.name}-secret", client("cloudformation")
    resources = {"Secret": secret(name, "RetainExceptOnCreate"), "Broken": BROKEN}
    outputs = {"Told": {"Value": {"Ref": "Broken"}, "Export": {"Name": f"{stack.name}-told"}}}
    with pytest.raises(ClientError):
        cloudformation.create_stack(
            StackName=stack.name, TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs})
        )
    [found] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Outputs" not in found
    assert name not in names(client)
    assert cloudformation.list_exports()["Exports"] == []
    again(client, stack, {"Secret": secret(name, "Delete")})
