"""Buckets, logins and warehouse in the stacks that are deployed after the data stack."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.constructs.own_warehouse import Limits, OwnWarehouse
from stacks.stack import Handed, TotesStack


@dataclass(frozen=True, kw_only=True)
class HandedWarehouse:
    """A warehouse of totes' own.

    Attributes:
        identifier: its name.
        master: the secret of its master.
        limits: the limits at which alarms go off.
    """

    identifier: Handed
    master: Handed
    limits: Limits


class HandedData:
    """What the data stack hands over.

    Attributes:
        buckets: the names of the lake's buckets, by what each is for: Ingestion, Processed.
        secrets: of each role that totes uses (Source, Warehouse, Dashboard) the ARN of its secret, and the secret.
        warehouse: the warehouse; None where it is somebody else's.
    """

    def __init__(
        self,
        stack: TotesStack,
        *,
        buckets: Mapping[str, s3.IBucket],
        secrets: Mapping[str, secretsmanager.ISecret],
        warehouse: OwnWarehouse | None,
    ) -> None:
        """Hand it over.

        Args:
            stack: the data stack.
            buckets: the lake's, by name.
            secrets: of the roles that totes uses, by name.
            warehouse: the warehouse; None where it is somebody else's.
        """
        self.buckets = {name: stack.hand_over(f"{name}Bucket", each.bucket_name) for name, each in buckets.items()}
        self.secrets = {
            name: (stack.hand_over(f"{name}SecretArn", each.secret_arn), each) for name, each in secrets.items()
        }
        for bucket in buckets.values():
            stack.keep_exporting(bucket.bucket_name, bucket.bucket_arn)
        stack.keep_exporting(*(each.secret_arn for each in secrets.values()))
        self.warehouse: HandedWarehouse | None = None
        if warehouse is not None:
            self.warehouse = HandedWarehouse(
                identifier=stack.hand_over("WarehouseInstance", warehouse.identifier),
                master=stack.hand_over("MasterSecretArn", warehouse.master.secret_arn),
                limits=warehouse.limits,
            )
            stack.keep_exporting(warehouse.identifier, warehouse.master.secret_arn)


class TakenData(Construct):
    """Buckets and logins in a stack that is deployed after the data stack.

    Attributes:
        ingestion, processed: the buckets.
        source, warehouse, dashboard: the secrets of the roles that totes uses.
        master: the secret of the warehouse's master; None where the warehouse is somebody else's.
    """

    def __init__(self, stack: TotesStack, handed: HandedData) -> None:
        super().__init__(stack, "TakenData")
        self._stack = stack
        self.ingestion, self.processed = (
            s3.Bucket.from_bucket_name(self, name, stack.take(handed.buckets[name]))
            for name in ("Ingestion", "Processed")
        )
        self.source, self.warehouse, self.dashboard = (
            self._secret(name, *handed.secrets[name]) for name in ("Source", "Warehouse", "Dashboard")
        )
        self.master = self._secret("Master", handed.warehouse.master) if handed.warehouse is not None else None

    @property
    def logins(self) -> Mapping[str, secretsmanager.ISecret]:
        """The secrets of the roles that totes uses, by the roles' logins."""
        return {"source": self.source, "warehouse": self.warehouse, "dashboard": self.dashboard}

    def _secret(
        self,
        id: str,  # noqa: A002 - CDK's word
        arn: Handed,
        made: secretsmanager.ISecret | None = None,
    ) -> secretsmanager.ISecret:
        return secretsmanager.Secret.from_secret_attributes(
            self,
            id,
            secret_complete_arn=self._stack.take(arn),
            encryption_key=None if made is None else made.encryption_key,  # only a given secret has one, by its ARN
        )
