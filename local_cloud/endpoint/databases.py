"""Databases of a stack: RDS keeps them by name only, the server is an embedded PostgreSQL, or one that a person names.

What is real is the master's secret, which RDS makes and keeps in AWS, and what RDS and EC2 refuse: a protected instance
is not deleted, nor a group that one is in, whether its stack is there or not. An instance can be deleted and restored
from a snapshot by RDS's own API; what is in it then is the server's matter, and so it is with one that is replaced.
An instance's storage may grow to at least a tenth more than it begins with:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
A group of subnets stays in its VPC: https://github.com/hashicorp/terraform-provider-aws/issues/27459
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.resources import Properties, Resource

_MASTER = "MasterUserSecret.SecretArn"

_SHAPE = {"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}
"""What RDS wants to be told of an instance, and nobody here reads."""

_GROUPS = ("DBSubnetGroupName", "DBParameterGroupName")

_FAMILY = "postgres17"
_LONGEST = 63


def groups_of_instances() -> set[str]:
    """Return the security groups of all instances."""
    instances = rds_backends[ACCOUNT][REGION].databases.values()
    return {group for instance in instances for group in instance.vpc_security_group_ids}


class DatabaseInstance(Resource):
    """An RDS instance."""

    cloudformation = "AWS::RDS::DBInstance"
    service = "rds"
    name_property = "DBInstanceIdentifier"
    replaced_by = (
        *("DBSnapshotIdentifier", "DBSubnetGroupName"),
        *("DBName", "KmsKeyId", "MasterUsername", "StorageEncrypted"),
    )
    attribute_names = ("DBInstanceArn", "DbiResourceId", "Endpoint.Address", "Endpoint.Port", _MASTER)

    _snapshot: str | None = None
    """The one that its deletion leaves."""

    def make(self) -> None:
        """Make it, empty or from a snapshot, and with it the master's secret."""
        _refuse_storage(self.properties, is_new=True)
        given = self.properties.get(self.name_property)
        self.name = self.physical_resource_id = _short(self.name) if given is None else given
        made = self._restored(snapshot) if (snapshot := self.properties.get("DBSnapshotIdentifier")) else self._new()
        self.attributes |= {
            "DBInstanceArn": made["DBInstanceArn"],
            "DbiResourceId": made["DbiResourceId"],
            "Endpoint.Address": "localhost",
            "Endpoint.Port": _port(self.properties),
            _MASTER: made["MasterUserSecret"]["SecretArn"],
        }

    def change(self, properties: Properties) -> None:
        """Change it; of the server there is nothing to change, and what was deleted by hand cannot be."""
        _refuse_storage(properties, is_new=False)
        self.client.modify_db_instance(DBInstanceIdentifier=self.name, ApplyImmediately=True, **self._of(properties))
        self.attributes["Endpoint.Port"] = _port(properties)

    def remove(self) -> None:
        """Delete it, unless that has been done by hand, and the master's secret."""
        left = {"FinalDBSnapshotIdentifier": self._snapshot} if self._snapshot else {"SkipFinalSnapshot": True}
        with suppress(self.client.exceptions.DBInstanceNotFoundFault):
            self.client.delete_db_instance(DBInstanceIdentifier=self.name, **left)

    def remember(self) -> None:
        """Have its deletion take a snapshot; one that is protected is not deleted, and leaves none."""
        self._snapshot = f"{self.name}-snapshot"

    def _new(self) -> Any:
        return self.client.create_db_instance(
            **_SHAPE,
            DBInstanceIdentifier=self.name,
            Engine=self.properties["Engine"],
            MasterUsername=self.properties["MasterUsername"],
            ManageMasterUserPassword=True,
            CopyTagsToSnapshot=True,
            Tags=self.properties.get("Tags", []),
            **self._of(self.properties),
        )["DBInstance"]

    def _restored(self, snapshot: str) -> Any:
        if "MasterUsername" in self.properties:  # it is the snapshot's
            raise ValidationError(message="MasterUsername cannot be said of an instance restored from a snapshot")
        restored = self.client.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=self.name,
            DBSnapshotIdentifier=snapshot,
            CopyTagsToSnapshot=True,
            Tags=self.properties.get("Tags", []),
            **self._of(self.properties),
        )["DBInstance"]
        if "MasterUserSecret" in restored:  # moto has made one, as the snapshot's instance had: of two one would stay
            return restored
        return self.client.modify_db_instance(
            DBInstanceIdentifier=self.name, ApplyImmediately=True, ManageMasterUserPassword=True
        )["DBInstance"]

    def _of(self, properties: Properties) -> Mapping[str, Any]:
        return {
            **{name: properties[name] for name in _GROUPS if name in properties},
            "VpcSecurityGroupIds": properties.get("VPCSecurityGroups", []),
            "DeletionProtection": str(properties.get("DeletionProtection", False)).lower() == "true",
        }


