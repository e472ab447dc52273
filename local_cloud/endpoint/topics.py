"""Topics that accept messages only from whom their policies allow, and mails that are kept where one can read them.

moto delivers whatever is published. In AWS a topic has its default policy, by which everything of the owner's account
may publish, only as long as it has no other:
https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
"""

import json
from typing import Any

from moto.sns.models import Subscription as MotoSubscription
from moto.sns.models import Topic, sns_backends

from local_cloud.account import ACCOUNT, MAIL, REGION
from local_cloud.endpoint.invocations import write_log
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource, some
from local_cloud.policies import Asker, decide

_moto_deliver = MotoSubscription.publish


class NotAllowed(Exception):
    """A topic's policy does not let a service publish; the message is AWS's."""


def install() -> None:
    """Let moto's topics keep the mails that they send."""
    patch(MotoSubscription, "publish", _deliver, why="moto keeps no mails")


def publish_as(service: str, source: str, topic_arn: str, *, subject: str, message: str) -> None:
    """Publish as a service of AWS does.

    Args:
        service: its principal, such as "cloudwatch.amazonaws.com".
        source: the ARN of that for which it does.
        topic_arn: the topic.
        subject: of the mail.
        message: its text.

    Raises:
        NotAllowed: the topic's policy does not let it.
    """
    topic: Topic = sns_backends[ACCOUNT][REGION].get_topic(topic_arn)
    circumstances = {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceOwner": ACCOUNT,
        "aws:SourceArn": source,
        "aws:SecureTransport": "true",
    }
    decision = decide([topic.policy], "sns:Publish", topic_arn, Asker(service, circumstances))
    if not decision.allowed:
        why = "with an explicit deny in" if decision.by else "because no resource-based policy allows the action:"
        raise NotAllowed(
            f"Resource: {source} is not authorized to perform: SNS:Publish on resource: {topic_arn} {why} "
            "the topic's policy"
        )
    topic.publish(message, subject=subject)


def _deliver(subscription: Any, message: str, message_id: str, subject: str | None = None, **keywords: Any) -> None:
    _moto_deliver(subscription, message, message_id, subject=subject, **keywords)
    if subscription.protocol.startswith("email"):
        mail = {"to": subscription.endpoint, "subject": subject or "AWS Notification Message", "text": message}
        write_log(MAIL, subscription.endpoint, [json.dumps(mail)])


class Subscription(Resource):
    """A subscription to a topic."""

    cloudformation = "AWS::SNS::Subscription"
    service = "sns"

    def make(self) -> None:
        """Make it."""
        self.physical_resource_id = self._subscribe(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it: an endpoint or protocol cannot change, so it is made again."""
        self.remove()
        self.physical_resource_id = self._subscribe(properties)

    def remove(self) -> None:
        """Delete it."""
        self.client.unsubscribe(SubscriptionArn=self.physical_resource_id)

    def _subscribe(self, properties: Properties) -> str:
        wanted = some(properties, "TopicArn", "Protocol", "Endpoint")
        arn: str = self.client.subscribe(**wanted, ReturnSubscriptionArn=True)["SubscriptionArn"]
        return arn


class TopicPolicy(Resource):
    """The policy of topics."""

    cloudformation = "AWS::SNS::TopicPolicy"
    service = "sns"

    def make(self) -> None:
        """Make it."""
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        for topic in properties["Topics"]:
            self.client.set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )

    def remove(self) -> None:
        """It ends with its topics."""


MODELS: tuple[type[Resource], ...] = (Subscription, TopicPolicy)
