"""A local cloud whose schedules fire keeps the warehouse up to date with nobody typing a command."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_cloud import LocalCloud
from local_cloud.postgres import EmbeddedPostgres
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import totes
from tests.support.databases import rows, value
from tests.support.waiting import until


def test_the_schedule_starts_a_run_as_in_aws(databases: EmbeddedPostgres, folder: Path) -> None:
    state = folder / "state"
    databases.create_database("shop")
    shop = databases.uri("shop")
    assert totes("simulate", "--source", shop, "--orders", "10", "--for", "0").code == 0
    last = value(shop, "SELECT max(created_at)::date FROM sales_order")
    assert datetime.now(UTC).date() - last <= timedelta(days=2), "who opens the dashboard asks for the last weeks"
    answer = totes("local", "up", "--detach", "--schedule", "--source", shop, "--state", state)
    assert answer.code == 0, answer.err + answer.out
    try:
        assert "its schedules start runs by themselves" in answer.out
        assert "AWS::Scheduler::Schedule" not in answer.out
        running = Deployed(LocalCloud.attach(state), state)
        runs = running.cloud.client("stepfunctions")
        [machine] = runs.list_state_machines()["stateMachines"]

        def outcomes() -> list[str] | None:
            found = runs.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
            return None if found and found[0]["status"] == "RUNNING" else [each["status"] for each in found]

        assert until(outcomes, "no run has ended", seconds=120, pause=0.5) == ["SUCCEEDED"]
        assert rows(running.cloud.warehouse_uri, "SELECT count(*) FROM current_sales_order") == [(10,)]
        assert "the local cloud's schedules start runs by themselves" in running.totes("status").out
        asked = [
            json.loads(event["message"])
            for event in running.cloud.client("logs").filter_log_events(logGroupName="/local/authority")["events"]
        ]
        [start] = [each for each in asked if each["action"] == "states:StartExecution"]
        assert start["allowed"]
        assert start["resource"] == machine["stateMachineArn"]
    finally:
        totes("local", "down", "--state", state)