def _port(properties: Properties) -> str:
    return str(properties.get("Port", 5432))


def _refuse_storage(properties: Properties, *, is_new: bool) -> None:
    """Refuse an instance whose storage may grow to too little; with as much as it has it is told to grow no more."""
    if "MaxAllocatedStorage" not in properties or "AllocatedStorage" not in properties:
        return
    allocated, most = (int(properties[word]) for word in ("AllocatedStorage", "MaxAllocatedStorage"))
    if most < allocated or (most == allocated and is_new):
        raise ValidationError(message="Max storage size must be greater than storage size")
    if most > allocated and most * 10 < allocated * 11:
        raise ValidationError(message="The maximum allocated storage must be increased by at least 10 percent.")


def _short(name: str) -> str:
    """A name that CloudFormation has made up, in RDS's form: 63 characters at most, the last of them random."""
    words, _, chance = name.lower().rpartition("-")
    return f"{words[: _LONGEST - len(chance) - 1].rstrip('-')}-{chance}"


class ParameterGroup(Resource):
    """The settings of a server."""

    cloudformation = "AWS::RDS::DBParameterGroup"
    service = "rds"
    name_property = "DBParameterGroupName"

    def make(self) -> None:
        """Make it."""
        self.client.create_db_parameter_group(
            DBParameterGroupName=self.name,
            DBParameterGroupFamily=self.properties.get("Family", _FAMILY),
            Description=self.properties["Description"],
            Tags=self.properties.get("Tags", []),
        )

    def change(self, properties: Properties) -> None:
        """There is no server that would read it."""

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_db_parameter_group(DBParameterGroupName=self.name)


class SubnetGroup(Resource):
    """The subnets of a server."""

    cloudformation = "AWS::RDS::DBSubnetGroup"
    service = "rds"
    name_property = "DBSubnetGroupName"

    def make(self) -> None:
        """Make it."""
        self.client.create_db_subnet_group(
            DBSubnetGroupName=self.name,
            DBSubnetGroupDescription=self.properties["DBSubnetGroupDescription"],
            SubnetIds=self.properties["SubnetIds"],
            Tags=self.properties.get("Tags", []),
        )

    def change(self, properties: Properties) -> None:
        """Have others in it, in the same VPC; there is no server that would move."""
        group = rds_backends[ACCOUNT][self.region].subnet_groups[self.name]  # moto forgets one that its API changes
        subnets = [ec2_backends[ACCOUNT][self.region].get_subnet(subnet) for subnet in properties["SubnetIds"]]
        if {subnet.vpc_id for subnet in subnets} != {group.vpc_id}:
            raise ValidationError(message="The new Subnets are not in the same Vpc as the existing subnet group")
        group.subnets, group.description = subnets, properties["DBSubnetGroupDescription"]

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_db_subnet_group(DBSubnetGroupName=self.name)


MODELS: tuple[type[Resource], ...] = (DatabaseInstance, ParameterGroup, SubnetGroup)
