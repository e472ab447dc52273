"""What an account has of an environment, found by tags, and how to delete what outlives its stack.

AWS lists a resource by its tags for a while after it is gone, so each service is asked whether what could be deleted
here is still there. The log groups that services make by themselves have no tags, and groups of databases are not
listed by theirs everywhere; they are found by their names.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from command_line.acceptance.account import Account
from totes.errors import UserError

_LOGS = ("/aws/lambda/totes-{}-", "/aws/rds/instance/totes-{}-", "/aws/vendedlogs/states/totes-{}", "/totes/{}/")
"""How the names of an environment's log groups begin."""

_GONE = {
    *("404", "NoSuchBucket", "ResourceNotFoundException", "DBInstanceNotFound", "DBInstanceNotFoundFault"),
    *("DBSnapshotNotFound", "DBSnapshotNotFoundFault", "DBSubnetGroupNotFoundFault", "DBParameterGroupNotFound"),
    *("DBParameterGroupNotFoundFault", "ValidationError", "NatGatewayNotFound", "InvalidVpcEndpointId.NotFound"),
    "InvalidInstanceID.NotFound",
}
_GONE_STATES = {"deleted", "deleting", "terminated", "shutting-down"}
"""Of gateways, endpoints and instances, which EC2 shows for an hour after their end, with their tags."""

_LOOK_SECONDS = 15.0
_INSTANCE_SECONDS = 30 * 60.0


