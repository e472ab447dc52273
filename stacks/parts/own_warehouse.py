"""A warehouse of totes' own: PostgreSQL on RDS."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.checks import acknowledge
from stacks.config import Environment, OwnDatabase
from stacks.parts.network import Network

DATABASE = "warehouse"


class OwnWarehouse(Construct):
    """An instance that only the functions reach, by TLS; RDS keeps and rotates its master's password.

    Attributes:
        host: its address.
        master: the secret of its master, made by RDS.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        database: OwnDatabase,
        network: Network,
    ) -> None:
        super().__init__(scope, id)
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17_9)
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            engine=engine,
            instance_type=ec2.InstanceType(database.instance_type),
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            security_groups=[network.warehouse],
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
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            cloudwatch_logs_exports=["postgresql"],
            deletion_protection=environment.protected,
            parameter_group=rds.ParameterGroup(
                self,
                "Parameters",
                engine=engine,
                description="totes: TLS or nothing",
                parameters={"rds.force_ssl": "1"},
            ),
            removal_policy=environment.database_removal,
        )
        self.host = instance.db_instance_endpoint_address
        if instance.secret is None:
            raise AssertionError("RDS manages the master's password, so there is a secret of it")
        self.master: secretsmanager.ISecret = instance.secret
        if not database.multi_az:
            acknowledge(
                instance,
                "RDS3",
                reason="The lake holds all that this warehouse does; it is made anew from it within minutes.",
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
            reason="Nobody but the functions' own security group reaches the port, whichever number it has.",
        )
