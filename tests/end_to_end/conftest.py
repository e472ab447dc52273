"""Clouds on this machine, deployed by the real cdk CLI, and the command line as a person types it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import local_cloud
from command_line.deployment import Deployment
from local_cloud import LocalCloud
from local_cloud.postgres import EmbeddedPostgres
from tests.support.command_line import Answer, totes
from tests.support.daemons import forks
from tests.support.databases import execute
from tests.support.waiting import until
from totes.names import REPORT


@dataclass(frozen=True)
class Deployed:
    """A local cloud and its folder."""

    cloud: LocalCloud
    state: Path

    def totes(self, *arguments: str, answers: str = "") -> Answer:
        return totes(*arguments, "--state", self.state, answers=answers)

    def run(self) -> dict[str, Any]:
        answer = self.totes("run", "--json")
        assert answer.code == 0, answer.err + answer.out
        result: dict[str, Any] = answer.json()
        return result


@pytest.fixture(scope="session", autouse=True)
def _forks_know_no_test() -> Iterator[None]:
    """Commands, and clouds' daemons, are forked by a process that has seen no test's environment variables."""
    with forks():
        yield


@pytest.fixture(scope="session")
def _shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    state = tmp_path_factory.mktemp("cloud") / "deployed"
    running = local_cloud.up(state, source=None, warehouse=None, say=lambda _: None)
    yield Deployed(running, state)
    if state.exists():
        local_cloud.down(state)


@pytest.fixture(scope="module")
def deployed(_shared_cloud: Deployed) -> Deployed:
    """A local cloud with databases of its own, deployed by the cdk CLI; databases and lake are empty."""
    _empty(_shared_cloud.cloud)
    return _shared_cloud


@pytest.fixture(scope="session")
def _shared_development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    state = tmp_path_factory.mktemp("cloud") / "development"
    yield Deployed(local_cloud.up(state, source=None, warehouse=None, say=lambda _: None, environment="dev"), state)
    local_cloud.down(state)


@pytest.fixture(scope="module")
def development(_shared_development: Deployed) -> Iterator[Deployed]:
    """The stacks of dev, whose databases are in a network and empty, as is the lake; logins are the cloud's own."""
    running = _shared_development
    _empty(running.cloud)
    prepared = running.totes("init", "warehouse")
    assert prepared.code == 0, prepared.err
    secrets, outputs = running.cloud.client("secretsmanager"), Deployment.local(running.state).outputs
    own = secrets.get_secret_value(SecretId=outputs["SourceSecretArn"])["SecretString"]
    yield running
    secrets.put_secret_value(SecretId=outputs["SourceSecretArn"], SecretString=own)
    secrets.restore_secret(SecretId=outputs["DashboardSecretArn"])


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Production's stacks on a local cloud, for those modules that take it one after the other."""
    state = tmp_path_factory.mktemp("cloud") / "production"
    yield Deployed(local_cloud.up(state, source=None, warehouse=None, say=lambda _: None, environment="prod"), state)
    local_cloud.down(state)


def _empty(running: LocalCloud) -> None:
    """Leave nothing in the databases and in the lake, once no run is under way that would write there."""
    runs = running.client("stepfunctions")
    [machine] = runs.list_state_machines()["stateMachines"]
    until(
        lambda: (
            not runs.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")["executions"]
        )
    )
    for uri in (running.source_uri, running.warehouse_uri):
        execute(
            uri,
            f"DROP SCHEMA IF EXISTS etl CASCADE; DROP SCHEMA IF EXISTS {REPORT} CASCADE; "
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner; "
            "GRANT USAGE ON SCHEMA public TO PUBLIC",
        )
    _empty_the_lake(running)


def _empty_the_lake(running: LocalCloud) -> None:
    client = running.client("s3")
    for bucket in client.list_buckets()["Buckets"]:
        if "assets" in bucket["Name"]:
            continue
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket["Name"]):
            for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                client.delete_object(Bucket=bucket["Name"], Key=found["Key"], VersionId=found["VersionId"])


@pytest.fixture(scope="module")
def databases(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that is none of the cloud's: 16, as many users have it."""
    server = EmbeddedPostgres(folder / "databases", version=16)
    server.start()
    yield server
    server.stop()
