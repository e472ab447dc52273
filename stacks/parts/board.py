"""What there is to see: the CloudWatch dashboard totes-<environment>."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.config import Environment
from stacks.parts.alarms import Alarms, metrics_of
from stacks.pipeline_stack import PipelineStack
from totes import telemetry


class Board(Construct):
    """Alarms on top, then how fresh the warehouse is, what runs and functions did, and what became of rows."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        pipeline: PipelineStack,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        measured = metrics_of(environment)
        name = f"totes-{environment.name}"
        machine = pipeline.state_machine
        rows = cloudwatch.MathExpression(
            expression=f"SEARCH('{{{telemetry.NAMESPACE},outcome,{telemetry.SERVICE},table}} "
            f'MetricName="{telemetry.ROWS}" {telemetry.SERVICE}="{name}"\', \'Sum\', 300)',
            label="",
            using_metrics={},
        )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms.alarms], width=24, height=4)],
                [
                    _graph("Seconds behind the source", measured(telemetry.LAG, "Maximum")),
                    _graph("Seconds since the last success", measured(telemetry.SINCE_SUCCESS, "Maximum")),
                    _graph(
                        "Runs",
                        measured(telemetry.QUARANTINED, "SampleCount").with_(label="came to their end"),
                        machine.metric_failed(statistic="Sum"),
                        machine.metric_timed_out(statistic="Sum"),
                    ),
                ],
                [
                    _graph("Rows, by table and outcome", rows),
                    _graph(
                        "Quarantine, drift and differences",
                        measured(telemetry.QUARANTINED, "Maximum"),
                        measured(telemetry.DRIFT, "Sum"),
                        measured(telemetry.VERIFY_DIFFERENCES, "Maximum"),
                    ),
                    _graph(
                        "Percent of the time that a function may take",
                        *(
                            cloudwatch.Metric(
                                namespace=telemetry.NAMESPACE,
                                metric_name=telemetry.TIMEOUT_USED,
                                dimensions_map={"function": function.function_name, telemetry.SERVICE: name},
                                statistic="Maximum",
                                label=folder,
                            )
                            for folder, function in pipeline.functions.items()
                        ),
                    ),
                ],
            ],
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=[*metrics], width=8, height=6)
