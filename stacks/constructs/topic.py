"""The topic that sends the mails of alarms."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.environment import Environment


class AlarmTopic(Construct):
    """The topic totes-<environment>-alarms, with the environment's e-mail address subscribed.

    A deployment subscribes an address once. If SNS or a person ends the subscription, the next deployment does not make
    it again; `totes doctor` and `totes alarms test` report that, and say what to do.

    Attributes:
        topic: the topic.

    Raises:
        ValueError: the environment is protected and has no address.
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
        # A topic with a policy of its own, here for TLS, loses the default policy that lets its account publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )
        if environment.alarm_email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(environment.alarm_email))
            return
        nobody = f"{environment.name} has no alarm_email: nobody would be told when an alarm goes off; {_HOW}"
        if environment.protected:
            raise ValueError(nobody)
        cdk.Annotations.of(self).add_warning_v2("totes:nobody-is-told", nobody)


_HOW = "set it in stacks/config.py, or say -c alarm_email=ADDRESS"
