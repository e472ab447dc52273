"""Clouds on this machine, deployed by the real cdk CLI, and the command line as a person types it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.assemblies import synthesised_once
from tests.support.databases import execute
from totes.errors import TotesError
from workbench import cloud
from workbench.cli.app import app
from workbench.cloud import LocalCloud
from workbench.cloud.postgres import EmbeddedPostgres
from workbench.errors import UserError

TOTES = Path(sys.executable).with_name("totes")


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def totes(*arguments: str | Path, timeout: float = 300, credentials: Mapping[str, str] | None = None) -> Answer:
    """Type a command, on a machine whose AWS credentials are these."""
    environment = {name: value for name, value in os.environ.items() if "ACCESS_KEY" not in name}
    environment |= credentials or {}
    done = subprocess.run(
        [TOTES, *arguments], capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def typed(*arguments: str | Path, answers: str | None = None) -> Answer:
    """Type a command in this very process, which spares a new one's seconds of imports; nobody is at a terminal."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=answers)
    if isinstance(done.exception, UserError | TotesError):
        return Answer(1, done.stdout, done.stderr + str(done.exception))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Answer(done.exit_code, done.stdout, done.stderr)


@dataclass(frozen=True)
class Deployed:
    """A local cloud and its folder."""

    cloud: LocalCloud
    state: Path

    def totes(self, *arguments: str) -> Answer:
        return totes(*arguments, "--state", self.state)

    def typed(self, *arguments: str, answers: str | None = None) -> Answer:
        return typed(*arguments, "--state", self.state, answers=answers)

    def run(self) -> dict[str, Any]:
        answer = self.typed("run", "--json")
        assert answer.code == 0, answer.err + answer.out
        result: dict[str, Any] = answer.json()
        return result


@pytest.fixture(scope="session", autouse=True)
def _synthesised_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with synthesised_once(tmp_path_factory):
        yield


@pytest.fixture(scope="session")
def _shared_cloud(_synthesised_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    state = tmp_path_factory.mktemp("cloud") / "deployed"
    running = cloud.up(state, source=None, warehouse=None, progress=lambda _: None)
    yield Deployed(running, state)
    if state.exists():
        cloud.down(state)


@pytest.fixture(scope="module")
def deployed(_shared_cloud: Deployed) -> Deployed:
    """A local cloud with databases of its own, deployed by the cdk CLI; databases and lake are empty."""
    for uri in (_shared_cloud.cloud.source_uri, _shared_cloud.cloud.warehouse_uri):
        execute(
            uri,
            "DROP SCHEMA IF EXISTS etl CASCADE; DROP SCHEMA public CASCADE; "
            "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
        )
    _empty_the_lake(_shared_cloud.cloud)
    return _shared_cloud


@pytest.fixture(scope="session")
def production(_synthesised_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Production's stacks on a local cloud, for those modules that take it one after the other."""
    state = tmp_path_factory.mktemp("cloud") / "production"
    yield Deployed(cloud.up(state, source=None, warehouse=None, progress=lambda _: None, environment="prod"), state)
    cloud.down(state)


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
