"""RDS refuses, replaces and remembers as it does in AWS.

Another instance takes the place of the one that there is where a property changes that the schema of the type in
CloudFormation's registry calls create-only: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local_cloud.endpoint.resources import Resource
from local_cloud.endpoint.server import _WITH_TYPES
from tests.integration.local_cloud.test_endpoint import Stack
from tests.integration.local_cloud.test_updates import NO_SUCH_TOPIC, instance

Clients = Callable[[str], Any]


class Databases:
    """A stack with an instance, and what there is of RDS's that was not there before."""

    def __init__(self, client: Clients) -> None:
        self._rds, self._cloudformation = client("rds"), client("cloudformation")
        self.stack = Stack(self._cloudformation)
        self.stack.name = f"databases-{self.stack.name}"
        self._others = set(self._instances()), set(self._snapshots())

    def deploy(self, policies: dict[str, str] | None = None, **properties: Any) -> str:
        """Deploy an instance; return its name."""
        template = instance(MasterUsername="master", **properties) | (policies or {"DeletionPolicy": "Delete"})
        return self.stack.deploy({"Instance": template}, Outputs={"Name": {"Value": {"Ref": "Instance"}}})["Name"]

    @property
    def instances(self) -> set[str]:
        return set(self._instances()) - self._others[0]

    @property
    def snapshots(self) -> set[str]:
        return set(self._snapshots()) - self._others[1]

    @property
    def status(self) -> str:
        return str(self._cloudformation.describe_stacks(StackName=self.stack.name)["Stacks"][0]["StackStatus"])

    def unprotect(self, name: str) -> None:
        self._rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)

    def delete(self) -> None:
        self.stack.delete()
        for name in self.instances:
            self._rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        for name in self.snapshots:
            self._rds.delete_db_snapshot(DBSnapshotIdentifier=name)

    def _instances(self) -> list[str]:
        return [each["DBInstanceIdentifier"] for each in self._rds.describe_db_instances()["DBInstances"]]

    def _snapshots(self) -> list[str]:
        found = self._rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        return [each["DBSnapshotIdentifier"] for each in found]


@pytest.fixture
def databases(client: Clients) -> Iterator[Databases]:
    databases = Databases(client)
    yield databases
    databases.delete()


@pytest.mark.parametrize(
    ("most", "refusal"),
    [
        (109, r"The maximum allocated storage must be increased by at least 10 percent\."),
        (100, "Max storage size must be greater than storage size"),
        (99, "Max storage size must be greater than storage size"),
    ],
)
def test_an_instances_storage_grows_by_a_tenth_at_least(databases: Databases, most: int, refusal: str) -> None:
    with pytest.raises(ClientError, match=refusal):
        databases.deploy(AllocatedStorage="100", MaxAllocatedStorage=most)
    assert databases.status == "ROLLBACK_COMPLETE"


def test_an_instance_is_not_changed_to_one_whose_storage_grows_by_less_and_may_be_told_to_grow_no_more(
    databases: Databases,
) -> None:
    databases.deploy(AllocatedStorage="100", MaxAllocatedStorage=110)
    with pytest.raises(ClientError, match="must be increased by at least 10 percent"):
        databases.deploy(AllocatedStorage="101", MaxAllocatedStorage=110)
    assert databases.status == "UPDATE_ROLLBACK_COMPLETE"
    databases.deploy(AllocatedStorage="110", MaxAllocatedStorage=110)


def group_of(*subnets: str) -> dict[str, Any]:
    """The resources of two networks with two subnets each, and of a group of some of these."""
    resources: dict[str, Any] = {
        "Group": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {"DBSubnetGroupDescription": "where it is", "SubnetIds": [{"Ref": name} for name in subnets]},
        }
    }
    for number, name in enumerate(("Old", "New")):
        resources[name] = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{number}.0.0/16"}}
        for part in (1, 2):
            place = {"VpcId": {"Ref": name}, "CidrBlock": f"10.{number}.{part}.0/24"}
            resources[f"{name}{part}"] = {"Type": "AWS::EC2::Subnet", "Properties": place}
    return resources


