"""What Step Functions says of an execution may be what was so a moment ago.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from moto.stepfunctions.exceptions import ExecutionDoesNotExist
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local_cloud.endpoint import listings
from local_cloud.endpoint.listings import list_executions

LONG_AGO = timedelta(hours=1)
MACHINE = "arn:aws:states:eu-west-2:123456789012:stateMachine:totes"
SUCCEEDED, FAILED, RUNNING = ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED, ExecutionStatus.RUNNING


@pytest.fixture(autouse=True)
def _a_moment_is_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_BEHIND", timedelta(minutes=1))
    for name in ("list_executions", "describe_execution"):  # monkeypatch puts moto's own back
        monkeypatch.setattr(StepFunctionBackend, name, getattr(StepFunctionBackend, name))
    listings.install()


class Machine:
    """A state machine whose executions began and ended so long ago."""

    def __init__(self, *executions: tuple[ExecutionStatus, timedelta, timedelta | None]) -> None:
        self._backend = StepFunctionsParserBackend("eu-west-2", "123456789012")
        self.executions = [self._execution(number, *each) for number, each in enumerate(executions)]
        machine = SimpleNamespace(arn=MACHINE, name="totes", executions=self.executions)
        self._backend.state_machines = [machine]

    @staticmethod
    def _execution(number: int, status: ExecutionStatus, began: timedelta, ended: timedelta | None) -> Any:
        now = datetime.now(UTC)
        execution = Execution.__new__(Execution)
        vars(execution).update(
            execution_arn=f"{MACHINE.replace('stateMachine', 'execution')}:{number}",
            exec_status=status,
            start_date=now - began,
            stop_date=None if ended is None else now - ended,
            output={"outcome": "done"} if status == SUCCEEDED else None,
            output_details={"included": True},
            error="LakeCorrupted" if status == FAILED else None,
            cause=None,
        )
        return execution

    def describe(self, number: int) -> Any:
        return self._backend.describe_execution(self.executions[number].execution_arn)

    def history(self, number: int) -> Any:
        return self._backend.get_execution_history(self.executions[number].execution_arn)

    def listed(self, status: str | None = None) -> list[tuple[int, str]]:
        found = list_executions.__wrapped__(self._backend, MACHINE, status)
        return [(int(each.execution_arn.rpartition(":")[2]), each.status) for each in found]


def test_one_that_has_just_begun_does_not_exist() -> None:
    machine = Machine((RUNNING, timedelta(), None), (SUCCEEDED, timedelta(), timedelta()))
    for number in (0, 1):
        with pytest.raises(ExecutionDoesNotExist, match=f"Execution Does Not Exist: '.*:{number}'"):
            machine.describe(number)
        with pytest.raises(ExecutionDoesNotExist):
            machine.history(number)
    assert machine.listed() == []


def test_one_that_has_just_ended_runs_or_does_not_say_what_it_came_to() -> None:
    just = (LONG_AGO, timedelta())
    machine = Machine((SUCCEEDED, *just), (SUCCEEDED, *just), (FAILED, *just), (FAILED, *just))
    found = [machine.describe(number) for number in range(4)]
    assert [each.status for each in found] == ["RUNNING", "SUCCEEDED", "RUNNING", "RUNNING"]
    assert {each.output for each in found} == {each.error for each in found} == {None}
    assert [each.stop_date is None for each in found] == [True, False, True, True]
    assert machine.executions[1].output == {"outcome": "done"}, "what is said is a copy"


def test_one_that_has_just_ended_is_listed_as_running() -> None:
    machine = Machine((SUCCEEDED, LONG_AGO, timedelta()), (FAILED, LONG_AGO, timedelta()))
    assert sorted(machine.listed()) == sorted(machine.listed("RUNNING")) == [(0, "RUNNING"), (1, "RUNNING")]
    assert machine.listed("SUCCEEDED") == machine.listed("FAILED") == []


def test_a_moment_later_all_is_said() -> None:
    before = (LONG_AGO, timedelta(minutes=2))
    machine = Machine((SUCCEEDED, *before), (FAILED, *before), (RUNNING, timedelta(minutes=2), None))
    assert [machine.describe(number) for number in range(3)] == machine.executions
    assert sorted(machine.listed()) == [(0, "SUCCEEDED"), (1, "FAILED"), (2, "RUNNING")]
    assert machine.listed("SUCCEEDED") == [(0, "SUCCEEDED")]
