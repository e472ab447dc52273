"""The functions of the pipeline: the settings of each, and what its role may do."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from stacks.constructs.handed_dashboard import TakenDashboard
from stacks.constructs.handed_data import TakenData
from stacks.constructs.handed_network import TakenNetwork
from stacks.constructs.layers import Layers
from stacks.constructs.permissions import (
    Permission,
    delete_objects,
    describe_secret,
    list_objects,
    make_passwords,
    read_and_write_objects,
    read_objects,
    read_secret,
    rotate_secret,
    send_messages,
    write_objects,
)
from stacks.constructs.star_for_athena import athena_database
from stacks.constructs.totes_function import TotesFunction
from stacks.constructs.watched import WatchedFunction
from stacks.dependencies import ROOT
from stacks.environment import Environment
from stacks.packages import with_page
from stacks.settings.functions import FunctionSettings
from stacks.settings.rates import Rates
from stacks.stack import TotesStack
from totes.settings import (
    AnswerSettings,
    AuditSettings,
    CaptureSettings,
    LoadSettings,
    PrepareSettings,
    PublishSettings,
    RateSettings,
    Settings,
    StarSettings,
    SweepSettings,
    VerifySettings,
)

_SMALL = FunctionSettings(memory_mb=256, timeout_minutes=1)
"""What a function needs that only runs a few statements in one or two databases."""

_ASKED = FunctionSettings(memory_mb=512)
"""What the function that answers questions needs: it counts all rows, and holds a page of what it reads twice."""


class PipelineFunctions:
    """Makes the functions of a pipeline in its stack, each when it is asked for.

    It is no construct: a scope of its own would change the logical ids, and so replace every function.

    Attributes:
        made: the functions so far, by the names of their folders in lambdas/.
        watched: what alarms and the operations dashboard watch of them.
    """

    def __init__(
        self,
        stack: TotesStack,
        *,
        environment: Environment,
        network: TakenNetwork | None,
        layers: Layers,
        dead_letters: sqs.IQueue,
    ) -> None:
        """Make none yet.

        Args:
            stack: the pipeline's.
            environment: whose functions they are.
            network: where they run; None: outside of any VPC.
            layers: what all of them share.
            dead_letters: where Lambda puts an event that has failed at each attempt.
        """
        self.made: dict[str, lambda_.IFunction] = {}
        self.watched: list[WatchedFunction] = []
        self._stack = stack
        self._environment = environment
        self._network = network
        self._layers = layers
        self._dead_letters = dead_letters

    def capture_function(self, data: TakenData) -> lambda_.IFunction:
        """The function that brings what has changed in the source into the lake."""
        return self._function(
            "Capture",
            name="raw_data_to_ingestion_bucket",
            description="What has changed in the source becomes the next batch of the lake",
            scheduled=True,
            settings=self._environment.capture,
            variables=CaptureSettings(
                ingestion_bucket=data.ingestion.bucket_name,
                source_secret=data.source.secret_arn,
                mass_deletion_percent=self._environment.mass_deletion_percent,
                rows_in_one_function=self._environment.rows_in_one_function,
            ),
            permissions=[
                list_objects(data.ingestion),
                read_and_write_objects(data.ingestion),
                read_secret(data.source),
            ],
            speaks_to_source=True,
        )

    def transform_function(self, data: TakenData) -> lambda_.IFunction:
        """The function that transforms the batches of the lake into star rows."""
        return self._function(
            "Transform",
            name="ingestion_to_processed_bucket",
            description="Every batch that waits in the lake becomes star rows",
            scheduled=True,
            settings=self._environment.transform,
            variables=StarSettings(
                ingestion_bucket=data.ingestion.bucket_name,
                processed_bucket=data.processed.bucket_name,
                rows_in_one_function=self._environment.rows_in_one_function,
                athena_database=athena_database(self._environment) if self._environment.athena else None,
            ),
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                list_objects(data.processed),
                read_and_write_objects(data.processed),
            ],
        )

    def load_function(self, data: TakenData) -> lambda_.IFunction:
        """The function that loads star rows into the warehouse."""
        return self._function(
            "Load",
            name="processed_bucket_to_warehouse",
            description="Every batch of star rows that waits is loaded into the warehouse, once",
            scheduled=True,
            settings=self._environment.load,
            variables=LoadSettings(
                ingestion_bucket=data.ingestion.bucket_name,
                processed_bucket=data.processed.bucket_name,
                warehouse_secret=data.warehouse.secret_arn,
                reporting_currency=rates.currency if (rates := self._environment.rates) else None,
            ),
            permissions=[
                list_objects(data.ingestion),
                list_objects(data.processed),
                read_objects(data.processed),
                read_secret(data.warehouse),
            ],
            speaks_to_warehouse=True,
        )

    def publish_function(self, data: TakenData, dashboard: TakenDashboard) -> lambda_.IFunction:
        """The function that publishes the warehouse's snapshot for the dashboard."""
        return self._function(
            "Publish",
            name="publish_snapshot",
            description="What the warehouse says becomes files for the dashboard",
            scheduled=True,
            settings=self._environment.publish,
            variables=PublishSettings(
                dashboard_bucket=dashboard.bucket.bucket_name,
                dashboard_secret=data.dashboard.secret_arn,
                user_pool=dashboard.user_pool,
                user_pool_client=dashboard.user_pool_client,
                identity_pool=dashboard.identity_pool,
                shop=self._environment.shop,
            ),
            permissions=[
                list_objects(dashboard.bucket),
                read_and_write_objects(dashboard.bucket),
                read_secret(data.dashboard),
            ],
            speaks_to_warehouse=True,
            folder=with_page(ROOT / "lambdas" / "publish_snapshot"),
        )

    def verify_function(self, data: TakenData, rotated: Mapping[str, secretsmanager.ISecret]) -> lambda_.IFunction:
        """The function that compares the warehouse with the source, and looks at the age of each `rotated` password."""
        return self._function(
            "Verify",
            name="verify_warehouse",
            description="Is the warehouse what the source says?",
            scheduled=True,
            settings=self._environment.verify,
            variables=VerifySettings(
                source_secret=data.source.secret_arn,
                ingestion_bucket=data.ingestion.bucket_name,
                warehouse_secret=data.warehouse.secret_arn,
                mass_deletion_percent=self._environment.mass_deletion_percent,
                rotated_secrets=" ".join(secret.secret_arn for secret in rotated.values()),
                rotation_days=self._environment.rotation_days,
            ),
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                read_secret(data.source),
                read_secret(data.warehouse),
                *map(describe_secret, rotated.values()),
                send_messages(self._dead_letters),
            ],
            speaks_to_source=True,
            speaks_to_warehouse=True,
        )

    def sweep_function(self, data: TakenData) -> lambda_.IFunction:
        """The function that deletes from the lake what no manifest names."""
        return self._function(
            "Sweep",
            name="sweep_ingestion_bucket",
            description="What stopped runs have left in the lake, and no manifest names, is deleted",
            scheduled=True,
            settings=self._environment.sweep,
            variables=SweepSettings(
                ingestion_bucket=data.ingestion.bucket_name, processed_bucket=data.processed.bucket_name
            ),
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                list_objects(data.processed),
                read_objects(data.processed, "manifests", "editions"),
                write_objects(data.ingestion, "sweeps"),
                delete_objects(data.ingestion, "batches", "holdings"),
                send_messages(self._dead_letters),
            ],
        )

    def audit_function(self, data: TakenData) -> lambda_.IFunction:
        """The function that compares the lake with its manifests."""
        return self._function(
            "Audit",
            name="audit_lake",
            description="Is the lake still what its manifests say?",
            scheduled=True,
            settings=self._environment.audit,
            variables=AuditSettings(
                ingestion_bucket=data.ingestion.bucket_name, processed_bucket=data.processed.bucket_name
            ),
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                list_objects(data.processed),
                read_objects(data.processed),
                send_messages(self._dead_letters),
            ],
        )

    def fetch_function(self, data: TakenData, rates: Rates) -> lambda_.IFunction:
        """The function that fetches exchange rates into the lake.

        It calls the internet and S3 only. It runs outside the VPC, so that code that fetches from the internet cannot
        reach the databases.
        """
        return self._function(
            "Fetch",
            name="fetch_exchange_rates",
            description="What currencies are worth, day by day, comes into the lake",
            scheduled=True,
            settings=self._environment.fetch,
            variables=RateSettings(
                ingestion_bucket=data.ingestion.bucket_name,
                processed_bucket=data.processed.bucket_name,
                reporting_currency=rates.currency,
                rate_sites=" ".join(rates.sites),
                rates_since=rates.since,
            ),
            permissions=[
                list_objects(data.ingestion),
                read_and_write_objects(data.ingestion, "rates"),
                list_objects(data.processed),
                write_objects(data.processed, "rates"),
                send_messages(self._dead_letters),
            ],
            outside=True,
        )

    def rotate_function(self, data: TakenData, rotated: Mapping[str, secretsmanager.ISecret]) -> lambda_.IFunction:
        """The function that changes the passwords of the `rotated` logins, and tries all the others as well."""
        return self._function(
            "Rotate",
            name="rotate_database_login",
            description="A step of the rotation of a database's password",
            scheduled=False,
            settings=_SMALL,
            variables=Settings(),
            permissions=[
                *(
                    rotate_secret(secret) if name in rotated else read_secret(secret)
                    for name, secret in data.logins.items()
                ),
                make_passwords(),
            ],
            speaks_to_source=True,
            speaks_to_warehouse=True,
        )

    def answer_function(self, data: TakenData) -> lambda_.IFunction:
        """The function that answers a person's questions about the databases."""
        return self._function(
            "Answer",
            name="answer_questions",
            description="What a person asks of the databases, who does not reach them",
            scheduled=False,
            settings=_ASKED,
            variables=AnswerSettings(source_secret=data.source.secret_arn, warehouse_secret=data.warehouse.secret_arn),
            permissions=[read_secret(data.source), read_secret(data.warehouse)],
            speaks_to_source=True,
            speaks_to_warehouse=True,
        )

    def prepare_function(self, data: TakenData, master: secretsmanager.ISecret) -> lambda_.IFunction:
        """The function that makes the roles of a warehouse of totes' own."""
        return self._function(
            "Prepare",
            name="prepare_warehouse",
            description="The roles of the warehouse, made or brought up to date by totes init",
            scheduled=False,
            settings=_SMALL,
            variables=PrepareSettings(
                master_secret=master.secret_arn,
                warehouse_secret=data.warehouse.secret_arn,
                dashboard_secret=data.dashboard.secret_arn,
            ),
            permissions=[read_secret(master), read_secret(data.warehouse), read_secret(data.dashboard)],
            speaks_to_warehouse=True,
        )

    def _function(
        self,
        id: str,  # noqa: A002 - CDK's word
        *,
        name: str,
        description: str,
        scheduled: bool,
        settings: FunctionSettings,
        variables: Settings,
        permissions: Sequence[Permission],
        speaks_to_source: bool = False,
        speaks_to_warehouse: bool = False,
        outside: bool = False,
        folder: Path | None = None,
    ) -> lambda_.IFunction:
        """Make a function, which alarms watch for being slow or throttled where a schedule starts it (`scheduled`)."""
        placement = None
        if self._network is not None and not outside:
            placement = self._network.placement(source=speaks_to_source, warehouse=speaks_to_warehouse)
        made = TotesFunction(
            self._stack,
            id,
            environment=self._environment,
            name=name,
            description=description,
            settings=settings,
            layers=self._layers,
            variables=variables.to_environment(),
            permissions=permissions,
            placement=placement,
            folder=folder,
        )
        self.made[name] = made.function
        self.watched.append(WatchedFunction.of(name, made, scheduled=scheduled))
        return made.function
