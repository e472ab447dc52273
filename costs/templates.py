"""The resources of synthesised templates, and how often each function and state machine among them runs in a month."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from costs import assumptions
from costs.assumptions import A_SMALL_SHOP, Use
from totes.errors import UserError

_STEPS_OF_A_ROTATION = 4  # Secrets Manager calls the function once for each
_FLOW_LOG_WRITES = assumptions.HOURS_A_MONTH * assumptions.FLOW_LOG_WRITES_AN_HOUR
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY = ("*", "?")


class Unpriceable(Exception):
    """What a resource costs is not known; the sentence says why."""


@dataclass(frozen=True)
class TemplateResource:
    """A resource of a template.

    Attributes:
        logical_id: its name in the template.
        kind: its type, such as AWS::S3::Bucket.
        properties: as in the template, expressions and all.
    """

    logical_id: str
    kind: str
    properties: Mapping[str, Any]

    def number(self, name: str, default: int | None = None) -> Decimal:
        """A property that is a number; raise Unpriceable if it is missing without a default, or an expression."""
        value = self.properties.get(name, default)
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise Unpriceable(f"{name} is no number in the template: {value}") from None

    def names(self, other: "TemplateResource", *properties: str) -> bool:
        """Whether an expression in these properties refers to another resource, or imports it from its stack.

        A logical id ends in a hash, and so is found in the text of a Ref, a GetAtt and an import alike.
        """
        return any(other.logical_id in json.dumps(self.properties.get(each)) for each in properties)


def read_resources(folder: Path) -> tuple[TemplateResource, ...]:
    """The resources of all templates in a cloud assembly's folder; raise UserError if it holds none."""
    templates = sorted(folder.glob("*.template.json"))
    if not templates:
        raise UserError(f"there is no template in {folder}")
    return tuple(
        TemplateResource(logical_id, resource["Type"], resource.get("Properties", {}))
        for template in templates
        for logical_id, resource in json.loads(template.read_text()).get("Resources", {}).items()
    )


class Runs:
    """Who runs how often: schedules start state machines and functions, machines and rotations call functions.

    Attributes:
        use: what of a run the shop's size decides.
        gateways: how many NAT gateways there are.
    """

    def __init__(self, resources: Sequence[TemplateResource], use: Use = A_SMALL_SHOP) -> None:
        self.use = use
        self.gateways = len(_of("AWS::EC2::NatGateway", resources))
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


def runs_a_month(expression: str) -> Decimal:
    """How often rate(...) or cron(...) comes due; raise Unpriceable if it cannot be counted."""
    if rate := re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)s?\)", expression):
        return assumptions.HOURS_A_MONTH * 60 / (int(rate[1]) * _MINUTES[rate[2]])
    if cron := re.fullmatch(r"cron\((\S+) (\S+) (\S+) \* (\S+) \*\)", expression):
        minutes, hours, of_month, of_week = cron.groups()
        try:
            return _count(minutes, 60) * _count(hours, 24) * _days(of_month, of_week)
        except ValueError:  # a field that stands for no plain numbers, such as L
            pass
    raise Unpriceable(f"how often {expression} comes due is not worked out")


def _days(of_month: str, of_week: str) -> Decimal:
    if of_week not in _ANY:
        for number, name in enumerate(_WEEK, start=1):
            of_week = of_week.replace(name, str(number))
        return assumptions.DAYS_A_MONTH * _count(of_week, len(_WEEK)) / len(_WEEK)
    return assumptions.DAYS_A_MONTH if of_month in _ANY else Decimal(_count(of_month, 31))


def _count(field: str, size: int) -> int:
    """How many values of so many a cron field stands for."""
    return sum(_count_part(part, size) for part in field.split(","))


def _count_part(part: str, size: int) -> int:
    if part == "*":
        return size
    if "/" in part:
        first, step = part.split("/")
        return len(range(0 if first == "*" else int(first), size, int(step)))
    first, _, last = part.partition("-")
    return int(last or first) - int(first) + 1
