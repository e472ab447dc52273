"""What an execution of the local cloud says of itself at the moment of its end."""

from types import SimpleNamespace
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError, ProgramState
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from local_cloud.endpoint import state_machines


class Execution(SimpleNamespace):
    """What moto keeps of an execution; it notes what was known each time that its status was set."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "exec_status":
            self.known.append({word: each for word, each in vars(self).items() if each is not None})

    def __copy__(self) -> SimpleNamespace:
        """A copy is nothing that anybody sees."""
        return SimpleNamespace(**vars(self))


def ended(state: ProgramState) -> Execution:
    state_machines.install()
    states = SimpleNamespace(get_input=lambda: {"outcome": "done"})
    worker = SimpleNamespace(env=SimpleNamespace(program_state=lambda: state, states=states))
    nothing = dict.fromkeys(("stop_date", "output", "error", "cause"))
    execution = Execution(exec_worker=worker, known=[], **nothing)
    BaseExecutionWorkerCommunication(execution)._reflect_execution_status()
    return execution


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [
        (ProgramEnded(), "SUCCEEDED", {"output": {"outcome": "done"}}),
        (ProgramError({"error": "LakeCorrupted", "cause": "a part"}), "FAILED", {"error": "LakeCorrupted"}),
    ],
)
def test_who_sees_an_execution_ended_sees_how(state: ProgramState, status: str, told: dict[str, Any]) -> None:
    execution = ended(state)
    (known,) = execution.known
    assert known["exec_status"] == status
    assert told.items() <= known.items()
    assert "stop_date" in known
