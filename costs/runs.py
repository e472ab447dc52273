"""How often each function and state machine runs in a month, followed through the templates from the schedules."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from costs import assumptions
from costs.schedules import runs_a_month
from costs.templates import TemplateResource, Unpriceable

_STEPS_OF_A_ROTATION = 4  # Secrets Manager calls the function once for each
_FLOW_LOG_WRITES = assumptions.HOURS_A_MONTH * assumptions.FLOW_LOG_WRITES_AN_HOUR


class Runs:
    """Who runs how often: schedules start state machines and functions, machines and rotations call functions."""

    def __init__(self, resources: Sequence[TemplateResource]) -> None:
        self._schedules = _of("AWS::Scheduler::Schedule", resources)
        self._rotations = _of("AWS::SecretsManager::RotationSchedule", resources)
        self._machines = _of("AWS::StepFunctions::StateMachine", resources)
        self._functions = _of("AWS::Lambda::Function", resources)
        self._flow_logs = _of("AWS::EC2::FlowLog", resources)

    @property
    def ticks(self) -> Decimal:
        """Executions of all state machines; raise Unpriceable if they cannot be counted."""
        return _sum(self.of_machine(machine) for machine in self._machines)

    def of_schedule(self, schedule: TemplateResource) -> Decimal:
        """How often a schedule comes due; raise Unpriceable if that cannot be counted."""
        if schedule.properties.get("State") == "DISABLED":
            return Decimal(0)
        return runs_a_month(str(schedule.properties.get("ScheduleExpression")))

    def of_machine(self, machine: TemplateResource) -> Decimal:
        """Executions of a state machine; raise Unpriceable if nothing is seen to start it."""
        return _sum_of_any(self._scheduled(machine), "start it")

    def of_function(self, function: TemplateResource) -> Decimal:
        """Runs of a function; raise Unpriceable if nothing is seen to call it."""
        calls = self._scheduled(function)
        calls += [self.of_machine(each) for each in self._machines if each.names(function, "DefinitionString")]
        calls += [_rotation_calls(each) for each in self._rotations if each.names(function, "RotationLambdaARN")]
        name = str(function.properties.get("FunctionName"))
        calls += [often for called, often in assumptions.CALLED_BY_HAND.items() if name.endswith(f"-{called}")]
        return _sum_of_any(calls, "call it")

    def into_log(self, log_group: TemplateResource) -> Decimal:
        """Runs that write to a log group; raise Unpriceable if nothing is seen to write to it."""
        runs = [self.of_function(each) for each in self._functions if each.names(log_group, "LoggingConfig")]
        runs += [self.of_machine(each) for each in self._machines if each.names(log_group, "LoggingConfiguration")]
        runs += [_FLOW_LOG_WRITES for each in self._flow_logs if each.names(log_group, "LogGroupName")]
        return _sum_of_any(runs, "write to it")

    def _scheduled(self, target: TemplateResource) -> list[Decimal]:
        return [self.of_schedule(each) for each in self._schedules if each.names(target, "Target")]


def _of(kind: str, resources: Sequence[TemplateResource]) -> list[TemplateResource]:
    return [each for each in resources if each.kind == kind]


def _rotation_calls(rotation: TemplateResource) -> Decimal:
    rules = rotation.properties.get("RotationRules", {})
    expression = rules.get("ScheduleExpression") or f"rate({rules.get('AutomaticallyAfterDays')} days)"
    return _STEPS_OF_A_ROTATION * runs_a_month(expression)


def _sum(runs: Iterable[Decimal]) -> Decimal:
    return sum(runs, Decimal(0))


def _sum_of_any(runs: Sequence[Decimal], does: str) -> Decimal:
    if not runs:
        raise Unpriceable(f"nothing in the templates is seen to {does}")
    return _sum(runs)
