"""What somebody gets a mail about, and the line of the runbook that says what to do then."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs import metrics
from stacks.constructs.metrics import metrics_of
from stacks.constructs.own_warehouse import Limits
from stacks.constructs.state_machine import RUN_HOURS
from stacks.constructs.watched import WatchedPipeline
from stacks.environment import Environment
from totes import telemetry
from totes.lake.audit import NIGHTS

RUNBOOK = "docs/runbook.md"

_LAG_MINUTES = 15
_TIMEOUT_PERCENT = 80
_TICKS_WITHOUT_SUCCESS = 3
_FAILED_PERIODS = 6  # ticks: a run that is tried again and again, or times out, fails only every few of them
_SLOW_PERIODS = 4  # a duration is measured at its end, for the period of its start: up to fifteen minutes before
_THROTTLED_PERIODS = 3  # a call that is throttled once is tried again within seconds
_WAREHOUSE_PERIODS = 3
_FIVE_MINUTES = cdk.Duration.minutes(5)
_HOURS_WITHOUT_A_NIGHT = 26  # it starts every 24 hours, and takes an hour at most, even if it is tried three times


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """When an alarm goes off: its metric is above a number (or below one), or missing if that means the same.

    For a metric that is measured once a night a missing value means nothing: IGNORE keeps the state of the alarm until
    the next night.
    """

    name: str
    sentence: str
    metric: cloudwatch.IMetric
    threshold: float = 0
    below: bool = False
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    periods: int = 1
    enough: int | None = None
    """In how many of the periods it has to be so; None: in each."""


@dataclass(frozen=True, kw_only=True)
class WatchedWarehouse:
    """A warehouse of totes' own: its name, and the limits at which alarms go off."""

    identifier: str
    limits: Limits


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
        pipeline: WatchedPipeline,
        warehouse: WatchedWarehouse | None,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        rules = [
            *_of_runs(cdk.Stack.of(self), environment, pipeline),
            *_of_functions(pipeline),
            *_of_data(environment),
        ]
        if warehouse is not None:
            rules += _of_warehouse(warehouse)
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
            datapoints_to_alarm=rule.enough,
            treat_missing_data=rule.missing,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
        return alarm


def _anchor(name: str) -> str:
    """The runbook has one line for all functions that are slow, and one for all that are throttled."""
    kinds = [kind for kind in ("function-slow", "function-throttled") if name.startswith(kind)]
    return kinds[0] if kinds else name


def _of_runs(stack: cdk.Stack, environment: Environment, pipeline: WatchedPipeline) -> list[_Rule]:
    tick = cdk.Duration.minutes(environment.tick_minutes)
    rules = [
        _Rule(
            name="run-failed",
            sentence="A run has failed; the execution names the step and the error.",
            metric=metrics.of_state_machine(stack, pipeline.state_machine, "ExecutionsFailed", period=tick),
            periods=_FAILED_PERIODS,
            enough=1,
        ),
        _Rule(
            name="run-timed-out",
            sentence=f"A run took more than {RUN_HOURS} hours and was ended.",
            metric=metrics.of_state_machine(stack, pipeline.state_machine, "ExecutionsTimedOut", period=tick),
        ),
        _Rule(
            name="run-throttled",
            sentence="Step Functions held a run back.",
            metric=metrics.of_state_machine(stack, pipeline.state_machine, "ExecutionThrottled", period=tick),
        ),
        _Rule(
            name="dead-letters",
            sentence="What a schedule starts could not be started, or a night's function failed at each attempt.",
            metric=metrics.of_queue(
                pipeline.dead_letters,
                "ApproximateNumberOfMessagesVisible",
                statistic="Maximum",
                period=tick,
            ),
        ),
    ]
    if not environment.schedule_enabled:
        return rules  # if nothing is started, nothing can be late
    return [
        *rules,
        _Rule(
            name="no-success",
            sentence=f"No run has come to its end for {_TICKS_WITHOUT_SUCCESS} ticks.",
            # Step Functions counts a run that steps back for a hanging one as a success; only an ended load sends this.
            metric=metrics_of(environment)(telemetry.QUARANTINED, "SampleCount", tick),
            threshold=1,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
            periods=_TICKS_WITHOUT_SUCCESS,
        ),
        _Rule(
            name="no-sweep",
            sentence="Last night nothing started the sweep of the ingestion bucket, or there was no night yet.",
            metric=metrics.of_function(
                pipeline.named("sweep_ingestion_bucket").full_name,
                "Invocations",
                statistic="Sum",
                period=cdk.Duration.hours(1),
            ),
            threshold=1,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
            periods=_HOURS_WITHOUT_A_NIGHT,
        ),
    ]


def _of_functions(pipeline: WatchedPipeline) -> list[_Rule]:
    """An error alone sets off no alarm: it is tried again. A run or a night that fails has an alarm of its own."""
    rules = []
    for function in (each for each in pipeline.functions if each.scheduled):
        name = function.name
        rules += [
            _Rule(
                name=f"function-throttled-{name}",
                sentence=f"Lambda has held {name} back for {_THROTTLED_PERIODS * 5} minutes.",
                metric=metrics.of_function(function.full_name, "Throttles", statistic="Sum", period=_FIVE_MINUTES),
                periods=_THROTTLED_PERIODS,
            ),
            _Rule(
                name=f"function-slow-{name}",
                sentence=f"{name} has taken more than {_TIMEOUT_PERCENT} % of the time that it may.",
                metric=metrics.of_function(function.full_name, "Duration", statistic="Maximum", period=_FIVE_MINUTES),
                threshold=function.timeout.to_milliseconds() * _TIMEOUT_PERCENT / 100,
                periods=_SLOW_PERIODS,
                enough=1,
            ),
        ]
    return [
        *rules,
        _Rule(
            name="rotation-failed",
            sentence="A step of a password's rotation failed; the next good one, of whichever login, ends this alarm.",
            metric=metrics.of_function(
                pipeline.named("rotate_database_login").full_name, "Errors", statistic="Sum", period=_FIVE_MINUTES
            ),
            missing=cloudwatch.TreatMissingData.IGNORE,
        ),
    ]


