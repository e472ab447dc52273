"""The stateless stack: all that moves the data; it can be deleted and deployed anew at any time."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import Environment
from stacks.data_stack import DataStack
from stacks.parts.etl_function import EtlFunction
from stacks.parts.layers import Layers
from stacks.parts.permissions import list_objects, read_and_write_objects, read_objects, read_secret
from stacks.parts.schedule import NightSchedule, TickSchedule
from stacks.parts.state_machine import StateMachine
from stacks.stack import TotesStack


class PipelineStack(TotesStack):
    """Layers, functions, state machine and schedule."""

    def __init__(self, scope: Construct, environment: Environment, *, data: DataStack) -> None:
        super().__init__(
            scope, "pipeline", environment=environment, description="totes: from the source to the warehouse"
        )
        self._environment = environment
        self._layers = Layers(self, "Layers", environment=environment)
        machine = StateMachine(
            self,
            "Pipeline",
            environment=environment,
            ingest=self._capture(data),
            transform=self._transform(data),
            load=self._load(data),
        ).state_machine
        TickSchedule(self, "Ticks", environment=environment, state_machine=machine)
        NightSchedule(self, "Nights", environment=environment, verify=self._verify(data))
        for key, value in {
            "StateMachineArn": machine.state_machine_arn,
            "IngestionBucket": data.ingestion.bucket_name,
            "ProcessedBucket": data.processed.bucket_name,
            "SourceSecretArn": data.source.secret_arn,
            "WarehouseSecretArn": data.warehouse.secret_arn,
        }.items():
            cdk.CfnOutput(self, key, value=value)

    def _capture(self, data: DataStack) -> lambda_.IFunction:
        return EtlFunction(
            self,
            "Capture",
            environment=self._environment,
            name="raw_data_to_ingestion_bucket",
            description="What has changed in the source becomes the next batch of the lake",
            settings=self._environment.capture,
            layers=self._layers,
            variables={
                "INGESTION_BUCKET": data.ingestion.bucket_name,
                "SOURCE_SECRET": data.source.secret_arn,
                "MASS_DELETION_PERCENT": str(self._environment.mass_deletion_percent),
            },
            permissions=[
                list_objects(data.ingestion),
                read_and_write_objects(data.ingestion),
                read_secret(data.source),
            ],
        ).function

    def _transform(self, data: DataStack) -> lambda_.IFunction:
        return EtlFunction(
            self,
            "Transform",
            environment=self._environment,
            name="ingestion_to_processed_bucket",
            description="Every batch that waits in the lake becomes star rows",
            settings=self._environment.transform,
            layers=self._layers,
            variables={
                "INGESTION_BUCKET": data.ingestion.bucket_name,
                "PROCESSED_BUCKET": data.processed.bucket_name,
            },
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                list_objects(data.processed),
                read_and_write_objects(data.processed),
            ],
        ).function

    def _load(self, data: DataStack) -> lambda_.IFunction:
        return EtlFunction(
            self,
            "Load",
            environment=self._environment,
            name="processed_bucket_to_warehouse",
            description="Every batch of star rows that waits is loaded into the warehouse, once",
            settings=self._environment.load,
            layers=self._layers,
            variables={"PROCESSED_BUCKET": data.processed.bucket_name, "WAREHOUSE_SECRET": data.warehouse.secret_arn},
            permissions=[
                list_objects(data.processed),
                read_objects(data.processed),
                read_secret(data.warehouse),
            ],
        ).function

    def _verify(self, data: DataStack) -> lambda_.IFunction:
        return EtlFunction(
            self,
            "Verify",
            environment=self._environment,
            name="verify_warehouse",
            description="Is the warehouse what the source says?",
            settings=self._environment.verify,
            layers=self._layers,
            variables={
                "SOURCE_SECRET": data.source.secret_arn,
                "INGESTION_BUCKET": data.ingestion.bucket_name,
                "WAREHOUSE_SECRET": data.warehouse.secret_arn,
            },
            permissions=[
                list_objects(data.ingestion),
                read_objects(data.ingestion),
                read_secret(data.source),
                read_secret(data.warehouse),
            ],
        ).function
