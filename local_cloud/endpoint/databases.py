"""Databases of a stack: RDS keeps them by name only, the server is an embedded PostgreSQL, or one that a person names.

What is real is the master's secret, which RDS makes and keeps in AWS, and what RDS and EC2 refuse: a protected instance
is not deleted, nor a group that one is in, whether its stack is there or not. An instance can be deleted and restored
from a snapshot by RDS's own API; what is in it then is the server's matter.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.rds.models import rds_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.resources import Properties, Resource

_MASTER = "MasterUserSecret.SecretArn"

_SHAPE = {"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}
"""What RDS wants to be told of an instance, and nobody here reads."""

_REPLACING = ("DBSnapshotIdentifier", "DBSubnetGroupName", "Port")
"""Properties of which RDS makes another instance if they change (of those that the stacks may change)."""

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
    attribute_names = ("DBInstanceArn", "DbiResourceId", "Endpoint.Address", "Endpoint.Port", _MASTER)

    def make(self) -> None:
        """Make it, empty or from a snapshot, and with it the master's secret."""
        self.name = self.physical_resource_id = _short(self.name)
        made = self._restored(snapshot) if (snapshot := self.properties.get("DBSnapshotIdentifier")) else self._new()
        self.attributes |= {
            "DBInstanceArn": made["DBInstanceArn"],
            "DbiResourceId": made["DbiResourceId"],
            "Endpoint.Address": "localhost",
            "Endpoint.Port": str(self.properties.get("Port", 5432)),
            _MASTER: made["MasterUserSecret"]["SecretArn"],
        }

    def change(self, properties: Properties) -> None:
        """Change it; of the server there is nothing to change, and what was deleted by hand cannot be."""
        if replacing := [word for word in _REPLACING if properties.get(word) != self.properties.get(word)]:
            raise ValidationError(
                message=f"the local cloud cannot replace {self.name}, which another {replacing[0]} does"
            )
        self.client.modify_db_instance(DBInstanceIdentifier=self.name, ApplyImmediately=True, **self._of(properties))

    def remove(self) -> None:
        """Delete it, unless that has been done by hand, and the master's secret."""
        with suppress(self.client.exceptions.DBInstanceNotFoundFault):
            self.client.delete_db_instance(DBInstanceIdentifier=self.name, SkipFinalSnapshot=True)

    def remember(self) -> None:
        """Take the snapshot that stays of it, unless it was deleted by hand."""
        with suppress(self.client.exceptions.DBInstanceNotFoundFault):
            self.client.create_db_snapshot(DBInstanceIdentifier=self.name, DBSnapshotIdentifier=f"{self.name}-snapshot")

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


def _short(name: str) -> str:
    """A name that CloudFormation has made up, as RDS takes it: 63 characters at most, the last of them chance."""
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
        """There is no server that would move."""

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_db_subnet_group(DBSubnetGroupName=self.name)


MODELS: tuple[type[Resource], ...] = (DatabaseInstance, ParameterGroup, SubnetGroup)
