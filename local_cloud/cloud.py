"""A local cloud that is up, and clients of its services."""

import os
import shlex
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from psycopg2.extensions import parse_dsn

from local_cloud.account import REGION
from local_cloud.aws_models import shared_loader
from local_cloud.folder import CLOUD, StateFolder
from totes.errors import UserError

_of_thread = threading.local()
"""Has a thread's clients and the session that makes them: boto3's is not for two at once, and both are slow to make."""


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
        scheduled: whether the stacks' schedules fire.
    """

    state: Path
    endpoint: str
    source_uri: str
    warehouse_uri: str
    environment: str
    embedded: frozenset[str] = frozenset()
    scheduled: bool = False

    @classmethod
    def attach(cls, state: Path) -> "LocalCloud":
        """The cloud of a folder; raise UserError where none is up."""
        folder = StateFolder(state)
        document = folder.read(CLOUD)
        if folder.can_continue and not folder.is_running:
            raise UserError(f"the local cloud in {state} has stopped; {typed('up', state)} continues it")
        if document is None:
            raise UserError(f"no local cloud is up in {state}; {typed('up', state)} starts one")
        if not folder.is_running:
            raise UserError(f"the local cloud in {state} has stopped; {typed('up', state)} starts a new one")
        return cls(
            state=folder.path,
            endpoint=document["endpoint"],
            source_uri=document["source"],
            warehouse_uri=document["warehouse"],
            environment=document["environment"],
            embedded=frozenset(document.get("embedded", ())),  # of a cloud that an earlier totes started: unknown
            scheduled=document.get("scheduled", False),
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
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY", ""), "localhost", "127.0.0.1"))),
            "TOTES_SOURCE": self.source_uri,
            "TOTES_WAREHOUSE": self.warehouse_uri,
            **_parts("TOTES_SOURCE", self.source_uri),
            **_parts("TOTES_WAREHOUSE", self.warehouse_uri),
        }

    def client(self, service: str) -> Any:
        """A client of one of the cloud's services, by boto3's name for it."""
        return client(self.endpoint, service)


def client(endpoint: str, service: str) -> Any:
    """A client of one of the services of a local cloud's endpoint, by boto3's name for it."""
    if not hasattr(_of_thread, "session"):
        _of_thread.session, _of_thread.clients = _session(), {}
    if (endpoint, service) not in _of_thread.clients:
        _of_thread.clients[endpoint, service] = _of_thread.session.client(service, endpoint_url=endpoint)
    return _of_thread.clients[endpoint, service]


def typed(command: str, state: Path) -> str:
    """The command of `totes local` for the cloud of a folder, as a person types it."""
    return f"totes local {command} --state {shlex.quote(str(state))}"


def _parts(variable: str, uri: str) -> dict[str, str]:
    """The parts of a database's URI, for tools that want them one by one."""
    said = parse_dsn(uri)
    return {
        f"{variable}_{name.upper()}": said[name]
        for name in ("host", "port", "user", "password", "dbname")
        if name in said
    }


def _session() -> boto3.Session:
    # What this machine says of AWS, in variables and files, says nothing of a local cloud.
    unset = {
        name: (None, None, default, conversion)
        for name, (_, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    core = botocore.session.Session(session_vars={**unset, **files})
    core.register_component("data_loader", shared_loader())
    core.set_default_client_config(Config(proxies={}))  # localhost is reached directly
    return boto3.Session(
        botocore_session=core,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the endpoint asks for some, whichever
        region_name=REGION,
    )