class Leftovers:
    """What an environment has in an account.

    Args:
        account: where to look.
        environment: its name.
    """

    def __init__(self, account: Account, environment: str) -> None:
        self._account = account
        self._environment = environment

    def found(self) -> list[str]:
        """The ARNs of all that there is, stacks and what outlives them, and the names of log groups."""
        named = {*self._tagged(), *self._database_groups(), *self._user_pools()}
        return [*filter(self._is_there, named), *self._log_groups()]

    def of(self, kind: str) -> list[str]:
        """The ARNs of what there is of a kind: "s3", "secretsmanager:secret", "rds:db", "rds:snapshot"."""
        return [arn for arn in self.found() if _kind(arn) == kind]

    def delete_databases(self) -> None:
        """Delete instances, protected or not, without a last snapshot, and wait until they are gone."""
        deadline = time.monotonic() + _INSTANCE_SECONDS
        while instances := self.of("rds:db"):
            for arn in instances:
                self._delete_database(_name(arn))
            if time.monotonic() > deadline:
                raise UserError(
                    f"these are not gone after {_INSTANCE_SECONDS / 60:.0f} minutes: {', '.join(instances)}"
                )
            if self._account.local is None:
                time.sleep(_LOOK_SECONDS)

    def _delete_database(self, name: str) -> None:
        """Delete an instance, unless it is being deleted or changed already; then it is looked at again."""
        rds = self._account.client("rds")
        with suppress(rds.exceptions.InvalidDBInstanceStateFault, rds.exceptions.DBInstanceNotFoundFault):
            rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
            rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def delete(self) -> None:
        """Delete all that outlives its stack; of buckets every version of every object."""
        self.delete_databases()
        rds, secrets = self._account.client("rds"), self._account.client("secretsmanager")
        delete: Mapping[str, Callable[[str], Any]] = {
            "rds:snapshot": lambda arn: rds.delete_db_snapshot(DBSnapshotIdentifier=_name(arn)),
            "rds:subgrp": lambda arn: rds.delete_db_subnet_group(DBSubnetGroupName=_name(arn)),
            "rds:pg": lambda arn: rds.delete_db_parameter_group(DBParameterGroupName=_name(arn)),
            "secretsmanager:secret": lambda arn: secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True),
            "s3": lambda arn: delete_bucket(self._account, _name(arn)),
            "cognito-idp:userpool": lambda arn: self._delete_user_pool(_pool(arn)),
        }
        for arn in self.found():
            if act := delete.get(_kind(arn)):
                act(arn)
        logs = self._account.client("logs")
        for group in self._log_groups():
            logs.delete_log_group(logGroupName=group)

    def _tagged(self) -> Iterator[str]:
        wanted = {"project": "totes", "environment": self._environment}
        filters = [{"Key": key, "Values": [value]} for key, value in wanted.items()]
        for page in self._account.pages("resourcegroupstaggingapi", "get_resources", TagFilters=filters):
            # RDS takes away its own snapshots with their instance, and lets nobody else do so.
            yield from (
                each["ResourceARN"]
                for each in page["ResourceTagMappingList"]
                if ":snapshot:rds:" not in each["ResourceARN"]
            )

    def _database_groups(self) -> Iterator[str]:
        begin = f"totes-{self._environment}-"
        for operation, word in (("subnet", "Subnet"), ("parameter", "Parameter")):
            for page in self._account.pages("rds", f"describe_db_{operation}_groups"):
                yield from (
                    group[f"DB{word}GroupArn"]
                    for group in page[f"DB{word}Groups"]
                    if group[f"DB{word}GroupName"].lower().startswith(begin)
                )

    def _user_pools(self) -> Iterator[str]:
        for page in self._account.pages("cognito-idp", "list_user_pools", PaginationConfig={"PageSize": 60}):
            for each in page["UserPools"]:
                if each["Name"] == f"totes-{self._environment}":
                    yield self._account.client("cognito-idp").describe_user_pool(UserPoolId=each["Id"])["UserPool"][
                        "Arn"
                    ]

    def _delete_user_pool(self, pool: str) -> None:
        cognito = self._account.client("cognito-idp")
        found = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
        if found.get("DeletionProtection") == "ACTIVE":
            cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
        cognito.delete_user_pool(UserPoolId=pool)

    def _log_groups(self) -> list[str]:
        return [
            group["logGroupName"]
            for begin in _LOGS
            for page in self._account.pages(
                "logs", "describe_log_groups", logGroupNamePrefix=begin.format(self._environment)
            )
            for group in page["logGroups"]
            if not begin.endswith("{}") or group["logGroupName"] == begin.format(self._environment)
        ]

    def _is_there(self, arn: str) -> bool:
        rds, name = self._account.client("rds"), _name(arn)

        def cognito(part: str) -> Any:
            return self._account.client(f"cognito-{part}")

        look: Mapping[str, Callable[[], Any]] = {
            "rds:db": lambda: rds.describe_db_instances(DBInstanceIdentifier=name),
            "rds:snapshot": lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=name),
            "rds:subgrp": lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name),
            "rds:pg": lambda: rds.describe_db_parameter_groups(DBParameterGroupName=name),
            "secretsmanager:secret": lambda: self._secret(arn),
            "s3": lambda: self._account.client("s3").head_bucket(Bucket=name),
            "cognito-idp:userpool": lambda: cognito("idp").describe_user_pool(UserPoolId=_pool(arn)),
            "cognito-identity:identitypool": lambda: cognito("identity").describe_identity_pool(
                IdentityPoolId=_pool(arn)
            ),
            "ec2:natgateway": lambda: self._of_state("describe_nat_gateways", "NatGateways", NatGatewayIds=[name]),
            "ec2:vpc-endpoint": lambda: self._of_state("describe_vpc_endpoints", "VpcEndpoints", VpcEndpointIds=[name]),
            "ec2:instance": lambda: self._instances(name),
            "cloudformation:stack": lambda: self._account.client("cloudformation").describe_stacks(StackName=name),
        }
        try:
            return look.get(_kind(arn), lambda: True)() not in (None, [])
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return False
            raise

    def _secret(self, arn: str) -> Any:
        """Describe a secret; None: it is scheduled for deletion, as one that is deleted at once is for a moment."""
        found = self._account.client("secretsmanager").describe_secret(SecretId=arn)
        return None if found.get("DeletedDate") else found

    def _instances(self, name: str) -> list[Any]:
        found = self._account.client("ec2").describe_instances(InstanceIds=[name])["Reservations"]
        instances = [each for reservation in found for each in reservation["Instances"]]
        return [each for each in instances if each["State"]["Name"] not in _GONE_STATES]

    def _of_state(self, operation: str, word: str, **asked: Any) -> list[Any]:
        """What EC2 has of this and has not deleted; an hour later it does not know it at all."""
        found = getattr(self._account.client("ec2"), operation)(**asked)[word]
        return [each for each in found if each["State"] not in _GONE_STATES]


def delete_bucket(account: Account, name: str) -> None:
    """Delete a bucket, with every version of every object."""
    s3 = account.client("s3")
    for page in account.pages("s3", "list_object_versions", Bucket=name):
        versions = [
            {"Key": found["Key"], "VersionId": found["VersionId"]}
            for found in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if versions:
            s3.delete_objects(Bucket=name, Delete={"Objects": versions, "Quiet": True})
    s3.delete_bucket(Bucket=name)


def _kind(arn: str) -> str:
    """What an ARN is of: the service, and its word for the resource, where it has several."""
    if not arn.startswith("arn:"):
        return "logs"
    _, _, service, _, _, resource = arn.split(":", 5)
    if service == "s3":
        return service
    return f"{service}:{resource.replace('/', ':').split(':', 1)[0]}"


def _pool(arn: str) -> str:
    """The id of a user or identity pool in an ARN."""
    return arn.rpartition("/")[2]


def _name(arn: str) -> str:
    """The name in an ARN."""
    resource = arn.split(":", 5)[5]
    if arn.split(":")[2] in {"cloudformation", "ec2"}:
        return resource.split("/")[1]
    return resource.rpartition(":")[2]
