"""Stacks are updated whole or not at all, and what one hands another binds them as CloudFormation says."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local_cloud.test_endpoint import Stack

Clients = Callable[[str], Any]

NO_SUCH_TOPIC = {
    "Type": "AWS::SNS::Subscription",
    "Properties": {
        "TopicArn": "arn:aws:sns:eu-west-2:123456789012:none",
        "Protocol": "email",
        "Endpoint": "a@b.example",
    },
}


class Pair:
    """A stack that hands a topic's ARN on, and one that takes it."""

    def __init__(self, client: Any, kind: str) -> None:
        self.giving, self.taking = Stack(client), Stack(client)
        self.giving.name, self.taking.name = f"{kind}-{self.giving.name}", f"{kind}-{self.taking.name}"

    @property
    def export(self) -> str:
        return f"{self.giving.name}-topic"

    def give(self, topic: str, **others: Any) -> None:
        exported = {"Value": {"Ref": "Topic"}, "Export": {"Name": self.export}}
        self.giving.deploy({"Topic": topic_named(topic), **others}, Outputs={"Topic": exported})

    def import_it(self) -> None:
        self.taking.deploy({"Secret": secret(self.taking.name, {"Fn::ImportValue": self.export})})

    def delete(self) -> None:
        self.taking.delete()
        self.giving.delete()


def topic_named(name: str) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}


def secret(name: str, told: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"Name": name, "SecretString": "x", "Description": told},
    }


@pytest.fixture
def pair(client: Clients) -> Iterator[Pair]:
    pair = Pair(client("cloudformation"), "pair")
    yield pair
    pair.delete()


def topics(client: Clients) -> set[str]:
    return {each["TopicArn"].rpartition(":")[2] for each in client("sns").list_topics()["Topics"]}


def told(client: Clients, stack: Stack) -> str:
    return str(client("secretsmanager").describe_secret(SecretId=stack.name)["Description"])


