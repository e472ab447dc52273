"""Who is told when something is wrong."""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.config import Environment


class AlarmTopic(Construct):
    """The topic totes-<environment>-alarms, with the environment's e-mail address subscribed.

    Attributes:
        topic: the topic.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:  # noqa: A002 - CDK's word
        super().__init__(scope, id)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"totes-{environment.name}-alarms",
            display_name=f"totes {environment.name}",
            enforce_ssl=True,
        )
        if environment.alarm_email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(environment.alarm_email))
        elif environment.schedule_enabled:
            cdk.Annotations.of(self).add_warning_v2(
                "totes:nobody-is-told",
                f"{environment.name} has no alarm_email in stacks/config.py: nobody is told when an alarm goes off",
            )
