"""The real cdk CLI deploys the real stacks to a cloud on this machine."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import local_cloud
from command_line.deployment import Deployment
from local_cloud import LocalCloud, cdk
from local_cloud.account import ACCOUNT, REGION
from local_cloud.cdk import TOOLKIT, Cdk
from local_cloud.folder import StateFolder
from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import execute, rows, value
from totes.errors import UserError


def ignore(step: str) -> None:
    pass


@pytest.fixture(scope="module")
def warehouse(postgres: EmbeddedPostgres) -> str:
    """A database of the person's own."""
    postgres.create_database("their_warehouse")
    uri = postgres.uri("their_warehouse")
    execute(uri, "CREATE TABLE their_own (kind text); INSERT INTO their_own VALUES ('tote')")
    return uri


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, warehouse: str) -> Iterator[LocalCloud]:
    """A cloud with an embedded source and a warehouse that is named."""
    steps: list[str] = []
    state = tmp_path_factory.mktemp("cloud") / "state"
    running = local_cloud.up(state, source=None, warehouse=warehouse, say=steps.append)
    assert steps[0] == "Looking at the warehouse"
    assert any(step.startswith("Deploying the stacks; these are only recorded here: ") for step in steps)
    yield running
    if state.exists():
        local_cloud.down(state)


def test_the_stacks_are_there(running: LocalCloud) -> None:
    stacks = running.client("cloudformation").describe_stacks()["Stacks"]
    assert {stack["StackName"]: stack["StackStatus"] for stack in stacks} == {
        "totes-toolkit": "CREATE_COMPLETE",
        "totes-local-data": "CREATE_COMPLETE",
        "totes-local-dashboard": "CREATE_COMPLETE",
        "totes-local-pipeline": "CREATE_COMPLETE",
        "totes-local-watch": "CREATE_COMPLETE",
    }


def test_the_secrets_hold_the_databases_logins(running: LocalCloud, warehouse: str) -> None:
    secrets, outputs = running.client("secretsmanager"), Deployment.local(running.state).outputs
    source = json.loads(secrets.get_secret_value(SecretId=outputs["SourceSecretArn"])["SecretString"])
    target = json.loads(secrets.get_secret_value(SecretId=outputs["WarehouseSecretArn"])["SecretString"])
    assert source["dbname"] == "totesys"
    assert target["dbname"] == "their_warehouse"
    assert target["password"] in warehouse
    assert "sslmode" not in target, "it is the placeholder's, not theirs"


def test_it_can_be_attached_to_and_is_the_same(running: LocalCloud) -> None:
    assert LocalCloud.attach(running.state) == running


def test_another_does_not_come_up_in_its_folder(running: LocalCloud) -> None:
    with pytest.raises(UserError, match="already up"):
        local_cloud.up(running.state, source=None, warehouse=None, say=ignore)
    assert LocalCloud.attach(running.state) == running


def test_the_account_is_bootstrapped_as_the_cli_does_it(running: LocalCloud, tmp_path: Path) -> None:
    said = subprocess.run(
        cdk.command("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--qualifier", "totes", "--toolkit-stack-name", TOOLKIT),
        cwd=tmp_path,
        env=cdk.variables_for_local(running.endpoint),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bootstrapped (no changes)" in said.stdout + said.stderr


def test_deploying_once_more_changes_nothing(running: LocalCloud, tmp_path: Path) -> None:
    with Cdk(assembly=tmp_path / "cdk.out", log=tmp_path / "cdk.log") as cli:
        cli.synthesise().finish()
        cli.deploy(running.endpoint).finish()
    said = (tmp_path / "cdk-deployment.log").read_text()
    assert said.count("(no changes)") == 4, said


def test_a_deployment_that_fails_shows_what_cdk_said(running: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    with (
        Cdk(assembly=tmp_path / "cdk.out", log=tmp_path / "cdk.log") as cli,
        pytest.raises(UserError, match=r"the deployment failed; all that cdk said is in .*cdk-deployment\.log"),
    ):
        cli.deploy(running.endpoint).finish()


def test_a_database_that_cannot_be_used_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the source cannot be reached"):
        local_cloud.up(tmp_path / "state", source="postgresql://me:pw@127.0.0.1:1/shop", warehouse=None, say=ignore)
    assert not (tmp_path / "state").exists()


def test_down_leaves_nothing_but_what_is_theirs(running: LocalCloud, warehouse: str) -> None:
    assert value(running.source_uri, "SELECT 1") == 1
    daemon = psutil.Process(next(int(note.name) for note in (running.state / "daemon").iterdir()))
    local_cloud.down(running.state)
    assert not daemon.is_running() or daemon.status() == psutil.STATUS_ZOMBIE
    assert not running.state.exists()
    assert rows(warehouse, "TABLE their_own") == [("tote",)]
    with pytest.raises(UserError, match="no local cloud is up"):
        LocalCloud.attach(running.state)
    with pytest.raises(UserError, match="no local cloud is up"):
        local_cloud.down(running.state)


def test_a_failed_deployment_leaves_its_log_and_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "cdk.json").write_text(json.dumps({"app": "echo no stacks today && exit 3"}))
    monkeypatch.setattr("local_cloud.cdk.PROJECT", app)
    state = tmp_path / "state"
    with pytest.raises(UserError, match=r"(?s)the synthesis failed.*no stacks today"):
        local_cloud.up(state, source=None, warehouse=None, say=ignore)
    assert not StateFolder(state).is_running
    assert "no stacks today" in (state / "cdk-synthesis.log").read_text()
    notes = StateFolder(state).path / "daemon"
    assert not list(notes.iterdir())
