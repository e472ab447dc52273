"""The operations dashboard: the CloudWatch dashboard totes-<environment>-<region>."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs import metrics
from stacks.constructs.alarms import Alarms
from stacks.constructs.metrics import metrics_of
from stacks.constructs.watched import WatchedFunction, WatchedPipeline
from stacks.environment import Environment
from totes import telemetry

_LOADER = "processed_bucket_to_warehouse"


class OperationsDashboard(Construct):
    """Alarms on top, then how fresh the warehouse is, what runs and functions did, and row counts."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        pipeline: WatchedPipeline,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        measured = metrics_of(environment)
        stack = cdk.Stack.of(self)
        rows = cloudwatch.LogQueryWidget(
            title="Rows, by table and outcome",
            log_group_names=[f"/aws/lambda/{pipeline.named(_LOADER).full_name}"],
            view=cloudwatch.LogQueryVisualizationType.TABLE,
            query_lines=[
                f"filter message = '{telemetry.ROWS_LOADED}'",
                f"stats {', '.join(f'sum({outcome})' for outcome in telemetry.OUTCOMES)} by table",
                "sort table",
            ],
            width=8,
            height=6,
        )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=f"totes-{environment.name}-{stack.region}",  # a name is unique in all regions of an account
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms.alarms], width=24, height=4)],
                [
                    _graph("Seconds behind the source", measured(telemetry.LAG, "Maximum"), width=12),
                    _graph(
                        "Runs",
                        measured(telemetry.QUARANTINED, "SampleCount").with_(label="came to their end"),
                        *([_published(environment)] if environment.dashboard else []),
                        metrics.of_state_machine(stack, pipeline.state_machine, "ExecutionsFailed"),
                        metrics.of_state_machine(stack, pipeline.state_machine, "ExecutionsTimedOut"),
                        width=12,
                    ),
                ],
                [
                    rows,
                    _graph(
                        "Quarantine, drift and differences",
                        measured(telemetry.QUARANTINED, "Maximum"),
                        measured(telemetry.DRIFT, "Sum"),
                        measured(telemetry.VERIFY_DIFFERENCES, "Maximum"),
                        measured(telemetry.LAKE_FINDINGS, "Maximum"),
                        measured(telemetry.ROTATIONS_OVERDUE, "Maximum"),
                        *(_of_rates(environment) if environment.rates else []),
                    ),
                    _graph(
                        "Percent of the time that a function may take",
                        *(_time_used(each) for each in pipeline.functions),
                    ),
                ],
            ],
        )


def _published(environment: Environment) -> cloudwatch.Metric:
    return metrics_of(environment)(telemetry.PUBLISHED, "SampleCount").with_(label="published")


def _of_rates(environment: Environment) -> list[cloudwatch.Metric]:
    measured = metrics_of(environment)
    return [measured(telemetry.RATES_AGE, "Maximum"), measured(telemetry.RATES_FAILED, "Sum")]


def _time_used(function: WatchedFunction) -> cloudwatch.IMetric:
    """Lambda measures durations itself, for nothing; how long each may be is only known here."""
    return cloudwatch.MathExpression(
        expression=f"100 * {function.name} / {function.timeout.to_milliseconds():.0f}",
        label=function.name,
        using_metrics={function.name: metrics.of_function(function.full_name, "Duration", statistic="Maximum")},
    )


def _graph(title: str, *metrics: cloudwatch.IMetric, width: int = 8) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*metrics], width=width, height=6)