def _of_data(environment: Environment) -> list[_Rule]:
    measured = metrics_of(environment)
    rules = [
        _Rule(
            name="quarantine",
            sentence="Rows of the source could not become rows of the star, and wait in quarantine.",
            metric=measured(telemetry.QUARANTINED, "Maximum"),
            missing=cloudwatch.TreatMissingData.IGNORE,
        ),
        _Rule(
            name="verify-difference",
            sentence="The warehouse is not what the source says.",
            metric=measured(telemetry.VERIFY_DIFFERENCES, "Maximum"),
            missing=cloudwatch.TreatMissingData.IGNORE,
        ),
        _Rule(
            name="rotation-overdue",
            sentence="A database's password was not changed when it should have been, or its change stopped half-way.",
            metric=measured(telemetry.ROTATIONS_OVERDUE, "Maximum"),
            missing=cloudwatch.TreatMissingData.IGNORE,
        ),
        _Rule(
            name="lake-audit",
            sentence=f"In one of the last {NIGHTS} nights something of the lake was not what was written.",
            metric=measured(telemetry.LAKE_FINDINGS, "Maximum", cdk.Duration.days(1)),
            periods=NIGHTS,  # and CloudWatch looks at no more than a week
            enough=1,  # each night looks at another part
        ),
    ]
    if not environment.schedule_enabled:
        return rules
    if environment.dashboard:
        rules.append(
            _Rule(
                name="snapshot-late",
                sentence=f"The dashboard's snapshot was not brought up to date for {_TICKS_WITHOUT_SUCCESS} ticks.",
                metric=measured(telemetry.PUBLISHED, "SampleCount", cdk.Duration.minutes(environment.tick_minutes)),
                threshold=1,
                below=True,
                missing=cloudwatch.TreatMissingData.BREACHING,
                periods=_TICKS_WITHOUT_SUCCESS,
            )
        )
    if environment.rates and environment.rates.late_days is not None:
        rules.append(
            _Rule(
                name="rates-late",
                sentence=f"For a day exchange rates were missing or older than {environment.rates.late_days} days.",
                metric=measured(telemetry.RATES_AGE, "Maximum", cdk.Duration.hours(6)),
                threshold=environment.rates.late_days,
                missing=cloudwatch.TreatMissingData.BREACHING,
                periods=4,
            )
        )
    return [
        *rules,
        _lag(environment),
        _Rule(
            name="no-verification",
            sentence="Last night the warehouse was not compared with the source, or there was no night yet.",
            metric=measured(telemetry.VERIFY_DIFFERENCES, "SampleCount", cdk.Duration.hours(1)),
            threshold=1,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
            periods=_HOURS_WITHOUT_A_NIGHT,
        ),
        _Rule(
            name="no-lake-audit",
            sentence="Last night the lake was not audited, or not all that was its turn, or there was no night yet.",
            metric=measured(telemetry.LAKE_FINDINGS, "SampleCount", cdk.Duration.hours(1)),
            threshold=1,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
            periods=_HOURS_WITHOUT_A_NIGHT,
        ),
    ]


def _lag(environment: Environment) -> _Rule:
    """Only a run measures the lag, so a period must be long enough to have a run in it."""
    minutes = max(_LAG_MINUTES, _TICKS_WITHOUT_SUCCESS * environment.tick_minutes)
    period = max(_FIVE_MINUTES.to_minutes(), environment.tick_minutes)
    return _Rule(
        name="lag",
        sentence=f"The warehouse is more than {minutes} minutes behind the source, or nobody knows.",
        metric=metrics_of(environment)(telemetry.LAG, "Maximum", cdk.Duration.minutes(period)),
        threshold=minutes * 60,
        missing=cloudwatch.TreatMissingData.BREACHING,
        periods=_TICKS_WITHOUT_SUCCESS,
    )


def _of_warehouse(warehouse: WatchedWarehouse) -> list[_Rule]:
    instance, limits = warehouse.identifier, warehouse.limits
    return [
        _Rule(
            name="warehouse-storage",
            sentence="The warehouse's disk is nearly full, and does not grow.",
            metric=metrics.of_instance(instance, "FreeStorageSpace", statistic="Minimum", period=_FIVE_MINUTES),
            threshold=limits.free_storage_bytes,
            below=True,
            periods=_WAREHOUSE_PERIODS,
        ),
        _Rule(
            name="warehouse-memory",
            sentence="The warehouse has nearly no memory left.",
            metric=metrics.of_instance(instance, "FreeableMemory", statistic="Minimum", period=_FIVE_MINUTES),
            threshold=limits.free_memory_bytes,
            below=True,
            periods=_WAREHOUSE_PERIODS,
        ),
        _Rule(
            name="warehouse-connections",
            sentence="Most of the connections that the warehouse takes are in use.",
            metric=metrics.of_instance(instance, "DatabaseConnections", statistic="Maximum", period=_FIVE_MINUTES),
            threshold=limits.connections,
            periods=_WAREHOUSE_PERIODS,
        ),
        _Rule(
            name="warehouse-cpu-credits",
            sentence="The warehouse has used up its CPU credits; what it uses beyond them is paid for by the hour.",
            metric=metrics.of_instance(instance, "CPUCreditBalance", statistic="Minimum", period=_FIVE_MINUTES),
            threshold=1,
            below=True,
            periods=_WAREHOUSE_PERIODS,
        ),
    ]
