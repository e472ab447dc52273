"""The stateful stack: what must outlive any change of the pipeline."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.constructs.database_secret import DatabaseSecret
from stacks.constructs.handed_data import HandedData
from stacks.constructs.handed_network import HandedNetwork, TakenNetwork
from stacks.constructs.own_warehouse import DATABASE, OwnWarehouse
from stacks.constructs.private_bucket import PrivateBucket
from stacks.environment import Environment
from stacks.settings.databases import GivenDatabase, OwnDatabase
from stacks.settings.generations import generation_of
from stacks.stack import TotesStack
from totes.settings import PLACEHOLDER


class DataStack(TotesStack):
    """The lake's buckets, the databases' logins, and the warehouse where it is totes' own.

    The third bucket, which stores the functions' code, is the CDK's own, with the qualifier totes; `cdk bootstrap`
    makes it.

    Attributes:
        handed: what the other stacks take of it.
    """

    def __init__(self, scope: Construct, environment: Environment, *, network: HandedNetwork | None) -> None:
        super().__init__(
            scope, "data", environment=environment, description="totes: the lake, the warehouse and the logins"
        )
        self._environment = environment
        ingestion = self._bucket("Ingestion", environment.lake.ingestion)
        processed = self._bucket("Processed", environment.lake.processed)
        port = environment.source.port
        source = self._login("Source", login_name="source", database="totesys", port=port, given=environment.source)
        own = self._own_warehouse(network)
        given = environment.warehouse if isinstance(environment.warehouse, GivenDatabase) else None
        port, host = environment.warehouse.port, own.host if own else PLACEHOLDER
        warehouse = self._login(
            "Warehouse", login_name="warehouse", database=DATABASE, port=port, host=host, given=given
        )
        dashboard = self._login("Dashboard", login_name="dashboard", database=DATABASE, port=port, host=host)
        self.output(
            {
                "IngestionBucket": ingestion.bucket_name,
                "ProcessedBucket": processed.bucket_name,
                "SourceSecretArn": source.secret_arn,
                "WarehouseSecretArn": warehouse.secret_arn,
                "DashboardSecretArn": dashboard.secret_arn,
                **({"WarehouseLogGroup": own.log_group} if own else {}),
            }
        )
        self.handed = HandedData(
            self,
            buckets={"Ingestion": ingestion, "Processed": processed},
            secrets={"Source": source, "Warehouse": warehouse, "Dashboard": dashboard},
            warehouse=own,
        )

    def _bucket(self, name: str, generation: int) -> s3.IBucket:
        return PrivateBucket(self, generation_of(name, generation), environment=self._environment).bucket

    def _own_warehouse(self, network: HandedNetwork | None) -> OwnWarehouse | None:
        environment = self._environment
        if not isinstance(environment.warehouse, OwnDatabase):
            return None
        if network is None:
            raise ValueError(f"{environment.name}: a warehouse of totes' own needs a network to be in")
        return OwnWarehouse(
            self,
            generation_of("OwnWarehouse", environment.warehouse.generation),
            environment=environment,
            database=environment.warehouse,
            network=TakenNetwork(self, network),
        )

    def _login(
        self,
        id: str,  # noqa: A002 - CDK's word
        *,
        login_name: str,
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
            self, id, environment=self._environment, login_name=login_name, database=database, host=host, port=port
        ).secret
