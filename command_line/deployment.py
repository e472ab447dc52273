"""A deployed totes, in an AWS account or in a local cloud: its clients and the outputs of its stack."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from command_line.typed_commands import completed
from local_cloud import LocalCloud
from totes.dashboard_snapshot import Folder
from totes.errors import UserError
from totes.lake import Bucket
from totes.logins import database_of
from totes.names import DATA

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


class NotDeployedError(UserError):
    """There is no such stack, or its first deployment has never been completed."""


_NOT_MADE = frozenset(
    {
        *("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_FAILED"),
        *("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"),
    }
)
"""The states of a stack whose first deployment has not been completed, so that it has no outputs."""


def ordinary_session() -> boto3.Session:
    """A session with this machine's credentials, in the region that AWS_REGION names, as the cdk CLI understands it.

    Of all AWS SDKs only Python's reads AWS_DEFAULT_REGION instead:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)


@dataclass(frozen=True)
class Deployment:
    """What the command line needs of a deployed stack.

    Attributes:
        name: what a person calls it.
        session: whose clients reach it.
        endpoint: where they reach it; None for AWS itself.
        environment: dev, prod or local.
        options: how the command line names it.
        embedded: the databases ("source", "warehouse") that a local cloud has of its own.
        scheduled: whether a local cloud fires its schedules.
    """

    name: str
    session: boto3.Session
    endpoint: str | None
    environment: str
    options: str = ""
    embedded: frozenset[str] = frozenset()
    scheduled: bool = False

    @classmethod
    def local(cls, state: Path) -> "Deployment":
        """The local cloud of a state directory; raise UserError where it is not up."""
        cloud = LocalCloud.attach(state)
        name = f"the local cloud in {state}"
        options = f"--state {shlex.quote(str(state))}"
        return cls(name, cloud.session(), cloud.endpoint, cloud.environment, options, cloud.embedded, cloud.scheduled)

    @classmethod
    def in_account(cls, environment: str) -> "Deployment":
        """The environment deployed in the account of the ordinary AWS credentials."""
        return cls(f"environment {environment}", ordinary_session(), None, environment, f"--env {environment}")

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the data's and the pipeline's stack; raise NotDeployedError where there is no such stack."""
        return {**self._outputs_of("data"), **self._outputs_of("pipeline")}

    @cached_property
    def network_outputs(self) -> Mapping[str, str]:
        """The outputs of the stack of the network that functions are in; raise NotDeployedError where there is none."""
        named = self.outputs.get("NetworkStack", f"totes-{self.environment}-network")
        return self._outputs_of(named.removeprefix(f"totes-{self.environment}-"))

    @cached_property
    def dashboard_outputs(self) -> Mapping[str, str]:
        """The outputs of the dashboard's stack; raise NotDeployedError where there is none."""
        return self._outputs_of("dashboard")

    @cached_property
    def alarm_topic(self) -> str:
        """The ARN of the alarms' topic; raise NotDeployedError where there is no such stack."""
        return self._outputs_of("watch")["AlarmTopicArn"]

    def _outputs_of(self, part: str) -> Mapping[str, str]:
        client = self.session.client("cloudformation", endpoint_url=self.endpoint)
        name = f"totes-{self.environment}-{part}"
        try:
            [stack] = client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            raise self._not_deployed(f"there is no stack {name} in {self.name}; deploy it first") from error
        if "Outputs" not in stack and stack["StackStatus"] in _NOT_MADE:
            raise self._not_deployed(
                f"stack {name} in {self.name} is {stack['StackStatus']}: its first deployment has not come to its end; "
                "if it has failed, the stack's events say why, and once that is cured, deploy again"
            )
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def _not_deployed(self, sentence: str) -> NotDeployedError:
        return NotDeployedError(completed(f"{sentence} (cdk deploy --all)", self.options))

    def owns(self, login_name: str) -> bool:
        """Whether the server of a login is totes' own, so that nobody else uses its databases and roles.

        Args:
            login_name: source, warehouse or dashboard, which is in the warehouse.
        """
        database = database_of(login_name)
        if self.endpoint is not None:
            return database in self.embedded
        return database == "warehouse" and "PrepareFunction" in self.outputs

    @cached_property
    def step_functions(self) -> "SFNClient":
        """The Step Functions client."""
        return self.session.client("stepfunctions", endpoint_url=self.endpoint)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """The Secrets Manager client."""
        return self.session.client("secretsmanager", endpoint_url=self.endpoint)

    @property
    def ingestion(self) -> Bucket:
        """The ingestion bucket."""
        return self._bucket("IngestionBucket")

    @property
    def processed(self) -> Bucket:
        """The processed bucket."""
        return self._bucket("ProcessedBucket")

    @property
    def snapshots(self) -> Folder:
        """Where the dashboard's snapshots lie; raise NotDeployedError where there is no dashboard."""
        client: S3Client = self.session.client("s3", endpoint_url=self.endpoint)
        return Folder(self.dashboard_outputs["DashboardBucket"], DATA, client)

    def _bucket(self, output: str) -> Bucket:
        client: S3Client = self.session.client("s3", endpoint_url=self.endpoint)
        return Bucket(self.outputs[output], client)
