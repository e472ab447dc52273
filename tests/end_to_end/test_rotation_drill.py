"""Passwords are rotated at random moments of fifty runs: all is loaded exactly once, and none is seen anywhere."""

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

import local_cloud
from command_line.deployment import Deployment
from command_line.execution import run
from command_line.logins import Logins
from simulator import Shop, build
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import totes
from tests.support.databases import execute, rows, value
from tests.support.oracle import assert_warehouse_mirrors

RUNS = 50
CANARY = "canary-in-the-mine"


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Production's stacks, whose functions log in by roles of their own; the source's first password is a canary."""
    state = tmp_path_factory.mktemp("cloud") / "state"
    running = Deployed(
        local_cloud.up(state, source=None, warehouse=None, say=lambda _step: None, environment="prod"), state
    )
    try:
        build(running.cloud.source_uri, orders=60, seed=4)
        execute(running.cloud.source_uri, f"ALTER ROLE totes_source PASSWORD '{CANARY}'")
        dsn = parse_dsn(running.cloud.source_uri)
        Logins(Deployment.local(state)).store(
            "source",
            {
                "host": dsn["host"],
                "port": int(dsn["port"]),
                "dbname": dsn["dbname"],
                "username": "totes_source",
                "password": CANARY,
            },
        )
        yield running
    finally:
        local_cloud.down(state)


class Rotator(threading.Thread):
    """Rotates one password after another, at random moments, and remembers them all."""

    def __init__(self, deployed: Deployed) -> None:
        super().__init__()
        self._logins = Logins(Deployment.local(deployed.state))
        self._secrets = deployed.cloud.client("secretsmanager")
        self._outputs = Deployment.local(deployed.state).outputs
        self._random = random.Random(11)  # noqa: S311 - chance, not secrecy
        self.over = threading.Event()
        self.rotations = {"source": 0, "warehouse": 0}
        self.passwords: set[str] = set()
        self.errors: list[Exception] = []

    def run(self) -> None:
        try:
            while not self.over.wait(self._random.uniform(0, 2)):
                role = self._random.choice(["source", "warehouse"])
                self._logins.rotate(role)
                self.rotations[role] += 1
                self.passwords.add(self._password(role))
        except Exception as error:  # noqa: BLE001 - told by the test
            self.errors.append(error)

    def _password(self, role: str) -> str:
        text = self._secrets.get_secret_value(SecretId=self._outputs[f"{role.capitalize()}SecretArn"])["SecretString"]
        return str(json.loads(text)["password"])


def test_fifty_runs_under_rotation_lose_nothing_and_show_no_password(drilled: Deployed) -> None:
    deployment, shop = Deployment.local(drilled.state), Shop(drilled.cloud.source_uri, seed=3)
    rotator = Rotator(drilled)
    rotator.start()
    try:
        outcomes = []
        for _ in range(RUNS):
            shop.trade(6)
            outcomes.append(run(deployment, lambda _state: None))
    finally:
        rotator.over.set()
        rotator.join()
    assert rotator.errors == []
    assert min(rotator.rotations.values()) >= 5, rotator.rotations
    assert [outcome.error for outcome in outcomes if not outcome.succeeded] == []

    assert run(deployment, lambda _state: None).succeeded
    assert_warehouse_mirrors(drilled.cloud.source_uri, drilled.cloud.warehouse_uri)
    assert drilled.totes("verify").code == 0
    batches = value(drilled.cloud.warehouse_uri, "SELECT array_agg(batch_id ORDER BY batch_id) FROM etl.batch")
    assert batches == list(range(1, len(batches) + 1))
    assert (
        rows(
            drilled.cloud.warehouse_uri,
            "SELECT payment_id FROM fact_payment GROUP BY payment_id, batch_id HAVING count(*) > 1",
        )
        == []
    )

    assert seen(drilled, {CANARY, *rotator.passwords}) == []


def test_a_person_never_sees_a_password(drilled: Deployed) -> None:
    for command in (["secrets", "list"], ["secrets", "test", "source"], ["status"], ["secrets", "rotate", "source"]):
        answer = drilled.totes(*command)
        assert answer.code == 0, answer.err
        assert CANARY not in answer.out + answer.err
    refused = totes("secrets", "test", "nobody", "--state", drilled.state)
    assert refused.code == 1
    assert "there is no login 'nobody'" in refused.err


def seen(deployed: Deployed, passwords: set[str]) -> list[str]:
    """Where a password is that should be in Secrets Manager alone: logs, states, templates, variables, files."""
    return [place for place, text in places(deployed) if any(password in text for password in passwords)]


def places(deployed: Deployed) -> Iterator[tuple[str, str]]:
    logs = deployed.cloud.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            yield from ((group["logGroupName"], event["message"]) for event in page["events"])
    yield from _histories(deployed.cloud.client("stepfunctions"))
    for function in deployed.cloud.client("lambda").list_functions()["Functions"]:
        yield function["FunctionName"], str(function)
    for file in _files(deployed.state):
        yield str(file), file.read_text(errors="replace")


def _histories(step_functions: Any) -> Iterator[tuple[str, str]]:
    for machine in step_functions.list_state_machines()["stateMachines"]:
        for page in step_functions.get_paginator("list_executions").paginate(
            stateMachineArn=machine["stateMachineArn"]
        ):
            for execution in page["executions"]:
                told = step_functions.get_paginator("get_execution_history")
                for history in told.paginate(executionArn=execution["executionArn"]):
                    yield execution["name"], str(history["events"])


def _files(state: Path) -> list[Path]:
    """What the cloud has written, but for the database's own files and the document that a person connects by."""
    left_out: set[str] = {"postgres", "code", "cloud.json", "databases.json"}
    return [
        file
        for file in state.rglob("*")
        if file.is_file() and not left_out & set(file.relative_to(state).parts) and file.stat().st_size < 10_000_000
    ]


def test_the_search_finds_what_is_there(drilled: Deployed) -> None:
    logs: Any = drilled.cloud.client("logs")
    logs.create_log_group(logGroupName="careless")
    logs.create_log_stream(logGroupName="careless", logStreamName="one")
    logs.put_log_events(
        logGroupName="careless",
        logStreamName="one",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": f"login {CANARY}"}],
    )
    assert seen(drilled, {CANARY}) == ["careless"]