def status(client: Clients, stack: Stack) -> str:
    return str(client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"])


def test_an_export_in_use_cannot_change(client: Clients, pair: Pair) -> None:
    pair.give(f"{pair.giving.name}-old")
    pair.import_it()
    in_use = f"Export {pair.export} cannot be updated as it is in use by {pair.taking.name}"
    with pytest.raises(ClientError, match=in_use):
        pair.give(f"{pair.giving.name}-new")
    assert status(client, pair.giving) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"{pair.giving.name}-old" in topics(client), "the update is rolled back"
    assert f"{pair.giving.name}-new" not in topics(client)


def test_an_export_in_use_cannot_go_and_its_stack_neither(client: Clients, pair: Pair) -> None:
    pair.give(f"{pair.giving.name}-topic")
    pair.import_it()
    in_use = f"Export {pair.export} cannot be deleted as it is in use by {pair.taking.name}"
    with pytest.raises(ClientError, match=in_use):
        pair.giving.deploy({"Topic": topic_named(f"{pair.giving.name}-topic")})
    with pytest.raises(ClientError, match=in_use):
        pair.giving.delete()
    assert f"{pair.giving.name}-topic" in topics(client)


def test_an_export_that_nobody_imports_any_longer_changes_and_goes(client: Clients, pair: Pair) -> None:
    pair.give(f"{pair.giving.name}-old")
    pair.import_it()
    pair.taking.deploy({"Secret": secret(pair.taking.name, "nothing")})
    pair.give(f"{pair.giving.name}-new")
    assert f"{pair.giving.name}-new" in topics(client)
    pair.giving.deploy({"Topic": topic_named(f"{pair.giving.name}-new")})
    exported = {each["Name"] for each in client("cloudformation").list_exports()["Exports"]}
    assert pair.export not in exported


def prepare(client: Clients, pair: Pair, name: str) -> str:
    """Make a change set of a stack that is there; return its ARN."""
    body = {"Resources": {"Topic": topic_named(f"{pair.giving.name}-{name}")}}
    arn: str = client("cloudformation").create_change_set(
        StackName=pair.giving.name, ChangeSetName=name, ChangeSetType="UPDATE", TemplateBody=json.dumps(body)
    )["Id"]
    return arn


def change_sets(client: Clients, *arns: str) -> list[str]:
    """Those change sets that are there still."""
    cloudformation, found = client("cloudformation"), []
    for arn in arns:
        with suppress(cloudformation.exceptions.ChangeSetNotFoundException):
            found.append(cloudformation.describe_change_set(ChangeSetName=arn)["ChangeSetName"])
    return found


def test_of_a_stacks_change_sets_the_executed_one_is_left(client: Clients, pair: Pair) -> None:
    pair.give(f"{pair.giving.name}-topic")
    made = [prepare(client, pair, name) for name in ("executed", "another")]
    client("cloudformation").execute_change_set(ChangeSetName=made[0])
    assert change_sets(client, *made) == ["executed"]


def test_a_change_set_goes_with_its_stack_however_often_that_is_deployed_again(client: Clients, pair: Pair) -> None:
    for _ in range(3):
        stack = Stack(client("cloudformation"))  # which looks for its change sets by name, as the cdk CLI does
        stack.name = pair.giving.name
        stack.deploy({"Topic": topic_named(f"{stack.name}-topic")})
        waiting = prepare(client, pair, "waiting")
        stack.delete()
        assert change_sets(client, waiting) == []
        with pytest.raises(ClientError, match="there is no change set cdk-deploy-change-set"):
            client("cloudformation").describe_change_set(StackName=stack.name, ChangeSetName="cdk-deploy-change-set")


def test_what_was_deleted_by_hand_is_not_made_again(client: Clients, pair: Pair) -> None:
    name = f"{pair.giving.name}-topic"
    pair.give(name)
    [arn] = [each["TopicArn"] for each in client("sns").list_topics()["Topics"] if each["TopicArn"].endswith(name)]
    client("sns").delete_topic(TopicArn=arn)
    pair.give(name, Other=topic_named(f"{name}-other"))
    assert name not in topics(client)
    assert f"{name}-other" in topics(client)


def test_an_update_that_fails_is_rolled_back(client: Clients, pair: Pair) -> None:
    name = pair.taking.name
    pair.taking.deploy({"Secret": secret(name, "before"), "Left": topic_named(f"{name}-left")})
    with pytest.raises(ClientError):
        pair.taking.deploy(
            {"Secret": secret(name, "after"), "New": topic_named(f"{name}-new"), "Broken": NO_SUCH_TOPIC}
        )
    assert status(client, pair.taking) == "UPDATE_ROLLBACK_COMPLETE"
    assert told(client, pair.taking) == "before"
    assert f"{name}-new" not in topics(client)
    assert f"{name}-left" in topics(client), "what leaves a template goes last"
    pair.taking.deploy({"Secret": secret(name, "after")})
    assert told(client, pair.taking) == "after"
    assert f"{name}-left" not in topics(client)


def test_a_secret_that_has_no_name_any_more_is_another_and_the_one_of_before_is_retained(
    client: Clients, pair: Pair
) -> None:
    name, stack = f"{pair.giving.name}-login", pair.giving
    before: dict[str, Any] = secret(name, "a login") | {"UpdateReplacePolicy": "Retain"}
    arn = stack.deploy({"Secret": before}, Outputs={"Arn": {"Value": {"Ref": "Secret"}}})["Arn"]
    unnamed = {word: said for word, said in before["Properties"].items() if word != "Name"}
    after = stack.deploy({"Secret": before | {"Properties": unnamed}}, Outputs={"Arn": {"Value": {"Ref": "Secret"}}})[
        "Arn"
    ]
    assert after != arn
    assert client("secretsmanager").describe_secret(SecretId=arn)["Name"] == name
    client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def parameter(name: str, value: str) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}}


def take(pair: Pair, name: str) -> None:
    looked_up = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}
    pair.taking.deploy({"Secret": secret(pair.taking.name, {"Ref": "Told"})}, Parameters={"Told": looked_up})


def test_a_value_in_systems_manager_is_looked_up_again_by_each_update(client: Clients, pair: Pair) -> None:
    name = f"/test/{pair.giving.name}"
    pair.giving.deploy({"Parameter": parameter(name, "first")})
    take(pair, name)
    assert told(client, pair.taking) == "first"
    pair.giving.deploy({"Parameter": parameter(name, "second")})
    assert told(client, pair.taking) == "first", "nobody tells who has taken it"
    take(pair, name)
    assert told(client, pair.taking) == "second", "though its template is the same"
    cloudformation = client("cloudformation")
    template = cloudformation.get_template(StackName=pair.taking.name)["TemplateBody"]
    previous = [{"ParameterKey": "Told", "UsePreviousValue": True}]
    update = {"StackName": pair.taking.name, "UsePreviousTemplate": True, "Parameters": previous}
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(**update)
    pair.giving.deploy({"Parameter": parameter(name, "third")})
    cloudformation.update_stack(**update)
    assert told(client, pair.taking) == "third", f"the old value is the name: {template}"


