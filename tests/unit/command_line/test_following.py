"""Who is no longer following a run learns what goes on, and what nobody has been asked for yet."""

from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from command_line import execution
from command_line.commands.app import app
from command_line.deployment import Deployment
from command_line.verification import Verification
from tests.unit.command_line.test_execution import RUNNING, StepFunctions, came_to
from totes.errors import UserError
from totes.outcomes import ANOTHER_RUN, GOING_ON

EXPIRED = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "it has expired"}}, "DescribeExecution")
LOST = EndpointConnectionError(endpoint_url="https://states.eu-west-2.amazonaws.com/")
LEFT = [KeyboardInterrupt(), EXPIRED, LOST]
AGAIN = "type the same command again"
NOT_BEGUN = f"nothing is stopped: what you ask for has not begun yet: {AGAIN}"
GOES_ON = "nothing is stopped: the run goes on and ends by itself"
WITH_EVERY_RUN = "every later one, the schedule's or one of totes run, goes on until all is done"


class Ended(StepFunctions):
    """Executions whose following ends early: by what stands where an execution would be described."""

    at = "Capture"

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's word
        looks = self._looks[executionArn]
        found = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(found, BaseException):
            raise found
        return cast("dict[str, Any]", found)

    def get_paginator(self, _: str) -> Any:
        states = [{"id": 1, "stateEnteredEventDetails": {"name": self.at}}]
        return SimpleNamespace(paginate=lambda **_: [{"events": states}])


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "time", Mock(monotonic=lambda: 0.0))


def told(monkeypatch: pytest.MonkeyPatch, words: list[str], runs: StepFunctions) -> str:
    """The sentence with which a command ends."""
    deployment = Mock(
        spec=Deployment, step_functions=runs, outputs={"StateMachineArn": "arn"}, endpoint=None, options="--env dev"
    )
    for module in ("runs", "quarantine"):
        monkeypatch.setattr(f"command_line.commands.{module}.deployment_of", Mock(return_value=deployment))
    monkeypatch.setattr("command_line.rebuilding.how_far", Mock(return_value=None))
    monkeypatch.setattr("command_line.rebuilding.Journal", Mock(**{"return_value.newest.return_value": 5}))
    monkeypatch.setattr("command_line.rebuilding.StarJournal", Mock())
    monkeypatch.setattr("command_line.quarantine.to_recapture", Mock(return_value={"payment": [1]}))
    differs = Verification(
        tables={"fact_payment": Mock(differences=1, rows=1)}, document={}, recapture={"payment": [1]}
    )
    monkeypatch.setattr("command_line.verification.verdict_on", Mock(return_value=differs))
    monkeypatch.setattr("command_line.commands.verification_view.verdict", Mock())
    said = CliRunner().invoke(app, words)
    assert isinstance(said.exception, UserError), said.output
    return str(said.exception)


COMMANDS = [
    ["rebuild"],
    ["replay", "--from", "1"],
    ["run", "--accept-deletes", "sales_order"],
    ["verify", "--repair"],
    ["quarantine", "retry"],
]


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("why", LEFT)
def test_behind_another_run_nothing_is_said_to_go_on(
    monkeypatch: pytest.MonkeyPatch, words: list[str], why: BaseException
) -> None:
    said = told(monkeypatch, words, Ended([came_to(ANOTHER_RUN)], hanging=[RUNNING, why]))
    assert said.endswith(NOT_BEGUN)


@pytest.mark.parametrize("words", COMMANDS)
def test_of_a_run_that_may_still_step_back_nothing_is_promised(
    monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    runs = Ended([RUNNING, KeyboardInterrupt()])
    runs.at = "Look for another run"
    said = told(monkeypatch, words, runs)
    assert "goes on, unless another one is under way, behind which it steps back" in said
    assert said.endswith(AGAIN)


@pytest.mark.parametrize("words", COMMANDS[2:])
@pytest.mark.parametrize("why", LEFT)
def test_a_run_that_has_begun_its_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, words: list[str], why: BaseException
) -> None:
    said = told(monkeypatch, words, Ended([RUNNING, why]))
    assert GOES_ON in said
    assert AGAIN not in said


@pytest.mark.parametrize("words", COMMANDS[:2])
@pytest.mark.parametrize("why", LEFT)
def test_later_runs_go_on_only_once_a_run_has_taken_it_up(
    monkeypatch: pytest.MonkeyPatch, words: list[str], why: BaseException
) -> None:
    said = told(monkeypatch, words, Ended([RUNNING, why]))
    assert "once it has taken up what you ask for, every later one goes on" in said
    assert said.endswith(f"if this run fails before, {AGAIN}")


@pytest.mark.parametrize("words", COMMANDS[:2])
@pytest.mark.parametrize("why", LEFT)
def test_once_a_run_has_recorded_it_every_later_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, words: list[str], why: BaseException
) -> None:
    said = told(monkeypatch, words, Ended([came_to(GOING_ON)], [RUNNING, why]))
    assert WITH_EVERY_RUN in said
    assert AGAIN not in said


@pytest.mark.parametrize(("why", "words"), [(EXPIRED, "log in again"), (LOST, "Could not connect to the endpoint")])
def test_what_aws_said_is_said_first(monkeypatch: pytest.MonkeyPatch, why: Exception, words: str) -> None:
    said = told(monkeypatch, ["run"], Ended([RUNNING, why]))
    assert said.startswith("AWS refused or did not answer: ")
    assert said.index(words) < said.index("the run goes on")


def test_where_no_run_could_be_started_the_refusal_is_all_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Ended([RUNNING])
    monkeypatch.setattr(runs, "start_execution", Mock(side_effect=EXPIRED))
    deployment = Mock(spec=Deployment, step_functions=runs, outputs={"StateMachineArn": "arn"}, options="")
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=deployment))
    assert CliRunner().invoke(app, ["run"]).exception is EXPIRED
