"""totes rebuild and totes replay, as a person types them: runs do the work, and the command follows them."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from command_line.deployment import Deployment
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import TOTES
from tests.support.content import content_of
from tests.support.databases import execute
from tests.support.waiting import until
from totes.lake import StarJournal


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    build(deployed.cloud.source_uri, orders=30, seed=3)
    deployed.run()
    change(deployed)
    deployed.run()
    return deployed


def change(shop: Deployed) -> None:
    execute(shop.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")


def lose_the_warehouse(shop: Deployed) -> None:
    execute(
        shop.cloud.warehouse_uri,
        "DROP SCHEMA public CASCADE; DROP SCHEMA etl CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    )


def test_a_lost_warehouse_is_made_again(shop: Deployed) -> None:
    lost = content_of(shop.cloud.warehouse_uri)
    lose_the_warehouse(shop)
    answer = shop.totes("rebuild")
    assert answer.code == 0, answer.err
    assert "→ Load" in answer.out
    assert "the warehouse was made again of 2 batches, by one run" in answer.out
    assert content_of(shop.cloud.warehouse_uri) == lost
    assert shop.run()["batch"] is None


def test_a_lost_warehouse_is_made_again_while_the_source_is_lost_too(shop: Deployed) -> None:
    lost = content_of(shop.cloud.warehouse_uri)
    lose_the_warehouse(shop)
    execute(shop.cloud.source_uri, "ALTER TABLE design RENAME TO mislaid")
    answer = shop.totes("rebuild")
    execute(shop.cloud.source_uri, "ALTER TABLE mislaid RENAME TO design")
    assert answer.code == 0, answer.err
    assert "the next run asks the lake alone" in answer.out
    assert "the warehouse was made again of 2 batches, by 2 runs" in answer.out
    assert content_of(shop.cloud.warehouse_uri) == lost


def test_batches_are_replayed(shop: Deployed) -> None:
    before = content_of(shop.cloud.warehouse_uri)
    answer = shop.totes("replay", "--from", "2", "--json").json()
    assert (answer["batches"], answer["runs"]) == (2, 1)
    assert content_of(shop.cloud.warehouse_uri) == before
    assert shop.run()["batch"] is None
    change(shop)
    assert shop.run()["batch"] == 3


def test_a_run_that_is_under_way_is_followed_and_is_no_error(shop: Deployed) -> None:
    deployment = Deployment.local(shop.state)
    edition = StarJournal(deployment.processed).edition
    client, machine = deployment.step_functions, deployment.outputs["StateMachineArn"]
    client.start_execution(stateMachineArn=machine, input=json.dumps({"replay_from": 1}))
    answer = shop.totes("replay", "--from", "1")
    assert answer.code == 0, answer.err
    assert StarJournal(deployment.processed).edition > edition


def test_who_stops_following_stops_nothing(shop: Deployed) -> None:
    deployment = Deployment.local(shop.state)
    edition = StarJournal(deployment.processed).edition
    command: list[str | Path] = [TOTES, "replay", "--from", "1", "--state", shop.state]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert following.stdout is not None
    while "→" not in following.stdout.readline():
        assert following.poll() is None
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=60)
    assert following.returncode == 1
    assert "totes: no longer following, and nothing is stopped" in errors
    client, machine = deployment.step_functions, deployment.outputs["StateMachineArn"]

    def outcome() -> str | None:
        status: str = client.list_executions(stateMachineArn=machine)["executions"][0]["status"]
        return None if status == "RUNNING" else status

    # The list lags behind, and the edition is what the run is for.
    until(lambda: StarJournal(deployment.processed).edition != edition, "no edition", seconds=60, pause=0.2)
    assert until(outcome, "the run has not ended", seconds=60, pause=0.2) == "SUCCEEDED"


@pytest.mark.parametrize("batch", ["0", "99"])
def test_a_batch_that_is_not_there_is_named_in_one_sentence(shop: Deployed, batch: str) -> None:
    answer = shop.totes("replay", "--from", batch)
    assert answer.code == 1
    assert f"the lake has no batch {batch}; it has 1 to" in answer.err
    assert "Traceback" not in answer.err