def test_a_value_that_systems_manager_does_not_have_is_refused(pair: Pair) -> None:
    with pytest.raises(ClientError, match=r"Unable to fetch parameters \[/test/none\] from parameter store"):
        take(pair, "/test/none")


def instance(**properties: Any) -> dict[str, Any]:
    said = {"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": "20", **properties}
    return {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot", "Properties": said}


def instances(client: Clients) -> list[str]:
    return [each["DBInstanceIdentifier"] for each in client("rds").describe_db_instances()["DBInstances"]]


def test_an_instance_that_was_deleted_by_hand_cannot_be_changed_and_may_go(client: Clients, pair: Pair) -> None:
    topic = topic_named(f"{pair.taking.name}-topic")
    pair.taking.deploy({"Instance": instance(MasterUsername="master"), "Topic": topic})
    [name] = instances(client)
    assert name == name.lower(), "RDS keeps names in small letters"
    client("rds").delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    with pytest.raises(ClientError, match="not found"):
        pair.taking.deploy({"Instance": instance(MasterUsername="master", BackupRetentionPeriod=7), "Topic": topic})
    pair.taking.deploy({"Topic": topic})
    assert instances(client) == []


def masters(client: Clients) -> list[str]:
    """The secrets that RDS has made, each of an instance's master."""
    found = client("secretsmanager").list_secrets(Filters=[{"Key": "name", "Values": ["rds!"]}])["SecretList"]
    return [each["ARN"] for each in found]


def test_a_restored_instance_has_one_secret_of_its_master_which_goes_with_it(client: Clients, pair: Pair) -> None:
    topic = topic_named(f"{pair.taking.name}-topic")
    others = masters(client)
    pair.taking.deploy({"Instance": instance(MasterUsername="master"), "Topic": topic})
    [name] = instances(client)
    client("rds").create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier="of-a-master")
    pair.taking.deploy({"Restored": instance(DBSnapshotIdentifier="of-a-master"), "Topic": topic})
    [restored] = client("rds").describe_db_instances()["DBInstances"]
    assert set(masters(client)) - set(others) == {restored["MasterUserSecret"]["SecretArn"]}
    pair.taking.deploy({"Topic": topic})
    assert masters(client) == others
    for each in client("rds").describe_db_snapshots()["DBSnapshots"]:
        client("rds").delete_db_snapshot(DBSnapshotIdentifier=each["DBSnapshotIdentifier"])


def test_an_instance_leaves_a_snapshot_and_one_that_is_restored_has_its_master(client: Clients, pair: Pair) -> None:
    topic = topic_named(f"{pair.taking.name}-topic")
    pair.taking.deploy({"Instance": instance(MasterUsername="master"), "Topic": topic})
    pair.taking.deploy({"Topic": topic})
    [snapshot] = [each["DBSnapshotIdentifier"] for each in client("rds").describe_db_snapshots()["DBSnapshots"]]
    with pytest.raises(ClientError, match="MasterUsername cannot be said"):
        pair.taking.deploy({"Other": instance(MasterUsername="x", DBSnapshotIdentifier=snapshot), "Topic": topic})
    pair.taking.deploy({"Other": instance(DBSnapshotIdentifier=snapshot), "Topic": topic})
    [restored] = client("rds").describe_db_instances()["DBInstances"]
    assert restored["MasterUsername"] == "master"


def test_a_protected_instance_stays_where_its_creation_is_rolled_back(client: Clients, pair: Pair) -> None:
    protected = instance(MasterUsername="master", DeletionProtection=True)
    topic = topic_named(f"{pair.taking.name}-topic")
    before = set(instances(client))
    with pytest.raises(ClientError):
        pair.taking.deploy({"Topic": topic, "Instance": protected, "Broken": NO_SUCH_TOPIC})
    assert status(client, pair.taking) == "ROLLBACK_FAILED"
    assert f"{pair.taking.name}-topic" not in topics(client), "all else is rolled back"
    [stays] = set(instances(client)) - before
    client("rds").modify_db_instance(DBInstanceIdentifier=stays, DeletionProtection=False)
    client("rds").delete_db_instance(DBInstanceIdentifier=stays, SkipFinalSnapshot=True)
