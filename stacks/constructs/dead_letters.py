"""The queue for what a schedule could not start, and for events that failed at each attempt."""

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.checks import acknowledge
from stacks.environment import Environment


class DeadLetters(Construct):
    """The queue totes-<environment>-dead-letters; an alarm says when something is in it.

    Attributes:
        queue: the queue.
        name: its name.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:  # noqa: A002 - CDK's word
        super().__init__(scope, id)
        self.name = f"totes-{environment.name}-dead-letters"
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=self.name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        acknowledge(
            self.queue, "SQS3", reason="It is itself the queue for what went wrong; nothing reads from it but people."
        )
