"""The local cloud as a person meets it: up, attached to, down."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from workbench.cloud.cdk import Cdk
from workbench.cloud.databases import login
from workbench.cloud.folder import CLOUD, DATABASES, ENDPOINT, StateFolder
from workbench.cloud.launch import Daemon
from workbench.cloud.place import REGION
from workbench.cloud.recorded import only_recorded
from workbench.errors import UserError

Progress = Callable[[str], None]

_ROLES = {"source": "SourceSecretArn", "warehouse": "WarehouseSecretArn"}
"""The databases, and the stack's outputs that name their secrets."""


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """A local cloud that is up.

    Attributes:
        state: its folder.
        endpoint: of AWS, as a URL.
        source_uri: of the source database.
        warehouse_uri: of the warehouse database.
        environment: the one whose stacks are deployed.
    """

    state: Path
    endpoint: str
    source_uri: str
    warehouse_uri: str
    environment: str

    @classmethod
    def attach(cls, state: Path) -> "LocalCloud":
        """The cloud of a folder; raise UserError where none is up."""
        folder = StateFolder(state)
        document = folder.read(CLOUD)
        if document is None:
            raise UserError(f"no local cloud is up in {state}; totes local up starts one")
        if not folder.is_running:
            raise UserError(f"the local cloud in {state} has stopped; totes local up starts a new one")
        return cls(
            state=folder.path,
            endpoint=document["endpoint"],
            source_uri=document["source"],
            warehouse_uri=document["warehouse"],
            environment=document["environment"],
        )

    def session(self) -> boto3.Session:
        """A session with the cloud's account, whatever profiles this machine has; its clients want the endpoint."""
        return _session()

    def client(self, service: str) -> Any:
        """A client of one of the cloud's services, by boto3's name for it."""
        session: Any = _session()
        return session.client(service, endpoint_url=self.endpoint)


def up(
    state: Path,
    *,
    source: str | None,
    warehouse: str | None,
    progress: Progress,
    environment: str = "local",
    tied: bool = False,
) -> LocalCloud:
    """Start a local cloud and deploy the stacks into it.

    Args:
        state: the folder for everything it makes; new, empty, or that of a local cloud which does not run.
        source: URI of the source; None: an empty database of an embedded PostgreSQL.
        warehouse: URI of the warehouse; None: likewise. A database that is named is neither altered nor dropped.
        progress: called with a short sentence at each step.
        environment: whose stacks are deployed, built for this machine.
        tied: whether the cloud ends when this process does, even by kill -9; its folder stays then, until `down`.

    Raises:
        UserError: a cloud runs in that folder already, a database cannot be used, or the deployment failed.
    """
    given = {role: uri for role, uri in (("source", source), ("warehouse", warehouse)) if uri is not None}
    databases = []
    for role, uri in given.items():
        progress(f"Looking at the {role}")
        found = login(uri, role)
        databases.append((found["host"], found["port"], found["dbname"]))
    if len(databases) > len(set(databases)):
        raise UserError("source and warehouse are the same database; totes writes to the warehouse, name another one")
    folder = StateFolder(state)
    lock = folder.claim()
    try:
        return _up(folder, lock, given, progress, environment=environment, tied=tied)
    except BaseException:
        folder.end_everything()
        raise
    finally:
        os.close(lock)


def down(state: Path) -> None:
    """End a local cloud, with all that it has started, and remove its folder; databases named by URI stay.

    What is left of a cloud that was killed is removed as well.

    Raises:
        UserError: there is no cloud in that folder.
    """
    folder = StateFolder(state)
    if not folder.exists:
        raise UserError(f"no local cloud is up in {state}")
    folder.remove()


def _up(
    folder: StateFolder, lock: int, given: Mapping[str, str], progress: Progress, *, environment: str, tied: bool
) -> LocalCloud:
    embed = [role for role in _ROLES if role not in given]
    progress("Starting PostgreSQL and the AWS endpoint" if embed else "Starting the AWS endpoint")
    with Cdk(assembly=folder.assembly, log=folder.cdk_log, environment=environment) as cdk:
        synthesis = cdk.synthesise()
        daemon = Daemon(folder, lock, embed, tied=tied)
        endpoint = daemon.says(ENDPOINT)["endpoint"]
        progress("Bootstrapping the account")
        cdk.bootstrap(endpoint).finish()
        uris = {**given, **(daemon.says(DATABASES) if embed else {})}
        progress("Synthesising the stacks")
        synthesis.finish()
        if recorded := only_recorded(folder.assembly):
            progress(f"Deploying the stacks; these are only recorded here: {', '.join(recorded)}")
        else:
            progress("Deploying the stacks")
        cdk.deploy(endpoint).finish()
    cloud = LocalCloud(
        state=folder.path,
        endpoint=endpoint,
        source_uri=uris["source"],
        warehouse_uri=uris["warehouse"],
        environment=environment,
    )
    progress("Storing the databases' logins")
    _store_logins(cloud, uris)
    folder.write(
        CLOUD,
        {"endpoint": endpoint, "region": REGION, "pid": daemon.pid, "environment": environment, **uris},
    )
    return cloud


def _store_logins(cloud: LocalCloud, uris: Mapping[str, str]) -> None:
    """Store what the secrets are to say; a warehouse of totes' own is prepared as it would be in AWS."""
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]
        for output in stack.get("Outputs", [])
    }
    secrets = cloud.client("secretsmanager")
    logins = {role: login(uris[role], role) for role in _ROLES}
    if "PrepareFunction" in outputs:
        _prepare_own_warehouse(cloud, outputs, logins.pop("warehouse"))
    for role, values in logins.items():
        secrets.put_secret_value(SecretId=outputs[_ROLES[role]], SecretString=json.dumps(values))


def _prepare_own_warehouse(cloud: LocalCloud, outputs: Mapping[str, str], master: Mapping[str, Any]) -> None:
    """Let the server's superuser be RDS's master, and tell the roles' secrets where the server is."""
    secrets = cloud.client("secretsmanager")
    listed = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["rds!"]}])["SecretList"]
    [of_master] = [found["ARN"] for found in listed]
    secrets.put_secret_value(SecretId=of_master, SecretString=json.dumps(master))
    place = {name: value for name, value in master.items() if name not in {"username", "password"}}
    for output in ("WarehouseSecretArn", "DashboardSecretArn"):
        made = json.loads(secrets.get_secret_value(SecretId=outputs[output])["SecretString"])
        values = {**place, "username": made["username"], "password": made["password"]}
        secrets.put_secret_value(SecretId=outputs[output], SecretString=json.dumps(values))
    answer = cloud.client("lambda").invoke(FunctionName=outputs["PrepareFunction"])
    if answer.get("FunctionError"):
        raise UserError(f"the warehouse's roles were not made: {answer['Payload'].read().decode()}")


def _session() -> boto3.Session:
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    core.set_default_client_config(Config(proxies={}))  # localhost is reached directly
    return boto3.Session(
        botocore_session=core,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the endpoint asks for some, whichever
        region_name=REGION,
    )
