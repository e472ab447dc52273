"""Databases of a stack, by name only: the server is an embedded PostgreSQL, or one that a person names.

What is real is the master's secret, which RDS makes and keeps in AWS.
"""

import json

from workbench.cloud.endpoint.resources import Properties, Resource

_MASTER = "MasterUserSecret.SecretArn"

_groups: dict[str, list[str]] = {}
"""The security groups of the instances that there are, by the instances' names."""


def groups_of_instances() -> set[str]:
    """Return the security groups of all instances."""
    return {group for groups in _groups.values() for group in groups}


class DatabaseInstance(Resource):
    """An RDS instance."""

    cloudformation = "AWS::RDS::DBInstance"
    service = "secretsmanager"
    name_property = "DBInstanceIdentifier"
    attribute_names = ("DBInstanceArn", "DbiResourceId", "Endpoint.Address", "Endpoint.Port", _MASTER)

    def make(self) -> None:
        """Make the master's secret."""
        _groups[self.name] = self.properties.get("VPCSecurityGroups", [])
        login = {"username": self.properties["MasterUsername"], "password": "of the embedded server"}
        made = self.client.create_secret(Name=f"rds!{self.name}", SecretString=json.dumps(login))
        self.attributes |= {
            "DBInstanceArn": f"arn:aws:rds:{self.region}:local:db:{self.name}",
            "DbiResourceId": f"db-{self.name}",
            "Endpoint.Address": "localhost",
            "Endpoint.Port": str(self.properties.get("Port", 5432)),
            _MASTER: made["ARN"],
        }

    def change(self, properties: Properties) -> None:
        """There is no server to change."""
        _groups[self.name] = properties.get("VPCSecurityGroups", [])

    def remove(self) -> None:
        """Delete the master's secret."""
        _groups.pop(self.name, None)
        self.client.delete_secret(SecretId=self.attributes[_MASTER], ForceDeleteWithoutRecovery=True)


class _Named(Resource):
    service = "rds"

    def make(self) -> None:
        """There is nothing to make."""

    def change(self, properties: Properties) -> None:
        """There is nothing to change."""

    def remove(self) -> None:
        """There is nothing to delete."""


class ParameterGroup(_Named):
    """The settings of a server."""

    cloudformation = "AWS::RDS::DBParameterGroup"


class SubnetGroup(_Named):
    """The subnets of a server."""

    cloudformation = "AWS::RDS::DBSubnetGroup"


MODELS: tuple[type[Resource], ...] = (DatabaseInstance, ParameterGroup, SubnetGroup)
