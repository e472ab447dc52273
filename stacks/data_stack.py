"""The stateful stack: what must outlive any change of the pipeline."""

from constructs import Construct

from stacks.config import Environment
from stacks.parts.database_secret import DatabaseSecret
from stacks.parts.private_bucket import PrivateBucket
from stacks.stack import TotesStack


class DataStack(TotesStack):
    """The lake's buckets and the databases' logins.

    The third bucket, which stores the functions' code, is the CDK's own of qualifier totes; `cdk bootstrap` makes it.

    Attributes:
        ingestion, processed: the buckets.
        source, warehouse: the secrets.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(
            scope, "data", environment=environment, description="totes: the lake and the databases' logins"
        )
        self.ingestion = PrivateBucket(self, "Ingestion", environment=environment).bucket
        self.processed = PrivateBucket(self, "Processed", environment=environment).bucket
        self.source = DatabaseSecret(self, "Source", environment=environment, role="source", database="totesys").secret
        self.warehouse = DatabaseSecret(
            self, "Warehouse", environment=environment, role="warehouse", database="warehouse"
        ).secret