def test_a_group_of_subnets_stays_in_its_network(client: Clients, databases: Databases) -> None:
    outputs = {"Outputs": {name: {"Value": {"Ref": name}} for name in ("Group", "Old1", "Old2")}}
    named = databases.stack.deploy(group_of("Old1"), **outputs)

    def held() -> list[str]:
        [group] = client("rds").describe_db_subnet_groups(DBSubnetGroupName=named["Group"])["DBSubnetGroups"]
        return [each["SubnetIdentifier"] for each in group["Subnets"]]

    for subnets in (("New1", "New2"), ("Old1", "New2")):
        with pytest.raises(ClientError, match="The new Subnets are not in the same Vpc as the existing subnet group"):
            databases.stack.deploy(group_of(*subnets), **outputs)
        assert databases.status == "UPDATE_ROLLBACK_COMPLETE"
        assert held() == [named["Old1"]]
    databases.stack.deploy(group_of("Old1", "Old2"), **outputs)
    assert held() == [named["Old1"], named["Old2"]]


@pytest.mark.parametrize(
    ("policy", "stays", "leaves"), [("Retain", True, False), ("Snapshot", False, True), ("Delete", False, False)]
)
def test_an_instance_of_another_database_is_another_and_of_the_one_before_stays_what_its_policy_says(
    databases: Databases, policy: str, *, stays: bool, leaves: bool
) -> None:
    policies = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": policy}
    before = databases.deploy(policies, DBName="shop")
    after = databases.deploy(policies, DBName="warehouse")
    assert after != before
    assert databases.instances == ({before, after} if stays else {after})
    assert databases.snapshots == ({f"{before}-snapshot"} if leaves else set())


def test_an_instance_that_is_protected_stays_where_another_takes_its_place_and_fails_no_update(
    databases: Databases,
) -> None:
    policies = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Snapshot"}
    before = databases.deploy(policies, DBName="shop", DeletionProtection=True)
    after = databases.deploy(policies, DBName="warehouse")
    assert databases.status == "UPDATE_COMPLETE"
    assert databases.instances == {before, after}
    assert databases.snapshots == set()
    databases.unprotect(before)


def test_an_instance_with_another_port_is_the_same(databases: Databases) -> None:
    before = databases.deploy(Port="5432")
    assert databases.deploy(Port="5433") == before


def test_what_replaces_a_resource_is_what_the_registry_says() -> None:
    models: list[type[Resource]] = [model for each in _WITH_TYPES for model in each.MODELS]
    named = {model.cloudformation: model.replaced_by for model in models if model.replaced_by}
    assert {"AWS::EC2::Instance", "AWS::RDS::DBInstance"} <= set(named)
    for kind, properties in named.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-2", kind).schema
        says = [*schema["createOnlyProperties"], *schema.get("conditionalCreateOnlyProperties", [])]
        assert {f"/properties/{each}" for each in properties} <= set(says), kind


def test_an_instance_that_its_template_names_is_not_replaced(databases: Databases) -> None:
    databases.deploy(DBInstanceIdentifier="kept", DBName="shop")
    refusal = (
        r"CloudFormation cannot update a stack when a custom-named resource requires replacing\. "
        r"Rename kept and update the stack again\."
    )
    with pytest.raises(ClientError, match=refusal):
        databases.deploy(DBInstanceIdentifier="kept", DBName="warehouse")
    assert databases.instances == {"kept"}
    databases.deploy(DBInstanceIdentifier="renamed", DBName="warehouse")
    assert databases.instances == {"renamed"}


@pytest.mark.parametrize(("policy", "leaves"), [("Snapshot", 1), ("Delete", 0)])
def test_a_first_deployment_that_fails_leaves_a_snapshot_where_the_policy_is_one(
    databases: Databases, policy: str, leaves: int
) -> None:
    made = instance(MasterUsername="master") | {"DeletionPolicy": policy}
    with pytest.raises(ClientError):
        databases.stack.deploy({"Instance": made, "Broken": NO_SUCH_TOPIC})
    assert databases.status == "ROLLBACK_COMPLETE"
    assert databases.instances == set()
    assert len(databases.snapshots) == leaves
