"""What functions, state machines and schedules cost; each function raises Unpriceable if that cannot be told."""

from decimal import Decimal

from costs import assumptions, prices
from costs.charge import Charge
from costs.runs import Runs
from costs.templates import TemplateResource, Unpriceable


def function(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::Lambda::Function: its runs, and the memory that they hold for the seconds assumed."""
    count = runs.of_function(resource)
    gigabytes = resource.number("MemorySize", default=128) / 1024
    [architecture] = resource.properties.get("Architectures", ["x86_64"])
    return [
        Charge(count, prices.LAMBDA_REQUEST),
        Charge(count * _seconds(resource) * gigabytes, prices.LAMBDA_GB_SECOND[architecture]),
    ]


def _seconds(resource: TemplateResource) -> Decimal:
    full_name = str(resource.properties.get("FunctionName", resource.logical_id))
    for name, seconds in assumptions.SECONDS_A_RUN.items():
        if full_name.endswith(f"-{name}"):
            return seconds
    raise Unpriceable(f"costs/assumptions.py has no seconds a run for {full_name}")


def state_machine(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::StepFunctions::StateMachine: the transitions of its executions, and their traces."""
    if resource.properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise Unpriceable("only a standard workflow has a price here")
    count = runs.of_machine(resource)
    charges = [Charge(count * assumptions.TRANSITIONS_AN_EXECUTION, prices.STATE_TRANSITION)]
    if resource.properties.get("TracingConfiguration", {}).get("Enabled"):
        charges.append(Charge(count, prices.TRACE))
    return charges


def schedule(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::Scheduler::Schedule: each time that it comes due."""
    return [Charge(runs.of_schedule(resource), prices.SCHEDULED_INVOCATION)]
