"""What wakes somebody, and the line of the runbook that says what to do then."""

from collections.abc import Callable
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.config import Environment
from stacks.pipeline_stack import PipelineStack
from totes import telemetry

RUNBOOK = "docs/runbook.md"

_LAG_SECONDS = 15 * 60
_TIMEOUT_PERCENT = 80
_TICKS_WITHOUT_SUCCESS = 3


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """When an alarm goes off: its metric is above a number (or below one), or is missing where that tells the same."""

    name: str
    sentence: str
    metric: cloudwatch.IMetric
    threshold: float = 0
    below: bool = False
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    periods: int = 1


class Alarms(Construct):
    """The alarms totes-<environment>-<name>; each ends in its line of the runbook.

    Attributes:
        alarms: the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        pipeline: PipelineStack,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        rules = [*_of_runs(environment, pipeline), *_of_functions(pipeline), *_of_data(environment)]
        self.alarms = [self._alarm(rule, topic) for rule in rules]

    def _alarm(self, rule: _Rule, topic: sns.ITopic) -> cloudwatch.Alarm:
        comparison = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in rule.name.replace("_", "-").split("-")),
            alarm_name=f"totes-{self._environment.name}-{rule.name}",
            alarm_description=f"{rule.sentence} What to do: {RUNBOOK}#{_anchor(rule.name)}",
            metric=rule.metric,
            threshold=rule.threshold,
            comparison_operator=comparison.LESS_THAN_THRESHOLD if rule.below else comparison.GREATER_THAN_THRESHOLD,
            evaluation_periods=rule.periods,
            treat_missing_data=rule.missing,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
        return alarm


def _anchor(name: str) -> str:
    """The runbook has one line for the errors, and one for the slowness, of all functions."""
    kinds = [kind for kind in ("function-error", "function-slow") if name.startswith(kind)]
    return kinds[0] if kinds else name


def _of_runs(environment: Environment, pipeline: PipelineStack) -> list[_Rule]:
    machine, tick = pipeline.state_machine, cdk.Duration.minutes(environment.tick_minutes)
    rules = [
        _Rule(
            name="run-failed",
            sentence="A run has failed; the execution names the step and the error.",
            metric=machine.metric_failed(period=tick, statistic="Sum"),
        ),
        _Rule(
            name="run-timed-out",
            sentence="A run took more than an hour and was ended.",
            metric=machine.metric_timed_out(period=tick, statistic="Sum"),
        ),
        _Rule(
            name="run-throttled",
            sentence="Step Functions held a run back.",
            metric=machine.metric_throttled(period=tick, statistic="Sum"),
        ),
        _Rule(
            name="dead-letters",
            sentence="A schedule could not start what it is there for.",
            metric=pipeline.dead_letters.metric_approximate_number_of_messages_visible(
                period=tick, statistic="Maximum"
            ),
        ),
    ]
    if not environment.schedule_enabled:
        return rules  # where nothing is started, nothing can be late
    return [
        *rules,
        _Rule(
            name="no-success",
            sentence=f"No run has succeeded for {_TICKS_WITHOUT_SUCCESS} ticks.",
            metric=machine.metric_succeeded(period=tick, statistic="Sum"),
            threshold=1,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
            periods=_TICKS_WITHOUT_SUCCESS,
        ),
    ]


def _of_functions(pipeline: PipelineStack) -> list[_Rule]:
    rules = []
    for name, function in pipeline.functions.items():
        if function is pipeline.rotate:
            continue
        if function.timeout is None:
            raise AssertionError("every function has a timeout")
        rules += [
            _Rule(
                name=f"function-error-{name}",
                sentence=f"{name} has ended in an error.",
                metric=function.metric_errors(period=_FIVE_MINUTES, statistic="Sum"),
            ),
            _Rule(
                name=f"function-slow-{name}",
                sentence=f"{name} has taken more than {_TIMEOUT_PERCENT} % of the time that it may.",
                metric=function.metric_duration(period=_FIVE_MINUTES, statistic="Maximum"),
                threshold=function.timeout.to_milliseconds() * _TIMEOUT_PERCENT / 100,
            ),
        ]
    return [
        *rules,
        _Rule(
            name="rotation-failed",
            sentence="A database's password was to be changed, and a step of it failed.",
            metric=pipeline.rotate.metric_errors(period=_FIVE_MINUTES, statistic="Sum"),
        ),
    ]


def _of_data(environment: Environment) -> list[_Rule]:
    measured = metrics_of(environment)
    rules = [
        _Rule(
            name="quarantine",
            sentence="Rows of the source could not become rows of the star, and wait in quarantine.",
            metric=measured(telemetry.QUARANTINED, "Maximum"),
        ),
        _Rule(
            name="verify-difference",
            sentence="The warehouse is not what the source says.",
            metric=measured(telemetry.VERIFY_DIFFERENCES, "Maximum"),
        ),
    ]
    if not environment.schedule_enabled:
        return rules
    return [
        *rules,
        _Rule(
            name="lag",
            sentence=f"The warehouse is more than {_LAG_SECONDS // 60} minutes behind the source, or nobody knows.",
            metric=measured(telemetry.LAG, "Maximum"),
            threshold=_LAG_SECONDS,
            missing=cloudwatch.TreatMissingData.BREACHING,
            periods=_TICKS_WITHOUT_SUCCESS,
        ),
    ]


def metrics_of(environment: Environment) -> Callable[[str, str], cloudwatch.Metric]:
    """The environment's own metrics, by name and statistic."""

    def metric(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=telemetry.NAMESPACE,
            metric_name=name,
            dimensions_map={telemetry.SERVICE: f"totes-{environment.name}"},
            statistic=statistic,
            period=_FIVE_MINUTES,
        )

    return metric


_FIVE_MINUTES = cdk.Duration.minutes(5)
