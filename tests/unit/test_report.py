"""Freshness is what a whole run has brought, and nothing less."""

import json
from datetime import UTC, datetime
from unittest.mock import Mock

from totes.outcomes import ANOTHER_RUN, GOING_ON, LOADED, NOTHING_CHANGED
from workbench.deployment import Deployment
from workbench.report import last_success


def deployment(outcomes: dict[int, str], *, seen: str = "2024-01-01T08:00:00+00:00", newest: int = 2) -> Deployment:
    """A deployment whose executions succeeded at these minutes, with these outcomes; each has captured batch 2."""
    client = Mock()
    client.list_executions.return_value = {
        "executions": [
            {"executionArn": str(minute), "startDate": datetime(2024, 1, 1, 8, minute, tzinfo=UTC)}
            for minute in outcomes
        ]
    }
    client.describe_execution.side_effect = lambda executionArn: {  # noqa: N803 - boto3's word
        "output": json.dumps(
            {
                "outcome": outcomes[int(executionArn)],
                "ingest": {"newest": 2, "seen": seen},
                "load": {"newest": newest},
            }
        )
    }
    return Mock(spec=Deployment, step_functions=client, outputs={"StateMachineArn": "arn"})


def test_the_newest_whole_run_tells_how_fresh_the_warehouse_is() -> None:
    newest = last_success(deployment({5: LOADED, 10: NOTHING_CHANGED, 0: LOADED}))
    assert newest == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)


def test_a_run_that_stepped_back_for_another_makes_nothing_fresh() -> None:
    newest = last_success(deployment({5: LOADED, 10: ANOTHER_RUN, 15: ANOTHER_RUN}))
    assert newest == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_before_the_first_whole_run_nothing_is_fresh() -> None:
    assert last_success(deployment({})) is None
    assert last_success(deployment({5: ANOTHER_RUN})) is None


def test_a_run_that_left_batches_to_the_next_makes_nothing_fresh_and_one_that_left_a_rebuild_does() -> None:
    assert last_success(deployment({5: GOING_ON}, newest=1)) is None
    assert last_success(deployment({5: GOING_ON}, newest=2)) == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_a_run_of_the_lake_alone_makes_nothing_fresh() -> None:
    assert last_success(deployment({5: LOADED}, seen="")) is None
