"""The stateful stack: what must outlive any change of the pipeline."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.config import Environment, GivenDatabase
from stacks.parts.database_secret import DatabaseSecret
from stacks.parts.network import Network
from stacks.parts.own_warehouse import DATABASE, OwnWarehouse
from stacks.parts.private_bucket import PrivateBucket
from stacks.stack import TotesStack
from totes.settings import PLACEHOLDER


class DataStack(TotesStack):
    """The lake's buckets, the databases' logins, and the warehouse where it is totes' own.

    The third bucket, which stores the functions' code, is the CDK's own of qualifier totes; `cdk bootstrap` makes it.

    Attributes:
        ingestion, processed: the buckets.
        source, warehouse, dashboard: the secrets of the roles that totes uses.
        own_warehouse: the warehouse; None where it is somebody else's.
    """

    def __init__(self, scope: Construct, environment: Environment, *, network: Network | None) -> None:
        super().__init__(
            scope, "data", environment=environment, description="totes: the lake, the warehouse and the logins"
        )
        self._environment = environment
        self.ingestion = PrivateBucket(self, "Ingestion", environment=environment).bucket
        self.processed = PrivateBucket(self, "Processed", environment=environment).bucket
        source, port = environment.source, environment.warehouse.port
        self.source = self._login("Source", role="source", database="totesys", port=source.port, given=source)
        self.own_warehouse: OwnWarehouse | None = None
        if isinstance(environment.warehouse, GivenDatabase):
            given = environment.warehouse
            self.warehouse = self._login("Warehouse", role="warehouse", database=DATABASE, port=port, given=given)
            self.dashboard = self._login("Dashboard", role="dashboard", database=DATABASE, port=port)
        elif network is None:
            raise ValueError(f"{environment.name}: a warehouse of totes' own needs a network to be in")
        else:
            own = OwnWarehouse(
                self, "OwnWarehouse", environment=environment, database=environment.warehouse, network=network
            )
            self.own_warehouse = own
            self.tell({"WarehouseLogGroup": own.log_group})
            self.warehouse = self._login("Warehouse", role="warehouse", database=DATABASE, port=port, host=own.host)
            self.dashboard = self._login("Dashboard", role="dashboard", database=DATABASE, port=port, host=own.host)
        self.tell(
            {
                "IngestionBucket": self.ingestion.bucket_name,
                "ProcessedBucket": self.processed.bucket_name,
                "SourceSecretArn": self.source.secret_arn,
                "WarehouseSecretArn": self.warehouse.secret_arn,
                "DashboardSecretArn": self.dashboard.secret_arn,
            }
        )

    def _login(
        self,
        id: str,  # noqa: A002 - CDK's word
        *,
        role: str,
        database: str,
        port: int,
        given: GivenDatabase | None = None,
        host: str = PLACEHOLDER,
    ) -> secretsmanager.ISecret:
        if given is not None and given.secret_arn is not None:
            key = given.secret_key_arn
            return secretsmanager.Secret.from_secret_attributes(
                self,
                id,
                secret_complete_arn=given.secret_arn,
                encryption_key=None if key is None else kms.Key.from_key_arn(self, f"{id}Key", key),
            )
        return DatabaseSecret(
            self, id, environment=self._environment, role=role, database=database, host=host, port=port
        ).secret
