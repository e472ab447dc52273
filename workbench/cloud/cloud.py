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
from workbench.errors import UserError

Progress = Callable[[str], None]

PIPELINE_STACK = "totes-local-pipeline"

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
    """

    state: Path
    endpoint: str
    source_uri: str
    warehouse_uri: str

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
        )

    def session(self) -> boto3.Session:
        """A session with the cloud's account, whatever profiles this machine has; its clients want the endpoint."""
        return _session()

    def client(self, service: str) -> Any:
        """A client of one of the cloud's services, by boto3's name for it."""
        session: Any = _session()
        return session.client(service, endpoint_url=self.endpoint)


def up(state: Path, *, source: str | None, warehouse: str | None, progress: Progress, tied: bool = False) -> LocalCloud:
    """Start a local cloud and deploy the stacks into it.

    Args:
        state: the folder for everything it makes; new, empty, or that of a local cloud which does not run.
        source: URI of the source; None: an empty database of an embedded PostgreSQL.
        warehouse: URI of the warehouse; None: likewise. A database that is named is neither altered nor dropped.
        progress: called with a short sentence at each step.
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
        return _up(folder, lock, given, progress, tied=tied)
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


def _up(folder: StateFolder, lock: int, given: Mapping[str, str], progress: Progress, *, tied: bool) -> LocalCloud:
    embed = [role for role in _ROLES if role not in given]
    progress("Starting PostgreSQL and the AWS endpoint" if embed else "Starting the AWS endpoint")
    with Cdk(assembly=folder.assembly, log=folder.cdk_log) as cdk:
        synthesis = cdk.synthesise()
        daemon = Daemon(folder, lock, embed, tied=tied)
        endpoint = daemon.says(ENDPOINT)["endpoint"]
        progress("Bootstrapping the account")
        cdk.bootstrap(endpoint).finish()
        uris = {**given, **(daemon.says(DATABASES) if embed else {})}
        progress("Synthesising the stacks")
        synthesis.finish()
        progress("Deploying the stacks")
        cdk.deploy(endpoint).finish()
    cloud = LocalCloud(state=folder.path, endpoint=endpoint, source_uri=uris["source"], warehouse_uri=uris["warehouse"])
    progress("Storing the databases' logins")
    _store_logins(cloud, uris)
    folder.write(CLOUD, {"endpoint": endpoint, "region": REGION, "pid": daemon.pid, **uris})
    return cloud


def _store_logins(cloud: LocalCloud, uris: Mapping[str, str]) -> None:
    [stack] = cloud.client("cloudformation").describe_stacks(StackName=PIPELINE_STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    secrets = cloud.client("secretsmanager")
    for role, output in _ROLES.items():
        secrets.put_secret_value(SecretId=outputs[output], SecretString=json.dumps(login(uris[role], role)))


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
