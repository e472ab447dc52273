"""The stateless stack: all that moves the data; it can be deleted and deployed again at any time."""

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.config import Environment, FunctionSettings, Rates
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.handed_dashboard import HandedDashboard, TakenDashboard
from stacks.constructs.handed_data import HandedData, TakenData
from stacks.constructs.handed_network import HandedNetwork, TakenNetwork
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
from stacks.constructs.rotation import Rotation
from stacks.constructs.schedule import FunctionSchedule, TickSchedule
from stacks.constructs.star_for_athena import StarForAthena, athena_database
from stacks.constructs.state_machine import StateMachine
from stacks.constructs.totes_function import TotesFunction
from stacks.constructs.watched import WatchedFunction, WatchedPipeline
from stacks.dependencies import ROOT
from stacks.packages import with_page
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


class PipelineStack(TotesStack):
    """Layers, functions, state machine, schedules and rotation.

    Attributes:
        watched: what alarms and the operations dashboard watch, by name.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        handed: HandedData,
        network: HandedNetwork | None,
        dashboard: HandedDashboard | None,
    ) -> None:
        super().__init__(
            scope, "pipeline", environment=environment, description="totes: from the source to the warehouse"
        )
        self._environment = environment
        self._network = None if network is None else TakenNetwork(self, network)
        data = TakenData(self, handed)
        self._layers = Layers(self, "Layers", environment=environment)
        self._functions: dict[str, TotesFunction] = {}
        dead_letters = DeadLetters(self, "DeadLetters", environment=environment)
        self._dead_letters = dead_letters.queue
        machine = StateMachine(
            self,
            "Pipeline",
            environment=environment,
            capture=self._capture(data),
            transform=self._transform(data),
            load=self._load(data),
            publish=self._publish(data, TakenDashboard(self, dashboard)) if dashboard else None,
        )
        if environment.athena:
            StarForAthena(self, "Athena", environment=environment, processed=data.processed)
        self._schedules(data, machine.state_machine)
        scheduled = set(self._functions)
        rotate = self._rotation(data)
        answer = self._answer(data)
        outputs = {
            "AnswerFunction": answer.function_name,
            "VerifyFunction": self._functions["verify_warehouse"].function.function_name,
            "StateMachineArn": machine.state_machine.state_machine_arn,
            "RotationFunction": rotate.function_name,
        }
        if data.master is not None:
            outputs["PrepareFunction"] = self._prepare(data, data.master).function_name
        if "fetch_exchange_rates" in self._functions:
            outputs["RatesFunction"] = self._functions["fetch_exchange_rates"].function.function_name
        if network is not None:
            outputs["NetworkStack"] = network.stack_name
        self.output(outputs)
        self.keep_exporting(
            self._dead_letters.queue_name,
            machine.state_machine.state_machine_arn,
            *(made.function.function_name for name, made in self._functions.items() if name not in _NEVER_EXPORTED),
        )
        self.watched = WatchedPipeline(
            state_machine=machine.name,
            dead_letters=dead_letters.name,
            functions=[
                WatchedFunction.of(name, made, scheduled=name in scheduled) for name, made in self._functions.items()
            ],
        )

    def _schedules(self, data: TakenData, state_machine: sfn.StateMachine) -> None:
        """What starts runs, and functions."""
        environment, dead_letters = self._environment, self._dead_letters
        TickSchedule(self, "Ticks", environment=environment, state_machine=state_machine, dead_letters=dead_letters)
        FunctionSchedule(
            self,
            "Nights",
            environment=environment,
            name="verify",
            description=f"Compares the warehouse of totes-{environment.name} with the source every night",
            function=self._verify(data),
            minute=7,
            dead_letters=dead_letters,
        )
        FunctionSchedule(
            self,
            "Sweeps",
            environment=environment,
            name="sweep",
            description=f"Deletes what stopped runs of totes-{environment.name} have left in the lake every night",
            function=self._sweep(data),
            minute=37,
            dead_letters=dead_letters,
        )
        FunctionSchedule(
            self,
            "Audits",
            environment=environment,
            name="audit",
            description=f"Compares a seventh of the lake of totes-{environment.name} with its manifests every night",
            function=self._audit(data),
            minute=52,
            dead_letters=dead_letters,
        )
        if environment.rates is not None:
            FunctionSchedule(
                self,
                "RateDays",
                environment=environment,
                name="rates",
                description=f"Fetches the exchange rates of totes-{environment.name} that are new four times a day",
                function=self._fetch(data, environment.rates),
                minute=22,
                hours="1,7,13,19",
                dead_letters=dead_letters,
            )

    def _rotation(self, data: TakenData) -> lambda_.IFunction:
        """What changes the logins' passwords; it tries those too that it leaves alone."""
        logins, rotated = _logins(data), self._rotated(data)
        rotate = self._rotate(
            [rotate_secret(secret) if name in rotated else read_secret(secret) for name, secret in logins.items()]
        )
        Rotation(self, "Rotation", environment=self._environment, function=rotate, secrets=rotated)
        cdk.CfnOutput(
            self,
            "RotatedLogins",
            value=",".join(rotated),
            description=(
                f"The logins whose passwords totes changes every {self._environment.rotation_days} days; that of a "
                "given secret only where stacks/config.py says rotates_secret=True, and none where it says False."
            ),
        )
        return rotate

    def _rotated(self, data: TakenData) -> dict[str, secretsmanager.ISecret]:
        """The secrets whose passwords totes changes, by their logins."""
        return {name: secret for name, secret in _logins(data).items() if name in self._environment.rotated_logins}

    def _capture(self, data: TakenData) -> lambda_.IFunction:
        return self._function(
            "Capture",
            name="raw_data_to_ingestion_bucket",
            description="What has changed in the source becomes the next batch of the lake",
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

    def _transform(self, data: TakenData) -> lambda_.IFunction:
        return self._function(
            "Transform",
            name="ingestion_to_processed_bucket",
            description="Every batch that waits in the lake becomes star rows",
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

    def _load(self, data: TakenData) -> lambda_.IFunction:
        return self._function(
            "Load",
            name="processed_bucket_to_warehouse",
            description="Every batch of star rows that waits is loaded into the warehouse, once",
            settings=self._environment.load,
            variables=LoadSettings(
                processed_bucket=data.processed.bucket_name,
                warehouse_secret=data.warehouse.secret_arn,
                reporting_currency=rates.currency if (rates := self._environment.rates) else None,
            ),
            permissions=[
                list_objects(data.processed),
                read_objects(data.processed),
                read_secret(data.warehouse),
            ],
            speaks_to_warehouse=True,
        )

    def _publish(self, data: TakenData, dashboard: TakenDashboard) -> lambda_.IFunction:
        return self._function(
            "Publish",
            name="publish_snapshot",
            description="What the warehouse says becomes files for the dashboard",
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

    def _verify(self, data: TakenData) -> lambda_.IFunction:
        rotated = self._rotated(data).values()
        return self._function(
            "Verify",
            name="verify_warehouse",
            description="Is the warehouse what the source says?",
            settings=self._environment.verify,
            variables=VerifySettings(
                source_secret=data.source.secret_arn,
                ingestion_bucket=data.ingestion.bucket_name,
                warehouse_secret=data.warehouse.secret_arn,
                rotated_secrets=" ".join(secret.secret_arn for secret in rotated),
                rotation_days=self._environment.rotation_days,
            ),
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                read_secret(data.source),
                read_secret(data.warehouse),
                *map(describe_secret, rotated),
                send_messages(self._dead_letters),
            ],
            speaks_to_source=True,
            speaks_to_warehouse=True,
        )

    def _sweep(self, data: TakenData) -> lambda_.IFunction:
        return self._function(
            "Sweep",
            name="sweep_ingestion_bucket",
            description="What stopped runs have left in the lake, and no manifest names, is deleted",
            settings=self._environment.sweep,
            variables=SweepSettings(ingestion_bucket=data.ingestion.bucket_name),
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                write_objects(data.ingestion, "sweeps"),
                delete_objects(data.ingestion, "batches", "holdings"),
                send_messages(self._dead_letters),
            ],
        )

    def _audit(self, data: TakenData) -> lambda_.IFunction:
        return self._function(
            "Audit",
            name="audit_lake",
            description="Is the lake still what its manifests say?",
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

    def _fetch(self, data: TakenData, rates: Rates) -> lambda_.IFunction:
        """It speaks to the internet and to S3, so it is in no network, where nothing of ours is to be reached by it."""
        return self._function(
            "Fetch",
            name="fetch_exchange_rates",
            description="What currencies are worth, day by day, comes into the lake",
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

    def _rotate(self, permissions: Sequence[Permission]) -> lambda_.Function:
        return self._function(
            "Rotate",
            name="rotate_database_login",
            description="A step of the rotation of a database's password",
            settings=_SMALL,
            variables=Settings(),
            permissions=[*permissions, make_passwords()],
            speaks_to_source=True,
            speaks_to_warehouse=True,
        )

    def _answer(self, data: TakenData) -> lambda_.IFunction:
        return self._function(
            "Answer",
            name="answer_questions",
            description="What a person asks of the databases, who does not reach them",
            settings=_ASKED,
            variables=AnswerSettings(source_secret=data.source.secret_arn, warehouse_secret=data.warehouse.secret_arn),
            permissions=[read_secret(data.source), read_secret(data.warehouse)],
            speaks_to_source=True,
            speaks_to_warehouse=True,
        )

    def _prepare(self, data: TakenData, master: secretsmanager.ISecret) -> lambda_.IFunction:
        return self._function(
            "Prepare",
            name="prepare_warehouse",
            description="The roles of the warehouse, made or brought up to date by totes init",
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
        settings: FunctionSettings,
        variables: Settings,
        permissions: Sequence[Permission],
        speaks_to_source: bool = False,
        speaks_to_warehouse: bool = False,
        outside: bool = False,
        folder: Path | None = None,
    ) -> lambda_.Function:
        placement = None
        if self._network is not None and not outside:
            placement = self._network.placement(source=speaks_to_source, warehouse=speaks_to_warehouse)
        made = TotesFunction(
            self,
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
        self._functions[name] = made
        return made.function


def _logins(data: TakenData) -> dict[str, secretsmanager.ISecret]:
    return {"source": data.source, "warehouse": data.warehouse, "dashboard": data.dashboard}


_NEVER_EXPORTED = {"audit_lake", "fetch_exchange_rates", "publish_snapshot"}
"""Functions that were added after stacks had stopped importing from each other."""

_SMALL = FunctionSettings(memory_mb=256, timeout_minutes=1)
"""What a function needs that only speaks to a database or two."""

_ASKED = FunctionSettings(memory_mb=512)
"""It counts rows, all that there are, and a page of what it reads is in memory twice."""
