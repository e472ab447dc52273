"""A warehouse of totes' own: PostgreSQL on RDS."""

from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.checks import acknowledge
from stacks.constructs.handed_network import TakenNetwork
from stacks.environment import Environment
from stacks.server_settings import SERVER_SETTINGS
from stacks.settings.databases import OwnDatabase

DATABASE = "warehouse"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits at which alarms of a warehouse go off.

    Attributes:
        free_storage_bytes: a twentieth of the size that the disk may grow to, so that there is still room when it
            cannot grow any more; but less than a tenth of its first size, because below a tenth RDS lets it grow, and
            that is no reason for an alarm. CloudWatch does not know the disk's size, so this stays when the disk has
            grown: with 20 and 200 GiB it is 1.8 GiB, of a disk of 200 less than a hundredth. docs/operating.md has
            somebody look at the size every month.
        free_memory_bytes: a twentieth of its memory.
        connections: about two thirds of those that it takes. RDS divides the memory that the system leaves by
            9,531,392, and ends at 5,000: a t4g.small, with 2 GiB, takes 181
            (https://github.com/kirill-markin/flashcards-open-source-app/pull/1657).
    """

    free_storage_bytes: float
    free_memory_bytes: float
    connections: int

    @classmethod
    def of(cls, database: OwnDatabase) -> "Limits":
        """The limits of a database.

        Raises:
            ValueError: it is not known how much memory such an instance has.
        """
        family, _, size = database.instance_type.partition(".")
        if family[:1] not in _GIB_OF_LARGE or size not in _OF_LARGE:
            raise ValueError(
                f"it is not known how much memory an instance_type {database.instance_type!r} has: its family begins "
                f"with none of {', '.join(_GIB_OF_LARGE)}, or its size is none of {', '.join(_OF_LARGE)}; add it to "
                "stacks/constructs/own_warehouse.py"
            )
        memory = int(_GIB_OF_LARGE[family[0]] * _OF_LARGE[size] * _GIB)
        return cls(
            free_storage_bytes=min(database.most_storage_gib * _GIB / 20, database.storage_gib * _GIB * 9 / 100),
            free_memory_bytes=memory / 20,
            connections=min(memory // 2 // 9_531_392, 3_333),
        )


_GIB = 1024**3
_GIB_OF_LARGE = {"t": 8, "m": 8, "r": 16}
"""Memory of the size `large`, by the first letter of a family: burstable, general, for memory."""

_OF_LARGE = {
    "micro": 1 / 8,
    "small": 1 / 4,
    "medium": 1 / 2,
    "large": 1,
    "xlarge": 2,
    "2xlarge": 4,
    "4xlarge": 8,
    "8xlarge": 16,
    "12xlarge": 24,
    "16xlarge": 32,
}
"""How much more of it other sizes have."""


class OwnWarehouse(Construct):
    """An instance that only the functions and the environment's readers reach, by TLS.

    RDS keeps and rotates the password of its master user.

    Attributes:
        limits: the limits at which alarms go off.
        host: its address.
        master: the secret of its master user, made by RDS.
        identifier: its name.
        log_group: the name of the log group that RDS writes its log to.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        database: OwnDatabase,
        network: TakenNetwork,
    ) -> None:
        super().__init__(scope, id)
        # The major version alone: RDS installs minor versions by itself, makes no new instance of one that it no longer
        # supports, and refuses to go back to an older one that a template still names
        # (https://github.com/hashicorp/terraform/issues/22462).
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17)
        parameters = rds.ParameterGroup(
            self,
            "Parameters",
            engine=engine,
            description="totes: TLS or nothing",
            parameters=SERVER_SETTINGS,
            removal_policy=_removal_of_what_it_holds(environment),
        )
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            engine=engine,
            instance_type=ec2.InstanceType(database.instance_type),
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            security_groups=[network.group("Warehouse")],
            database_name=DATABASE,
            port=database.port,
            credentials=rds.Credentials.from_username("totes_master"),
            manage_master_user_password=True,
            allocated_storage=database.storage_gib,
            max_allocated_storage=database.most_storage_gib,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            multi_az=database.multi_az,
            publicly_accessible=False,
            backup_retention=cdk.Duration.days(database.backup_days),
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            # Nothing while the version stays; without it RDS refuses a major version that a person has written above
            # (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html). At the end of a
            # version's standard support RDS goes on with it, and charges for that. To say that it should not
            # (`engine_lifecycle_support`) is worse. RDS would upgrade the instance by itself, at a moment of its own,
            # to a version that this template does not name
            # (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support-creating-db-instance.html). And
            # CloudFormation refuses the setting for an instance that is there, so no environment could be deployed any
            # more (https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds/pull/538).
            # docs/operating.md has somebody look at the date, and docs/upgrading.md says how.
            allow_major_version_upgrade=True,
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            cloudwatch_logs_exports=["postgresql"],
            deletion_protection=environment.protected,
            parameter_group=parameters,
            removal_policy=environment.database_removal,
        )
        if database.snapshot is not None:
            _restore(instance, database.snapshot)
        self.limits = Limits.of(database)
        subnets = cast("rds.SubnetGroup", instance.node.find_child("SubnetGroup"))
        subnets.apply_removal_policy(_removal_of_what_it_holds(environment))
        self.host = instance.db_instance_endpoint_address
        self.identifier = instance.instance_identifier
        self.log_group = f"/aws/rds/instance/{self.identifier}/postgresql"
        if instance.secret is None:
            raise AssertionError("RDS manages the master's password, so there is a secret of it")
        self.master: secretsmanager.ISecret = instance.secret
        if not database.multi_az:
            acknowledge(
                instance,
                "RDS3",
                reason="The lake holds all that this warehouse does; it is rebuilt from it within minutes.",
            )
        if not environment.protected:
            acknowledge(
                instance,
                "RDS10",
                reason="An environment that is not protected can be taken away, and its data only with a second key.",
            )
        acknowledge(
            instance,
            "RDS11",
            reason="Nobody but the functions and the readers that are named reaches the port, whichever number it has.",
        )


def _restore(instance: rds.DatabaseInstance, snapshot: str) -> None:
    """Have an instance made from a snapshot, without the properties that come from the snapshot.

    The CDK's own construct for that cannot have RDS manage the master user's password
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html).
    """
    made = cast("rds.CfnDBInstance", instance.node.default_child)
    made.add_property_override("DBSnapshotIdentifier", snapshot)
    for word in ("MasterUsername", "DBName", "EngineVersion", "StorageEncrypted", "AllocatedStorage"):
        made.add_property_deletion_override(word)


def _removal_of_what_it_holds(environment: Environment) -> cdk.RemovalPolicy:
    """The removal policy of an instance's groups: while it exists they cannot be deleted, so they stay with it."""
    stays = environment.database_removal is cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    return cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if stays else cdk.RemovalPolicy.DESTROY
