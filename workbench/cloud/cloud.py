"""The local cloud as a person meets it: up, attached to, down."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from psycopg2.extensions import parse_dsn

from workbench import libpq
from workbench.cloud.cdk import Cdk
from workbench.cloud.databases import (
    OWN_WAREHOUSE_ROLES,
    embedded_login,
    identity,
    login,
    refuse_roles_there,
    refuse_source,
)
from workbench.cloud.folder import CLOUD, DATABASES, ENDPOINT, StateFolder
from workbench.cloud.launch import Daemon
from workbench.cloud.network import inside
from workbench.cloud.place import REGION
from workbench.cloud.recorded import only_recorded
from workbench.errors import UserError

Progress = Callable[[str], None]

_LOOK_SECONDS = 0.5

_ROLES = {"source": "SourceSecretArn", "warehouse": "WarehouseSecretArn"}
"""The databases, and the stack's outputs that name their secrets."""


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """A local cloud that is up.

    Attributes:
        state: its folder.
        endpoint: of AWS, as a URL.
        source_uri: of the source database; of an embedded one as its administrator.
        warehouse_uri: of the warehouse database; likewise.
        environment: the one whose stacks are deployed.
        embedded: which of them ("source", "warehouse") are the cloud's own.
    """

    state: Path
    endpoint: str
    source_uri: str
    warehouse_uri: str
    environment: str
    embedded: frozenset[str] = frozenset()

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
            embedded=frozenset(document.get("embedded", ())),  # of a cloud that an earlier totes started: unknown
        )

    def session(self) -> boto3.Session:
        """A session with the cloud's account, whatever profiles this machine has; its clients want the endpoint."""
        return _session()

    def variables(self) -> dict[str, str]:
        """The environment variables by which other tools reach the cloud and its databases."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "TOTES_SOURCE": self.source_uri,
            "TOTES_WAREHOUSE": self.warehouse_uri,
            **_parts("TOTES_SOURCE", self.source_uri),
            **_parts("TOTES_WAREHOUSE", self.warehouse_uri),
        }

    def client(self, service: str) -> Any:
        """A client of one of the cloud's services, by boto3's name for it."""
        session: Any = _session()
        return session.client(service, endpoint_url=self.endpoint)


def _parts(variable: str, uri: str) -> dict[str, str]:
    """The parts of a database's URI, for tools that want them one by one."""
    said = parse_dsn(uri)
    return {
        f"{variable}_{name.upper()}": said[name]
        for name in ("host", "port", "user", "password", "dbname")
        if name in said
    }


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
    logins = {}
    with libpq.restored():
        for role, uri in given.items():
            progress(f"Looking at the {role}")
            logins[role] = login(uri, role)
        if warehouse is not None:
            # By the server's own word: one server has many names.
            if source is not None and identity(source) == identity(warehouse):
                raise UserError("source and warehouse are the same database; name another warehouse, to be written to")
            refuse_source(warehouse)
    folder = StateFolder(state)
    lock = folder.claim()
    try:
        return _up(folder, lock, given, logins, progress, environment=environment, tied=tied)
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


def wait(state: Path) -> None:
    """Return when the cloud of a folder has been taken down.

    Raises:
        UserError: it has ended without that; what it has left is still there.
    """
    folder = StateFolder(state)
    while folder.is_running:
        time.sleep(_LOOK_SECONDS)
    if folder.exists:
        raise UserError(
            f"the local cloud in {state} has stopped; what went wrong is in {folder.log}, and totes local down removes "
            "what is left"
        )


def _up(
    folder: StateFolder,
    lock: int,
    given: Mapping[str, str],
    logins: Mapping[str, Mapping[str, Any]],
    progress: Progress,
    *,
    environment: str,
    tied: bool,
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
        embedded=frozenset(embed),
    )
    progress("Storing the databases' logins")
    _store_logins(cloud, uris, logins)
    place = {"endpoint": endpoint, "region": REGION, "pid": daemon.pid, "environment": environment}
    folder.write(CLOUD, {**place, "embedded": embed, **uris})
    return cloud


def _store_logins(cloud: LocalCloud, uris: Mapping[str, str], given: Mapping[str, Mapping[str, Any]]) -> None:
    """Store what the secrets are to say; a warehouse of totes' own is prepared as it would be in AWS.

    An embedded database has a role of its own for each secret: a password that is rotated is nobody else's then.
    """
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", [])}
    has_network = any(stack["StackName"] == f"totes-{cloud.environment}-network" for stack in stacks)

    def placed(values: dict[str, Any], role: str) -> dict[str, Any]:
        return inside(values, role) if has_network and role in cloud.embedded else values

    secrets, roles = cloud.client("secretsmanager"), list(_ROLES)
    if "PrepareFunction" in outputs:
        roles.remove("warehouse")
        if "warehouse" in given:
            with libpq.restored():
                refuse_roles_there(uris["warehouse"], OWN_WAREHOUSE_ROLES)
        master = given.get("warehouse") or placed(login(uris["warehouse"], "warehouse"), "warehouse")
        _prepare_own_warehouse(cloud, outputs, master)
    for role in roles:
        values = given.get(role) or placed(embedded_login(uris[role], role), role)
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
